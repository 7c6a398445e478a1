//! What a journal says of users that are deleted again (`rollback`) or restored (`--restore-deleted`): a pure replay.
//!
//! Both change users one step at a time. The intent of a step is durable before its call leaves; then it was carried out,
//! provably not, or nobody knows yet. Only a user that this journal calls ours can be removed, and only the user of a row
//! that was never sent can be restored: anything else is damage.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ledger::{Event, Row, Said, Stage as Created};
use crate::apply::Outcome;

/// One call that changes a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Deletes a user that was created here.
    Remove,
    /// Makes a deleted user active.
    Restore,
    /// Gives a restored user what the roster says of it.
    Fill,
}

/// What became of a `deleted` row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Restoration {
    /// Its user is active again.
    #[serde(rename = "restored")]
    Restored,
    /// The service said no, or it is not the deleted user any more that the plan speaks of.
    #[serde(rename = "restore_refused")]
    Refused,
    /// It could not be settled in this run; the next one looks again.
    #[serde(rename = "restore_unknown")]
    Unknown,
}

impl Restoration {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::Restored, Self::Refused, Self::Unknown];

    /// The word in columns.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Refused => "restore_refused",
            Self::Unknown => "restore_unknown",
        }
    }
}

/// How far a change has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A call was about to leave and nothing else is known.
    Intent,
    /// The last call was provably not carried out.
    Unsent,
    /// It may have been carried out.
    Unsure,
    /// It was.
    Changed,
    /// The user is not as it was created: it was not deleted.
    Kept,
    /// Nothing is left to do for a row that was to be restored.
    Final(Restoration),
}

/// Everything that is known of one user's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The last step.
    pub step: Step,
    /// How far that has got.
    pub stage: Stage,
    /// Calls that were sent and not proven unprocessed.
    pub attempts: u32,
    /// Whether a call of this step may have been carried out without our knowing.
    pub unsure: bool,
    /// The user.
    pub id: Option<String>,
    /// Its version that the last call was for, or that it has since.
    pub version: Option<u64>,
    /// The reply that decided.
    pub reply: Said,
    /// Why it is where it is.
    pub why: Option<String>,
    /// When the last event was recorded.
    pub at: String,
}

impl Change {
    const fn of(step: Step, stage: Stage, id: Option<String>) -> Self {
        Self {
            step,
            stage,
            attempts: 0,
            unsure: false,
            id,
            version: None,
            reply: Said { http: None, code: None, words: None, cid: None },
            why: None,
            at: String::new(),
        }
    }

    /// Whether the user was deleted again.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.step == Step::Remove && self.stage == Stage::Changed
    }

    /// Whether a call of the last step may have been carried out without our knowing.
    #[must_use]
    pub const fn is_unsure(&self) -> bool {
        match self.stage {
            Stage::Intent | Stage::Unsure => true,
            Stage::Unsent => self.unsure,
            Stage::Changed | Stage::Kept | Stage::Final(_) => false,
        }
    }

    /// What became of a row that was to be restored, as it stands; none if nothing was done yet, or if it was none.
    #[must_use]
    pub const fn restoration(&self) -> Option<Restoration> {
        match (self.step, self.stage) {
            (Step::Remove, _) => None,
            (_, Stage::Final(restoration)) => Some(restoration),
            _ if self.is_unsure() => Some(Restoration::Unknown),
            (Step::Restore, Stage::Changed) | (Step::Fill, _) => Some(Restoration::Restored),
            (Step::Restore, _) => None,
        }
    }
}

/// The changes of a journal, by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(HashMap<u32, Change>);

impl Changes {
    /// Whether a rollback has begun.
    #[must_use]
    pub fn has_removals(&self) -> bool {
        self.all().any(|(_, change)| change.step == Step::Remove)
    }

    /// What is known of a row's change; none if nothing was tried.
    #[must_use]
    pub fn of(&self, row: u32) -> Option<&Change> {
        self.0.get(&row)
    }

    /// Rows and their changes, in no order.
    pub fn all(&self) -> impl Iterator<Item = (u32, &Change)> {
        self.0.iter().map(|(row, change)| (*row, change))
    }

    /// Takes one event in. `created` is what the journal says of the row's create.
    ///
    /// # Errors
    /// Why it cannot follow.
    pub(super) fn replay(&mut self, event: &Event, created: Option<&Row>, at: &str) -> Result<(), String> {
        let (row, changed) = match event {
            Event::Change { row, step, id, version, att } => {
                (row, self.begun(*row, *step, id, *version, *att, created))
            }
            Event::Unchanged { row, why } => (row, self.unsent(*row, why)),
            Event::Unsure { row, why } => (row, self.unsure(*row, why)),
            Event::Changed { row, version, reply } => (row, self.changed(*row, *version, reply)),
            Event::Kept { row, id, why, reply } => (row, self.kept(*row, id, why, reply, created)),
            Event::Restored { row, id, outcome, why, reply } => {
                let id = id.as_deref();
                (row, self.closed(*row, id, *outcome, why.as_deref(), reply, created))
            }
            _ => return Err("no event of a change".to_owned()),
        };
        let change = changed.map_err(|why| format!("row {row}: {why}"))?;
        at.clone_into(&mut change.at);
        Ok(())
    }

