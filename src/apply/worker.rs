//! One row: sent once, and never again before it was looked for.
//!
//! What a create came to is one of: done, provably not carried out (again, as the same attempt), or unknown. An unknown
//! row is searched for over the settling time. Found live, unchanged and with every field as sent, it is ours:
//! *adopted*. Found otherwise it is *taken*. Not found by at least three reads over the whole time, it may be sent again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::api::RETRY_AFTER_MAX;
use crate::api::pace::Haste;
use crate::api::wire::Wire;
use crate::api::{Client, Fate, Words};
use crate::apply::journal::Journal;
use crate::apply::ledger::{Event, Said};
use crate::apply::{OUTAGE_MAX, Outcome};
use crate::email;
use crate::error::{Error, Kind, Result};
use crate::person::{Person, State, User};
use crate::snapshot::Keys;

/// Creates per row and run that may have been carried out; more would be guessing.
const ATTEMPTS_MAX: u32 = 3;
/// Shortest word that may be a token or a secret: the service's own have more characters, and words of people fewer.
const SECRET_BYTES_MIN: usize = 20;
/// Wait before a look that met an outage is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Why a row is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// No whole reply came.
    Unknown,
    /// The service says that somebody holds the address.
    Conflict,
    /// It refused this attempt with these words, but an earlier one may have been carried out.
    RefusedLater(Said),
}

/// A row that is looked for.
#[derive(Clone, Debug)]
pub(super) struct Sought {
    /// The last attempt, over the journal's life.
    pub attempt: u32,
    /// Attempts of this run.
    pub n_tries: u32,
    /// Whether any attempt may have created somebody.
    pub ambiguous: bool,
    /// Why it is looked for.
    pub cause: Cause,
}

/// Where a row has got to.
#[derive(Debug)]
pub(super) enum Step {
    /// It has a final outcome.
    Done,
    /// It stays unknown in this run.
    Unresolved,
    /// Provably nobody there: send it, as that attempt.
    Again { attempt: u32 },
    /// Not carried out: too many calls. The pace knows how long to wait.
    Throttled,
    /// Not carried out: the run is to stop.
    Held,
    /// Not carried out: it never left.
    NotSent,
    /// Not carried out: the token was not accepted.
    Unauthorised(Error),
    /// Look for it.
    Settle(Cause),
}

pub(super) struct Worker<W: Wire> {
    pub client: Arc<Client<W>>,
    pub journal: Arc<Journal>,
    pub settle: Duration,
    pub stop: watch::Receiver<bool>,
}

impl<W: Wire> Worker<W> {
    /// Sends one create. The permit comes first, so that no intent waits for the pace.
    pub(super) async fn create(&self, person: &Person, attempt: u32, ambiguous: bool) -> Result<Step> {
        let mut stop = self.stop.clone();
        let permit = tokio::select! {
            permit = self.client.permit(Haste::Even) => permit?,
            _ = stop.wait_for(|stopping| *stopping) => return Ok(Step::Held),
        };
        let row = person.row;
        self.journal.record(Event::Intent { row, att: attempt }, true)?;
        let fate = match self.client.create(permit, person).await {
            Ok(created) => {
                let reply = Said { http: Some(created.status), cid: created.correlation_id, ..Said::default() };
                return self.done(row, Outcome::Created, Some((created.id, None)), reply);
            }
            Err(fate) => fate,
        };
        match fate {
            Fate::Throttled(after) if after > RETRY_AFTER_MAX => {
                self.unsent(row, "throttled")?;
                Err(fate.into_error("POST users"))
            }
            Fate::Throttled(_) => self.unsent(row, "throttled").map(|()| Step::Throttled),
            Fate::NotSent(why) => self.unsent(row, &why).map(|()| Step::NotSent),
            Fate::Auth(_) => {
                self.unsent(row, "token not accepted")?;
                Ok(Step::Unauthorised(fate.into_error("POST users")))
            }
            Fate::Untrusted(ref why) | Fate::Barred(ref why) => {
                self.unsent(row, why)?;
                Err(fate.into_error("POST users"))
            }
            Fate::Forbidden(_) => {
                self.unsent(row, "forbidden")?;
                Err(fate.into_error("POST users"))
            }
            Fate::Unknown(why) | Fate::Malformed(why) => {
                self.journal.record(Event::Unknown { row, why }, false)?;
                Ok(Step::Settle(Cause::Unknown))
            }
            Fate::Refused(words) => self.refused(person, words, ambiguous),
        }
    }

