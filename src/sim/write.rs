//! One user at a time: create, show, change, delete. All of it is immediate, unlike the listing.

use serde_json::{Map, Value};

use super::answer::{Answer, Refusal, body};
use super::list::filter_of;
use super::org::{Call, Org};
use super::page::Params;
use super::record::shown;
use super::store::Due;
use super::typed;
use super::user::{Expand, Origin, State, User};
use super::view::{At, Filter};

impl Org {
    pub(super) fn create(&mut self, call: Call<'_>) -> Answer {
        let fields = object(&call.request.body)?;
        let place = "POST /api/v2/users";
        self.note_unknown(place, &typed::names(typed::CREATE), fields.keys().map(String::as_str));
        self.note_contact_fields("POST /api/v2/users addresses", contacts(&fields)?);
        let user = self.wanted_user(&fields, Origin::Token(call.token))?;
        self.store.settle_search(call.now);
        if let Some((_, holder)) = self.store.holder(&user.email, &self.settings) {
            let status = if holder.state == State::Deleted { self.settings.deleted_conflict_status } else { 409 };
            return Err(Refusal::conflict(status, &self.settings));
        }
        let user = self.store.add(user, Some(Due::after(call.now, &self.settings)));
        Ok(self.user_body(&user, Expand::default()))
    }

    fn note_contact_fields(&mut self, place: &str, contacts: &[Value]) {
        for contact in contacts {
            let names = contact.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
            self.note_unknown(place, &typed::names(typed::CONTACT), names);
        }
    }

    fn wanted_user(&self, fields: &Map<String, Value>, created_by: Origin) -> Result<User, Refusal> {
        let name = required(fields, "name")?;
        let email = address(required(fields, "email")?)?;
        text(fields, "password")?;
        self.check_limits(fields, email)?;
        Ok(User {
            name: name.to_owned(),
            department: text(fields, "department")?.map(str::to_owned),
            title: text(fields, "title")?.map(str::to_owned),
            // "If not specified, state will be Active if invites are sent, otherwise Inactive": we send none.
            state: state(fields, &[State::Active, State::Inactive])?.unwrap_or(State::Inactive),
            division_id: self.division(text(fields, "divisionId")?)?,
            addresses: contacts(fields)?.iter().map(understood).collect(),
            ..self.blank_user(email, created_by)
        })
    }

    /// What no spec says of a text, and a service may all the same.
    fn check_limits(&self, fields: &Map<String, Value>, email: &str) -> Result<(), Refusal> {
        if self.settings.ascii_addresses && !email.is_ascii() {
            return Err(Refusal::invalid_value(email, "email", "ASCII").field("email"));
        }
        for name in ["name", "department", "title"] {
            let n_chars = text(fields, name)?.map_or(0, |text| text.chars().count());
            if let Some(most) = self.settings.text_chars_max.filter(|most| n_chars > *most) {
                let text = format!("{name} has more than {most} characters.");
                return Err(Refusal::new(400, "constraint.validation", text).field(name));
            }
        }
        Ok(())
    }

    fn division(&self, id: Option<&str>) -> Result<String, Refusal> {
        let home = || self.settings.division_id(0);
        let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(home()) };
        let known = self.settings.division_ids().find(|known| known == id);
        known.ok_or_else(|| Refusal::bad_request(format!("Division {id} does not exist.")).field("divisionId"))
    }

    /// By default active and inactive users are found; deleted ones must be asked for.
    pub(super) fn show(&self, id: &str, call: Call<'_>) -> Answer {
        let params = Params(&call.request.query);
        let wanted = params.one("state").map(|_| filter_of(params)).transpose()?;
        let admits = |state: State| match wanted {
            None | Some(Filter::Only(State::Active | State::Inactive)) => state != State::Deleted,
            Some(filter) => filter.admits(state),
        };
        let (_, user) = self.existing(id)?;
        if admits(user.state) { Ok(self.user_body(user, Expand::asked(params))) } else { Err(Refusal::not_found(id)) }
    }

    pub(super) fn patch(&mut self, id: &str, call: Call<'_>) -> Answer {
        let fields = object(&call.request.body)?;
        let known = typed::names(typed::UPDATE);
        self.note_unknown("PATCH /api/v2/users/{userId}", &known, fields.keys().map(String::as_str));
        self.note_contact_fields("PATCH /api/v2/users/{userId} addresses", contacts(&fields)?);
        let (at, user) = self.existing(id)?;
        let user = User::clone(user);
        self.check_version(&fields, user.version)?;
        let changed = self.changed(&fields, user)?;
        self.commit(at, call, changed)
    }

    fn check_version(&self, fields: &Map<String, Value>, version: u32) -> Result<(), Refusal> {
        let given = fields.get("version").filter(|given| !given.is_null());
        let given = given.ok_or_else(|| Refusal::bad_request("version is required.").field("version"))?;
        if given.as_u64() == Some(u64::from(version)) {
            return Ok(());
        }
        Err(match self.settings.stale_version_status {
            409 => Refusal::new(409, "general.conflict", "Resource conflict - Unexpected version was provided"),
            status => {
                let text = format!("The version {given} does not match the current version {version}.");
                Refusal::new(status, "bad.request", text)
            }
        })
    }

    /// `state` is the only modifiable field when it is given; a deleted user can only be restored. Address and username
    /// stay, as does what the simulator does not hold (manager, images, skills and the like).
    fn changed(&self, fields: &Map<String, Value>, mut user: User) -> Result<User, Refusal> {
        if let Some(state) = state(fields, &State::ALL)? {
            let holder = self.store.holder(&user.email, &self.settings);
            let restores = user.state == State::Deleted && state != State::Deleted;
            if restores && holder.is_some_and(|(_, holder)| holder.id != user.id && holder.state != State::Deleted) {
                return Err(Refusal::conflict(409, &self.settings));
            }
            return Ok(if restores { self.restored(user, state) } else { User { state, ..user } });
        }
        if user.state == State::Deleted {
            return Err(Refusal::not_found(&user.id));
        }
        if fields.get("name").is_some_and(|name| !name.is_null()) {
            user.name = required(fields, "name")?.to_owned();
        }
        if let Some(department) = text(fields, "department")? {
            user.department = Some(department.to_owned());
        }
        if let Some(title) = text(fields, "title")? {
            user.title = Some(title.to_owned());
        }
        if fields.get("addresses").is_some_and(|given| !given.is_null()) {
            user.addresses = contacts(fields)?.iter().map(understood).collect();
            check_primary_address(&user)?;
        }
        if let Some(Value::Object(employer)) = fields.get("employerInfo")
            && let Some(employee_id) = text(employer, "employeeId")?
        {
            user.employee_id = Some(employee_id.to_owned());
        }
        Ok(user)
    }

    /// "What happens when I restore a user's account": it is in the home division, and its roles and extensions are not
    /// given back.
    fn restored(&self, mut user: User, state: State) -> User {
        user.addresses.retain(|contact| contact.get("extension").is_none());
        User { state, division_id: self.settings.division_id(0), roles: Vec::new(), ..user }
    }

    pub(super) fn delete(&mut self, id: &str, call: Call<'_>) -> Answer {
        let (at, user) = self.existing(id)?;
        if user.state == State::Deleted {
            return Err(Refusal::not_found(id));
        }
        let deleted = User { state: State::Deleted, ..User::clone(user) };
        self.commit(at, call, deleted)?;
        Ok(b"{}".to_vec())
    }

    fn commit(&mut self, at: At, call: Call<'_>, changed: User) -> Answer {
        if !matches!(changed.created_by, Origin::Token(_)) {
            self.counts.n_modified += 1;
        }
        let due = Due::after(call.now, &self.settings);
        let user = self.store.change(at, due, |user| *user = changed);
        let user = user.ok_or_else(|| Refusal::not_found("user"))?;
        Ok(self.user_body(&user, Expand::default()))
    }

    fn existing(&self, id: &str) -> Result<(At, &User), Refusal> {
        let (at, user) = self.store.find(id).ok_or_else(|| Refusal::not_found(id))?;
        Ok((at, user))
    }

    fn user_body(&self, user: &User, expand: Expand) -> Vec<u8> {
        body(&user.shape(self.settings.division_name(&user.division_id), expand))
    }
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Refusal::bad_request("The request body is not a JSON object.")),
        Err(why) => Err(Refusal::bad_request(format!("The request body is not JSON: {why}"))),
    }
}

