//! The calls that change users who are there. They are reached through types of their own: whoever holds a plain
//! [`Client`] cannot express one. [`Remover`] belongs to `rollback`, [`Restorer`] to `--restore-deleted`, and neither can
//! do what the other does.
//!
//! Like a create, a change is sent once, with a permit, and what became of it is a [`Fate`].

use std::sync::Arc;

use serde::Serialize;

use super::client::{Client, Permit, object};
use super::fate::Fate;
use super::shapes::UserBody;
use super::users::get;
use super::wire::{Host, Method, Reply, Request, Wire};
use crate::columns;
use crate::error::Result;
use crate::person::{State, User};

/// Longest id that is put into a path; the service's own are UUIDs.
const ID_OCTETS_MAX: usize = 64;

/// A change that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The user's version since, if the service says.
    pub version: Option<u64>,
    /// HTTP status.
    pub status: u16,
    /// Correlation id.
    pub correlation_id: Option<String>,
}

/// Fields that a restored user is to have; none where it keeps what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fields {
    /// Full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Job title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl Fields {
    /// Of these fields those in which `user` differs.
    #[must_use]
    pub fn missing_in(&self, user: &User) -> Self {
        let missing = |wanted: &Option<String>, there: &Option<String>| wanted.clone().filter(|_| wanted != there);
        Self {
            name: missing(&self.name, &user.name),
            department: missing(&self.department, &user.department),
            title: missing(&self.title, &user.title),
        }
    }

    /// What they are called.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let all = [(columns::NAME, &self.name), (columns::DEPARTMENT, &self.department), (columns::TITLE, &self.title)];
        all.into_iter().filter(|(_, field)| field.is_some()).map(|(name, _)| name).collect()
    }
}

/// Deletes users.
#[derive(Debug)]
pub struct Remover<W: Wire>(Arc<Client<W>>);

/// Restores deleted users, and gives them fields.
#[derive(Debug)]
pub struct Restorer<W: Wire>(Arc<Client<W>>);

impl<W: Wire> Remover<W> {
    /// The right to delete: for `rollback` and nobody else.
    pub(crate) const fn new(client: Arc<Client<W>>) -> Self {
        Self(client)
    }

    /// `DELETE /api/v2/users/{id}`, sent once.
    ///
    /// # Errors
    /// The [`Fate`] of the call.
    pub(crate) async fn delete(&self, permit: Permit<W>, id: &str) -> Result<Changed, Fate> {
        let path = path(id).ok_or_else(no_id)?;
        // Whatever the body says: a success without a readable one is a success.
        let reply = self.0.send(permit, Request::new(Host::Api, Method::Delete, path)).await?;
        Ok(changed(&reply))
    }
}

impl<W: Wire> Restorer<W> {
    /// The right to restore: for `--restore-deleted` and nobody else.
    pub(crate) const fn new(client: Arc<Client<W>>) -> Self {
        Self(client)
    }

    /// `PATCH /api/v2/users/{id}` of the state alone ("if specified, it is the only modifiable field"), sent once.
    ///
    /// # Errors
    /// The [`Fate`] of the call.
    pub(crate) async fn restore(&self, permit: Permit<W>, id: &str, version: u64) -> Result<Changed, Fate> {
        #[derive(Serialize)]
        struct Restore {
            version: u64,
            state: &'static str,
        }
        self.patch(permit, id, &Restore { version, state: State::Active.as_str() }).await
    }

    /// `PATCH /api/v2/users/{id}` of fields, sent once.
    ///
    /// # Errors
    /// The [`Fate`] of the call.
    pub(crate) async fn fill(
        &self,
        permit: Permit<W>,
        id: &str,
        version: u64,
        fields: &Fields,
    ) -> Result<Changed, Fate> {
        #[derive(Serialize)]
        struct Fill<'a> {
            version: u64,
            #[serde(flatten)]
            fields: &'a Fields,
        }
        self.patch(permit, id, &Fill { version, fields }).await
    }

    async fn patch(&self, permit: Permit<W>, id: &str, body: &impl Serialize) -> Result<Changed, Fate> {
        let mut request = Request::new(Host::Api, Method::Patch, path(id).ok_or_else(no_id)?);
        request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        request.body = serde_json::to_vec(body).map_err(|e| Fate::NotSent(e.to_string()))?;
        let reply = self.0.send(permit, request).await?;
        match object::<UserBody>(&reply) {
            Ok(_) => Ok(changed(&reply)),
            Err(why) => Err(Fate::Malformed(why)),
        }
    }
}

impl<W: Wire> Client<W> {
    /// `GET /api/v2/users/{id}`: one user of any state, as it is now and not as an index shows it. The endpoint knows
    /// `active` and `deleted` only, and shows a deleted user to whoever asks for one: `likely` is asked for first. None if
    /// there is no user of that id.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn user(self: &Arc<Self>, id: &str, likely: State) -> Result<Option<User>> {
        let Some(path) = path(id) else { return Ok(None) };
        let call = "GET users/{id}";
        let deleted = [("state", State::Deleted.as_str().to_owned())];
        let queries: [&[_]; 2] = if likely == State::Deleted { [&deleted, &[]] } else { [&[], &deleted] };
        for query in queries {
            match self.read::<UserBody>(call, &get(&path, query)).await? {
                Ok(body) => return Ok(body.into_user(State::Active).filter(|user| user.id == id)),
                // What is no id of its own form may be a bad request to it.
                Err(words) if [400, 404].contains(&words.status) => {}
                Err(words) => return Err(Fate::Refused(words).into_error(call)),
            }
        }
        Ok(None)
    }
}

/// The path of a user. An id comes out of a file, and words such as `bulk` or `search` name other things there: an id has
/// a digit.
fn path(id: &str) -> Option<String> {
    let is_plain = id.len() <= ID_OCTETS_MAX && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (is_plain && id.bytes().any(|b| b.is_ascii_digit())).then(|| format!("/api/v2/users/{id}"))
}

fn no_id() -> Fate {
    Fate::NotSent("no id of a user".to_owned())
}

fn changed(reply: &Reply) -> Changed {
    let user = object::<UserBody>(reply).ok().and_then(|body| body.into_user(State::Active));
    Changed {
        version: user.and_then(|user| user.version),
        status: reply.status,
        correlation_id: reply.header("inin-correlation-id").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn only_an_id_becomes_a_path() {
        for id in ["00c0a690-a849-42f2-8efd-33017c2c25e1", "7", "u1"] {
            assert_eq!(path(id), Some(format!("/api/v2/users/{id}")));
        }
        let long = "1".repeat(65);
        for id in ["", "bulk", "search", "a-b", "../1", "1/password", "1?state=any", "1 ", "é1", long.as_str()] {
            assert_eq!(path(id), None, "{id}");
        }
    }
}
