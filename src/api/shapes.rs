//! Shapes of replies, read tolerantly: unknown fields are ignored, missing and null ones are absent, a number where a
//! text belongs is its digits. One odd account must not hide the other 499 of its page.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use crate::person::{self, Division, State, User};

/// `UserEntityListing`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    #[serde(default, deserialize_with = "many")]
    pub entities: Vec<Option<UserBody>>,
    #[serde(default, deserialize_with = "number")]
    pub total: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    pub page_size: Option<u64>,
}

/// `UserCursorEntityListing`. Its `nextUri` is not read: no URL out of a reply is ever followed.
#[derive(Deserialize)]
pub(super) struct CursorListing {
    #[serde(default, deserialize_with = "many")]
    pub entities: Vec<Option<UserBody>>,
    #[serde(default, deserialize_with = "text")]
    pub cursor: Option<String>,
}

/// `UsersSearchResponse`.
#[derive(Deserialize)]
pub(super) struct SearchListing {
    #[serde(default, deserialize_with = "many")]
    pub results: Vec<Option<UserBody>>,
    #[serde(default, deserialize_with = "number")]
    pub total: Option<u64>,
}

/// `AuthzDivisionEntityListing`.
#[derive(Deserialize)]
pub(super) struct DivisionListing {
    #[serde(default, deserialize_with = "many")]
    pub entities: Vec<Option<DivisionBody>>,
    #[serde(default, deserialize_with = "number")]
    pub total: Option<u64>,
}

/// `LimitsEntityListing`.
#[derive(Deserialize)]
pub(super) struct LimitListing {
    #[serde(default, deserialize_with = "many")]
    pub entities: Vec<Option<LimitBody>>,
}

#[derive(Deserialize)]
pub(super) struct LimitBody {
    #[serde(default, deserialize_with = "text")]
    pub key: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub value: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct DivisionBody {
    #[serde(default, deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
}

impl DivisionBody {
    pub(super) fn into_division(self) -> Option<Division> {
        let id = self.id.filter(|id| !id.is_empty())?;
        Some(Division { id, name: self.name.unwrap_or_default() })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContactBody {
    #[serde(default, deserialize_with = "text")]
    address: Option<String>,
    #[serde(default, deserialize_with = "text")]
    media_type: Option<String>,
    #[serde(default, rename = "type", deserialize_with = "text")]
    kind: Option<String>,
}

/// `EmployerInfo`: in a reply only where it was asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmployerBody {
    #[serde(default, deserialize_with = "text")]
    employee_id: Option<String>,
}

/// `User`, as far as it matters here.
#[derive(Deserialize)]
pub(super) struct UserBody {
    #[serde(default, deserialize_with = "text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    email: Option<String>,
    #[serde(default, deserialize_with = "text")]
    username: Option<String>,
    #[serde(default, deserialize_with = "text")]
    state: Option<String>,
    #[serde(default, deserialize_with = "number")]
    version: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    department: Option<String>,
    #[serde(default, deserialize_with = "text")]
    title: Option<String>,
    #[serde(default, deserialize_with = "one")]
    division: Option<DivisionBody>,
    #[serde(default, deserialize_with = "many")]
    addresses: Vec<Option<ContactBody>>,
    #[serde(default, rename = "employerInfo", deserialize_with = "one")]
    employer: Option<EmployerBody>,
}

impl UserBody {
    /// The user; none without an id. `listed_as` is the state that was asked for, should the reply not say.
    pub(super) fn into_user(self, listed_as: State) -> Option<User> {
        let is_work_phone =
            |c: &ContactBody| c.media_type.as_deref() == Some("PHONE") && c.kind.as_deref() == Some("WORK");
        let employee_id = self.employer.and_then(|employer| employer.employee_id);
        let contacts = contacts(&self.addresses, self.email.as_deref());
        let phone = self.addresses.into_iter().flatten().find(is_work_phone).and_then(|c| c.address);
        Some(User {
            id: self.id.filter(|id| !id.is_empty())?,
            name: self.name,
            email: self.email,
            username: self.username,
            state: self.state.as_deref().filter(|s| !s.trim().is_empty()).map_or(listed_as, State::from_word),
            version: self.version,
            department: self.department,
            title: self.title,
            division: self.division.and_then(DivisionBody::into_division),
            phone,
            employee_id: employee_id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()),
            contacts,
        })
    }
}

/// Addresses of the e-mail contacts beside `email`.
fn contacts(all: &[Option<ContactBody>], email: Option<&str>) -> Vec<String> {
    let is_mail = |c: &&ContactBody| c.media_type.as_deref() == Some("EMAIL");
    let addresses = all.iter().flatten().filter(is_mail).filter_map(|c| c.address.as_deref());
    person::other_addresses(addresses, email).into_iter().map(str::to_owned).collect()
}

/// The users of a page, and how many of it have no id.
pub(super) fn users(bodies: Vec<Option<UserBody>>, listed_as: State) -> (Vec<User>, u64) {
    let n_all = bodies.len();
    let users: Vec<User> = bodies.into_iter().flatten().filter_map(|body| body.into_user(listed_as)).collect();
    let n_without_id = (n_all - users.len()) as u64;
    (users, n_without_id)
}

/// A text; a number or a truth value is spelt out, anything else is absent.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    from.deserialize_any(Tolerant)
}