/// A text field; `null` is the same as leaving it out.
fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Refusal::invalid_value(&shown(name, other), "String", "text").field(name)),
    }
}

fn required<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let given = text(fields, name)?.filter(|text| !text.trim().is_empty());
    given.ok_or_else(|| Refusal::bad_request(format!("{name} is required.")).field(name).param("field", name))
}

/// One `@` with something on both sides and no blanks: all that is checked, as no source says more.
fn address(text: &str) -> Result<&str, Refusal> {
    let parts: Vec<&str> = text.split('@').collect();
    let whole = parts.len() == 2 && parts.iter().all(|part| !part.is_empty());
    if whole && !text.contains(char::is_whitespace) {
        return Ok(text);
    }
    Err(Refusal::invalid_value(text, "email", "local-part@domain").field("email"))
}

fn state(fields: &Map<String, Value>, allowed: &[State]) -> Result<Option<State>, Refusal> {
    let Some(word) = text(fields, "state")? else { return Ok(None) };
    let state = State::parse(word).filter(|state| allowed.contains(state));
    let words: Vec<&str> = allowed.iter().map(|state| state.as_str()).collect();
    let refusal = || Refusal::invalid_value(word, "state", &format!("[{}]", words.join(", "))).field("state");
    state.map(Some).ok_or_else(refusal)
}

fn contacts(fields: &Map<String, Value>) -> Result<&[Value], Refusal> {
    let refusal =
        |value: &Value| Refusal::invalid_value(&shown("addresses", value), "Contact", "see Contact").field("addresses");
    let contacts = match fields.get("addresses") {
        None | Some(Value::Null) => return Ok(&[]),
        Some(Value::Array(contacts)) => contacts,
        Some(other) => return Err(refusal(other)),
    };
    match contacts.iter().find(|contact| !is_contact(contact)) {
        Some(contact) => Err(refusal(contact)),
        None => Ok(contacts),
    }
}

/// "The PRIMARY email address cannot be changed through this field; submitting a modified value [...] returns a 400".
fn check_primary_address(user: &User) -> Result<(), Refusal> {
    let is = |contact: &Value, field, word| contact.get(field).and_then(Value::as_str) == Some(word);
    let changed = |contact: &&Value| {
        is(contact, "type", "PRIMARY") && is(contact, "mediaType", "EMAIL") && !is(contact, "address", &user.email)
    };
    match user.addresses.iter().find(changed) {
        Some(_) => Err(Refusal::bad_request("The primary address cannot be changed.").field("addresses")),
        None => Ok(()),
    }
}

/// What the service keeps of a contact: the members that it knows.
fn understood(contact: &Value) -> Value {
    let known = typed::names(typed::CONTACT);
    let given = contact.as_object().into_iter().flatten();
    let kept = given.filter(|(name, value)| known.contains(&name.as_str()) && !value.is_null());
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// `address` or `extension`, not both.
fn is_contact(contact: &Value) -> bool {
    let given = |name: &str| contact.get(name).is_some_and(Value::is_string);
    given("address") != given("extension")
}