    fn refused(&self, person: &Person, words: Words, ambiguous: bool) -> Result<Step> {
        let row = person.row;
        let status = words.status;
        let reply = said(words, person);
        match status {
            409 => {
                self.journal.record(Event::Conflict { row, reply }, false)?;
                Ok(Step::Settle(Cause::Conflict))
            }
            // Not about this row: the address of the service is wrong, or something in front of it answers.
            300..=399 | 404 | 405 => {
                self.unsent(row, &format!("HTTP {status}"))?;
                Err(Error::new(Kind::Unsafe, format!("POST users: HTTP {status}: this is not the users API"))
                    .hint("check the region or --api-url; no redirect is followed"))
            }
            // The attempt before may have created somebody: a refusal of this one says nothing about it.
            _ if ambiguous => {
                self.journal
                    .record(Event::Unknown { row, why: format!("HTTP {status} after an unknown attempt") }, false)?;
                Ok(Step::Settle(Cause::RefusedLater(reply)))
            }
            _ => self.done(row, Outcome::Refused, None, reply),
        }
    }

    fn unsent(&self, row: u32, why: &str) -> Result<()> {
        self.journal.record(Event::Unsent { row, why: why.to_owned() }, false)
    }

    fn done(&self, row: u32, outcome: Outcome, user: Option<(String, Option<State>)>, reply: Said) -> Result<Step> {
        let (id, state) = user.map_or((None, None), |(id, state)| (Some(id), state));
        let state = state.map(|s| s.as_str().to_owned());
        self.journal.record(Event::Done { row, outcome, id, state, reply }, false)?;
        Ok(Step::Done)
    }

    /// Looks for a row until it is settled or the time is up. `n_tries` creates of this run came back unknown.
    pub(super) async fn settle(&self, person: &Person, sought: Sought) -> Result<Step> {
        let Sought { attempt, n_tries, ambiguous, cause } = sought;
        let mut found = Vec::new();
        for wait in self.waits(ambiguous) {
            tokio::time::sleep(wait).await;
            found = match self.look(person, cause == Cause::Conflict).await? {
                Some(found) => found,
                // The service refuses to search for this one: the others go on.
                None => return Ok(Step::Unresolved),
            };
            if let Some((outcome, user)) = judge(person, &found, ambiguous)? {
                return self.met(person, outcome, user, &cause);
            }
        }
        match (cause, found.first()) {
            // It was refused, and the attempt before it left nobody either.
            (Cause::RefusedLater(reply), _) => self.done(person.row, Outcome::Refused, None, reply),
            // Over the whole settling time nobody but the deleted holder: that is whom the service means.
            (cause @ Cause::Conflict, Some(deleted)) => self.met(person, Outcome::Taken, deleted, &cause),
            // A holder that cannot be found stays unknown; a create that was lost may go again.
            (Cause::Conflict, None) if !ambiguous => Ok(Step::Unresolved),
            _ if n_tries >= ATTEMPTS_MAX => Ok(Step::Unresolved),
            _ => Ok(Step::Again { attempt: attempt + 1 }),
        }
    }

    fn met(&self, person: &Person, outcome: Outcome, user: &User, cause: &Cause) -> Result<Step> {
        let http = (*cause == Cause::Conflict).then_some(409);
        let code = http.map(|_| "general.conflict".to_owned());
        let reply = Said { http, code, ..Said::default() };
        self.done(person.row, outcome, Some((user.id.clone(), Some(user.state))), reply)
    }

    /// Waits between looks. A lost create is looked for over the whole settling time, since the index lags behind and
    /// the create may still be on its way; a holder is usually there at once.
    fn waits(&self, ambiguous: bool) -> Vec<Duration> {
        let parts: &[f64] = if ambiguous {
            &[1.0 / 36.0, 1.0 / 12.0, 2.0 / 9.0, 1.0 / 3.0, 1.0 / 3.0]
        } else {
            &[0.0, 1.0 / 36.0, 1.0 / 12.0, 2.0 / 9.0, 2.0 / 3.0]
        };
        parts.iter().map(|part| self.settle.mul_f64(*part)).collect()
    }

    /// Users of any state that hold the key, in either spelling of the address; none if the service refuses to search.
    /// An outage is waited out: a look changes nothing.
    async fn look(&self, person: &Person, by_username: bool) -> Result<Option<Vec<User>>> {
        let begun = Instant::now();
        loop {
            match self.look_once(person, by_username).await {
                Err(e) if e.kind() == Kind::Unreachable && begun.elapsed() < OUTAGE_MAX => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                looked => return looked,
            }
        }
    }

    async fn look_once(&self, person: &Person, by_username: bool) -> Result<Option<Vec<User>>> {
        let Some(mut found) = self.holders(person, "email").await? else { return Ok(None) };
        if found.is_empty() && by_username {
            // Somebody holds it, and not by e-mail. A service that cannot search usernames has not said no to anything.
            found = self.holders(person, "username").await?.unwrap_or_default();
        }
        found.sort_by(|a, b| (a.state, &a.id).cmp(&(b.state, &b.id)));
        Ok(Some(found))
    }