/// A whole number, also one in quotes; anything else is absent.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(from.deserialize_any(Tolerant)?.and_then(|digits| digits.trim().parse().ok()))
}

/// An object; anything else is absent.
fn one<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    from.deserialize_any(Object(PhantomData))
}

/// A list of objects, what is none of them absent; anything else is empty.
fn many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<Option<T>>, D::Error> {
    from.deserialize_any(List(PhantomData))
}

/// A member of a list.
struct Member<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        one(from).map(Self)
    }
}

/// What is not the kind of value that is wanted is read over.
macro_rules! read_over {
    ($value:expr; $($kind:ident),*) => {
        $(read_over!(@ $kind, $value);)*
    };
    (@ scalars, $value:expr) => {
        fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> { Ok($value) }
        fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> { Ok($value) }
        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> { Ok($value) }
        fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> { Ok($value) }
        fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> { Ok($value) }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> { Ok($value) }
    };
    (@ list, $value:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
            while all.next_element::<IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
    (@ object, $value:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
            while all.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Some)
    }

    read_over!(None; scalars, list);
}

struct List<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<Option<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Member(member)) = members.next_element()? {
            all.push(member);
        }
        Ok(all)
    }

    read_over!(Vec::new(); scalars, object);
}

struct Tolerant;

impl<'de> Visitor<'de> for Tolerant {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(text))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Some(truth.to_string()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    read_over!(None; list, object);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn missing_null_unknown_and_oddly_typed_fields_survive() {
        let body = r#"{"entities":[
            {"id":7,"name":null,"email":["x"],"state":"suspended","version":"3","department":{"a":1},"new":[{}]},
            {"name":"no id"}, null, {"id":"","email":"a@example.com"},
            {"id":"b","division":null,"addresses":[null,{"mediaType":"PHONE","type":"WORK","address":"+4930123456"}]},
            {"id":"c","state":null,"title":true}, "odd", 7, [1], {"id":"d","division":"Home","addresses":"x"}
        ],"total":"6","pageSize":100.0,"pageCount":null}"#;
        let listing: Listing = serde_json::from_str(body).unwrap();
        assert_eq!((listing.total, listing.page_size), (Some(6), Some(100)));
        let (users, n_without_id) = users(listing.entities, State::Deleted);
        assert_eq!((n_without_id, users.len()), (6, 4));
        let odd = &users[0];
        assert_eq!((odd.id.as_str(), odd.state, odd.version), ("7", State::Inactive, Some(3)));
        assert_eq!((&odd.email, &odd.department, &odd.name), (&None, &None, &None));
        assert_eq!(users[1].phone.as_deref(), Some("+4930123456"));
        // Nobody says what it is: it is what was asked for.
        assert_eq!((users[2].state, users[2].title.as_deref()), (State::Deleted, Some("true")));
        assert!(users.iter().all(|user| user.employee_id.is_none() && user.contacts.is_empty()));
    }

    #[test]
    fn an_employee_id_and_further_addresses_are_read_whatever_stands_around_them() {
        let body = r#"{"results":[
            {"id":"a","employerInfo":{"officialName":"Example","employeeId":" 0042 "}},
            {"id":"b","employerInfo":{"employeeId":42,"dateHire":null}},
            {"id":"c","employerInfo":{"employeeId":"  "}}, {"id":"d","employerInfo":null},
            {"id":"e","employerInfo":"42"}, {"id":"f","employerInfo":{"employeeId":["42"]}},
            {"id":"g","email":"Ada@example.com","addresses":[
                {"address":"ada@example.com ","mediaType":"EMAIL","type":"PRIMARY"}, null, {"mediaType":"EMAIL"},
                {"address":" ada.l@example.com","mediaType":"EMAIL","type":"WORK2"}, {"address":"+1","mediaType":"SMS"},
                {"address":"+4930123456","mediaType":"PHONE","type":"WORK"}, {"address":7,"mediaType":"EMAIL"},
                {"address":"Ada.L@Example.com","mediaType":"EMAIL","type":"OTHER"}, {"address":"x@example.com"}]}
        ]}"#;
        let listing: SearchListing = serde_json::from_str(body).unwrap();
        let (users, _) = users(listing.results, State::Active);
        let ids: Vec<_> = users.iter().map(|user| user.employee_id.as_deref()).collect();
        assert_eq!(ids, [Some("0042"), Some("42"), None, None, None, None, None]);
        assert_eq!(users[6].contacts, ["ada.l@example.com", "7"]);
        assert_eq!((users[6].phone.as_deref(), users[0].contacts.len()), (Some("+4930123456"), 0));
    }
}
