//! A user of the simulated organisation, and the shape it takes in a reply.

use serde::Serialize;
use serde_json::{Value, json};

use super::page::Params;

/// Whether a user can log in, cannot, or is gone (but still there: a deleted user keeps its address).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// In use.
    Active,
    /// Kept but not in use.
    Inactive,
    /// Deleted; can be restored.
    Deleted,
}

impl State {
    /// The three states.
    pub const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Deleted];

    /// The word the service uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Deleted => "deleted",
        }
    }

    /// Reads the service's word, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(text))
    }

    pub(super) const fn at(self) -> usize {
        self as usize
    }
}

/// Who created a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was there when the simulator started.
    Seed,
    /// Created through the API with the token of that number (from 0, in the order of minting).
    Token(usize),
    /// Created by somebody else while a test ran.
    Stranger,
}

/// One user, as the organisation knows it (which may be newer than what a listing shows).
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// UUID.
    pub id: String,
    /// Address, as it was given; empty for a seeded user without one.
    pub email: String,
    /// Login name; the address unless a seed says otherwise.
    pub username: String,
    /// Full name.
    pub name: String,
    /// Department.
    pub department: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// State.
    pub state: State,
    /// 1 for a new user, one more with every change.
    pub version: u32,
    /// Id of its division.
    pub division_id: String,
    /// Contacts, as far as they were understood.
    pub addresses: Vec<Value>,
    /// Its number with its employer.
    pub employee_id: Option<String>,
    /// Names of its roles. A new user has none, and a restored one has lost his.
    pub roles: Vec<String>,
    /// Who created it.
    pub created_by: Origin,
}

impl User {
    /// The name of a division is not the user's to know: the caller looks it up.
    pub(super) fn shape<'a>(&'a self, division_name: &'a str, expand: Expand) -> Shape<'a> {
        let uri = |path: &str, id: &str| format!("{path}/{id}");
        Shape {
            id: &self.id,
            name: &self.name,
            division: Division {
                id: &self.division_id,
                name: division_name,
                self_uri: uri("/api/v2/authorization/divisions", &self.division_id),
            },
            chat: Chat { jabber_id: format!("{}@simulated.orgspan.com", self.id.replace('-', "")) },
            department: self.department.as_deref(),
            email: Some(self.email.as_str()).filter(|email| !email.is_empty()),
            primary_contacts: self.primary_contacts(),
            addresses: &self.addresses,
            employer: self
                .employee_id
                .as_deref()
                .filter(|_| expand.employer)
                .map(|employee_id| Employer { employee_id }),
            state: self.state.as_str(),
            title: self.title.as_deref(),
            username: &self.username,
            version: self.version,
            acd_auto_answer: false,
            self_uri: uri("/api/v2/users", &self.id),
        }
    }

    /// "Auto populated from addresses": the e-mail address, then every contact given as primary.
    fn primary_contacts(&self) -> Vec<Value> {
        let email = json!({"address": self.email, "mediaType": "EMAIL", "type": "PRIMARY"});
        let given = self.addresses.iter().filter(|contact| {
            let is = |field, word| contact.get(field).and_then(Value::as_str) == Some(word);
            is("type", "PRIMARY") && !is("mediaType", "EMAIL")
        });
        (!self.email.is_empty()).then_some(email).into_iter().chain(given.cloned()).collect()
    }
}

/// The words that a request may ask to expand.
pub(super) const EXPANSIONS: [&str; 25] = [
    "routingStatus",
    "presence",
    "integrationPresence",
    "conversationSummary",
    "outOfOffice",
    "geolocation",
    "station",
    "authorization",
    "lasttokenissued",
    "authorization.unusedRoles",
    "team",
    "workPlanBidRanks",
    "externalContactsSettings",
    "groups",
    "customAttributes",
    "profileSkills",
    "certifications",
    "locations",
    "skills",
    "languages",
    "languagePreference",
    "employerInfo",
    "biography",
    "dateLastLogin",
    "dateWelcomeSent",
];

/// What a reply holds only because it was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Expand {
    employer: bool,
}

impl Expand {
    pub(super) fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self { employer: words.into_iter().any(|word| word == "employerInfo") }
    }

    pub(super) fn asked(params: Params<'_>) -> Self {
        Self::of(params.all("expand"))
    }
}

/// `User` of the published schema, with the fields a plain reply carries.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shape<'a> {
    id: &'a str,
    name: &'a str,
    division: Division<'a>,
    chat: Chat,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(rename = "primaryContactInfo")]
    primary_contacts: Vec<Value>,
    addresses: &'a [Value],
    #[serde(rename = "employerInfo", skip_serializing_if = "Option::is_none")]
    employer: Option<Employer<'a>>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    username: &'a str,
    version: u32,
    acd_auto_answer: bool,
    self_uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Division<'a> {
    id: &'a str,
    name: &'a str,
    self_uri: String,
}

/// `EmployerInfo`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Employer<'a> {
    employee_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Chat {
    jabber_id: String,
}