    /// Users of any state who hold the key by that field, in any spelling; none if the service refuses to search.
    async fn holders(&self, person: &Person, field: &str) -> Result<Option<Vec<User>>> {
        let spellings = email::spellings(&person.email, &person.key);
        let all: Vec<&str> = spellings.iter().map(String::as_str).collect();
        let mut found = match self.client.search(&[field], &all).await? {
            Ok(found) => found,
            Err(_) if all.len() == 1 => return Ok(None),
            // Perhaps it takes no more than one value.
            Err(_) => {
                let mut found: Vec<User> = Vec::new();
                for one in &all {
                    let Ok(some) = self.client.search(&[field], &[one]).await? else { return Ok(None) };
                    found.extend(
                        some.into_iter()
                            .filter(|user| !found.iter().any(|known| known.id == user.id))
                            .collect::<Vec<_>>(),
                    );
                }
                found
            }
        };
        // A service may understand a search in its own way: what does not hold the key is not meant.
        found.retain(|user| Keys::of_user(user).contains(&person.key));
        Ok(Some(found))
    }
}

/// What the users found mean for a row; nothing if they prove nothing yet.
fn judge<'u>(person: &Person, found: &'u [User], ambiguous: bool) -> Result<Option<(Outcome, &'u User)>> {
    let mut live = found.iter().filter(|u| u.state != State::Deleted);
    match (live.next(), live.next()) {
        (Some(_), Some(_)) => {
            let what = format!("row {}: two live users hold one address", person.row);
            Err(Error::new(Kind::Unsafe, what).hint("the service does not keep addresses unique: nothing more is sent"))
        }
        (Some(user), None) if ambiguous && is_as_sent(person, user) => Ok(Some((Outcome::Adopted, user))),
        (Some(user), None) => Ok(Some((Outcome::Taken, user))),
        // After an unknown attempt a deleted holder proves nothing: our own user may just not be indexed yet.
        (None, _) if ambiguous => Ok(None),
        (None, _) => Ok(found.first().map(|user| (Outcome::Taken, user))),
    }
}

/// Whether a user is what our create would have made, and nobody has changed it since.
fn is_as_sent(person: &Person, user: &User) -> bool {
    let same =
        |sent: &Option<String>, there: &Option<String>| sent.as_deref() == there.as_deref().filter(|t| !t.is_empty());
    user.state == State::Active
        && user.version.is_none_or(|v| v == 1)
        && user.name.as_deref() == Some(person.name.as_str())
        && same(&person.department, &user.department)
        && same(&person.title, &user.title)
        && person.division.as_ref().is_none_or(|sent| user.division.as_ref().is_some_and(|d| d.is_meant(sent)))
        && person.phone.as_ref().is_none_or(|sent| user.phone.as_ref() == Some(sent))
}

/// The service's words, with the person taken out, however it spells them.
fn said(words: Words, person: &Person) -> Said {
    let words_only = words.message.map(|message| without(&message, person));
    Said { http: Some(words.status), code: words.code, words: words_only, cid: words.correlation_id }
}

/// `message` without any address, without the parts of the person's name in whatever case, and without what may be a
/// token or a secret. A correlation id has a field of its own.
fn without(message: &str, person: &Person) -> String {
    let is_edge = |c: char| c.is_whitespace() || "[](){}<>\"',;:=".contains(c);
    let parts = person.name.split(is_edge).map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    let mask = |word: &str| {
        let lower = word.trim_end_matches('.').to_lowercase();
        match word {
            _ if word.contains('@') => "<email>".to_owned(),
            _ if parts.contains(&lower) => "<name>".to_owned(),
            _ if may_be_secret(word) => "<…>".to_owned(),
            _ => word.to_owned(),
        }
    };
    let mut text = String::with_capacity(message.len());
    for piece in message.split_inclusive(is_edge) {
        let word = piece.trim_end_matches(is_edge);
        text += &mask(word);
        text += &piece[word.len()..];
    }
    while text.contains("<name> <name>") {
        text = text.replace("<name> <name>", "<name>");
    }
    text
}

/// Whether a word looks like what a machine made: tokens and secrets do, sentences do not.
fn may_be_secret(word: &str) -> bool {
    word.len() >= SECRET_BYTES_MIN
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+/=".contains(&b))
        && word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_words_are_kept_without_the_person() {
        let person = Person {
            row: 1,
            key: "ada@example.com".to_owned(),
            email: "Ada@example.com".to_owned(),
            name: "Ada von Lovelace".to_owned(),
            department: None,
            title: None,
            division: None,
            phone: None,
        };
        for (message, kept) in [
            ("Value [ADA@EXAMPLE.COM] is not valid.", "Value [<email>] is not valid."),
            ("name=\"Ada VON Lovelace\" is taken", "name=\"<name>\" is taken"),
            ("ada@example.com, bob@example.com.", "<email>, <email>"),
            ("no person here: adage", "no person here: adage"),
            ("\"Bearer Zx81kQ0v-7LmN_3pRt5W\" is no token", "\"Bearer <…>\" is no token"),
            ("internationalization_of_names: HTTP 400", "internationalization_of_names: HTTP 400"),
        ] {
            assert_eq!(without(message, &person), kept);
        }
        let turned = Person { name: "Lovelace, Ada (Countess)".to_owned(), ..person };
        assert_eq!(without("LOVELACE and ada, countess.", &turned), "<name> and <name>, <name>");
    }
}