    fn begun(
        &mut self,
        row: u32,
        step: Step,
        id: &str,
        version: Option<u64>,
        att: u32,
        created: Option<&Row>,
    ) -> Result<&mut Change, String> {
        match step {
            Step::Remove => is_ours(created, id)?,
            Step::Restore | Step::Fill if created.is_some() => return Err("it was sent and is restored".to_owned()),
            Step::Restore | Step::Fill => {}
        }
        let fresh = || Change::of(step, Stage::Unsent, Some(id.to_owned()));
        let change = match (self.0.get(&row), step) {
            (None, Step::Fill) => return Err("it is filled and was not restored".to_owned()),
            (None, _) => self.0.entry(row).or_insert_with(fresh),
            (Some(_), _) => self.0.entry(row).or_insert_with(fresh),
        };
        let follows = match (step, change.step, change.stage) {
            (Step::Fill, Step::Restore, stage) => stage == Stage::Changed,
            (_, before, Stage::Intent | Stage::Unsent | Stage::Unsure) => before == step,
            (Step::Remove, Step::Remove, Stage::Kept) => true,
            _ => false,
        };
        if !follows || change.id.as_deref() != Some(id) {
            return Err(format!("{step:?} cannot follow {:?} {:?}", change.step, change.stage));
        }
        if att != change.attempts + 1 {
            return Err(format!("attempt {att} after {}", change.attempts));
        }
        change.unsure = change.step == step && change.is_unsure() && change.attempts > 0;
        (change.step, change.stage, change.attempts, change.version) = (step, Stage::Intent, att, version);
        (change.reply, change.why) = (Said::default(), None);
        Ok(change)
    }

    /// The change of a row of which a call was sent, if what is recorded can follow.
    fn sent(&mut self, row: u32, follows: impl Fn(&Change) -> bool) -> Result<&mut Change, String> {
        let change = self.0.get_mut(&row).ok_or("a change ends that never began")?;
        if follows(change) { Ok(change) } else { Err(format!("nothing of it can follow {:?}", change.stage)) }
    }

    fn unsent(&mut self, row: u32, why: &str) -> Result<&mut Change, String> {
        let change = self.sent(row, |change| change.stage == Stage::Intent)?;
        change.attempts -= 1;
        (change.stage, change.why) = (Stage::Unsent, Some(why.to_owned()));
        Ok(change)
    }

    fn unsure(&mut self, row: u32, why: &str) -> Result<&mut Change, String> {
        let change = self.sent(row, Change::is_unsure)?;
        (change.stage, change.unsure, change.why) = (Stage::Unsure, true, Some(why.to_owned()));
        Ok(change)
    }

    fn changed(&mut self, row: u32, version: Option<u64>, reply: &Said) -> Result<&mut Change, String> {
        let change = self.sent(row, Change::is_unsure)?;
        (change.stage, change.unsure, change.version) = (Stage::Changed, false, version);
        (change.reply, change.why) = (reply.clone(), None);
        Ok(change)
    }

    fn kept(
        &mut self,
        row: u32,
        id: &str,
        why: &str,
        reply: &Said,
        created: Option<&Row>,
    ) -> Result<&mut Change, String> {
        is_ours(created, id)?;
        let change = self.0.entry(row).or_insert_with(|| Change::of(Step::Remove, Stage::Kept, Some(id.to_owned())));
        if change.is_removed() {
            return Err("it was deleted and is kept".to_owned());
        }
        (change.stage, change.unsure) = (Stage::Kept, false);
        (change.reply, change.why) = (reply.clone(), Some(why.to_owned()));
        Ok(change)
    }

    fn closed(
        &mut self,
        row: u32,
        id: Option<&str>,
        outcome: Restoration,
        why: Option<&str>,
        reply: &Said,
        created: Option<&Row>,
    ) -> Result<&mut Change, String> {
        if created.is_some() {
            return Err("it was sent and is restored".to_owned());
        }
        let fresh = || Change::of(Step::Restore, Stage::Unsent, id.map(str::to_owned));
        let change = self.0.entry(row).or_insert_with(fresh);
        let is_over = matches!(change.stage, Stage::Final(_));
        let is_done = change.step == Step::Fill || change.stage == Stage::Changed;
        let follows = match outcome {
            Restoration::Restored => is_done && !change.is_unsure(),
            Restoration::Refused => !is_done && !change.is_unsure(),
            Restoration::Unknown => false,
        };
        if is_over || !follows || change.id.as_deref() != id {
            return Err(format!("{outcome:?} cannot follow {:?} {:?}", change.step, change.stage));
        }
        (change.stage, change.unsure) = (Stage::Final(outcome), false);
        (change.reply, change.why) = (reply.clone(), why.map(str::to_owned));
        Ok(change)
    }
}

/// Whether the journal says that this user was created for the row.
fn is_ours(created: Option<&Row>, id: &str) -> Result<(), String> {
    let is_ours = |row: &Row| {
        matches!(row.stage, Created::Done(Outcome::Created | Outcome::Adopted)) && row.user_id.as_deref() == Some(id)
    };
    if created.is_some_and(is_ours) { Ok(()) } else { Err("it is removed and was not created here".to_owned()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;
    use crate::apply::ledger::{Ledger, Line};

    /// Row 1 is created as `u1`, row 2 adopted as `u2`, row 3 taken by `u3`; row 4 was never sent.
    fn replayed(events: &[Value]) -> Result<Ledger, String> {
        let done =
            |row: u32, outcome: &str| json!({"ev": "done", "row": row, "outcome": outcome, "id": format!("u{row}")});
        let intent = |row: u32| json!({"ev": "intent", "row": row, "att": 1});
        let mut all = vec![json!({"ev": "header", "v": 2, "plan": "p", "manifest": "m", "org": "o", "tool": "t"})];
        all.extend([intent(1), done(1, "created"), intent(2), done(2, "adopted"), intent(3), done(3, "taken")]);
        all.extend_from_slice(events);
        let mut ledger = Ledger::default();
        for (event, seq) in all.into_iter().zip(1_u64..) {
            let mut line = event;
            (line["seq"], line["at"], line["dur"]) = (seq.into(), "2026-01-01T00:00:00Z".into(), 0.into());
            ledger.replay(&serde_json::from_value::<Line>(line).unwrap())?;
        }
        Ok(ledger)
    }

    fn change(row: u32, step: &str, att: u32) -> Value {
        json!({"ev": "change", "row": row, "step": step, "id": format!("u{row}"), "version": 1, "att": att})
    }

    fn event(ev: &str, row: u32) -> Value {
        json!({"ev": ev, "row": row, "why": "x", "id": format!("u{row}"), "http": 200})
    }

    fn restored(outcome: &str) -> Value {
        json!({"ev": "restored", "row": 4, "id": "u4", "outcome": outcome})
    }

    #[test]
    fn what_follows_is_replayed_to_where_it_got() {
        let removed = [change(1, "remove", 1), event("unsure", 1), change(1, "remove", 2), event("unchanged", 1)];
        let before = replayed(&removed).unwrap().changes.of(1).unwrap().clone();
        assert_eq!((before.stage, before.attempts, before.is_unsure()), (Stage::Unsent, 1, true));
        let after = replayed(&[&removed[..], &[event("changed", 1)]].concat()).unwrap();
        assert!(after.changes.of(1).unwrap().is_removed());
        let again = [event("kept", 2), change(2, "remove", 1), event("changed", 2)];
        assert!(replayed(&again).unwrap().changes.of(2).unwrap().is_removed());
        let both = [change(4, "restore", 1), event("changed", 4), change(4, "fill", 2), event("changed", 4)];
        for (n, expected) in
            [(1, Some(Restoration::Unknown)), (2, Some(Restoration::Restored)), (3, Some(Restoration::Unknown))]
        {
            assert_eq!(replayed(&both[..n]).unwrap().changes.of(4).unwrap().restoration(), expected, "{n} events");
        }
        let closed = replayed(&[&both[..], &[restored("restored")]].concat()).unwrap();
        assert_eq!(closed.changes.of(4).unwrap().stage, Stage::Final(Restoration::Restored));
        // Every prefix replays.
        (0..=both.len()).for_each(|n| assert!(replayed(&both[..n]).is_ok()));
    }

    #[test]
    fn what_cannot_follow_is_damage() {
        let stranger = json!({"ev": "change", "row": 1, "step": "remove", "id": "u9", "att": 1});
        let gone = [change(1, "remove", 1), event("changed", 1)];
        let back = [change(4, "restore", 1), event("changed", 4), restored("restored")];
        let cases: Vec<Vec<Value>> = vec![
            // Only what was created here is removed, and only by its own id.
            vec![change(3, "remove", 1)],
            vec![change(4, "remove", 1)],
            vec![stranger],
            vec![event("kept", 3)],
            // Only a row that was never sent is restored.
            vec![change(1, "restore", 1)],
            vec![change(4, "fill", 1)],
            vec![change(4, "restore", 1), change(4, "fill", 2)],
            // An end needs a beginning, and there is one end.
            vec![event("changed", 1)],
            vec![event("unchanged", 4)],
            vec![event("unsure", 1)],
            vec![change(1, "remove", 2)],
            [&gone[..], &[change(1, "remove", 2)]].concat(),
            [&gone[..], &[event("kept", 1)]].concat(),
            [&gone[..], &[event("changed", 1)]].concat(),
            [&back[..], &[restored("restored")]].concat(),
            [&back[..], &[change(4, "restore", 2)]].concat(),
            vec![restored("restored")],
            vec![restored("restore_unknown")],
            vec![change(4, "restore", 1), restored("restored")],
            vec![change(4, "restore", 1), restored("restore_refused")],
            // A restored row is not sent either.
            vec![change(4, "restore", 1), json!({"ev": "intent", "row": 4, "att": 1})],
        ];
        for events in cases {
            assert!(replayed(&events).is_err(), "{events:?}");
        }
    }
}
