//! What a journal says about each row: a pure replay.
//!
//! Replaying gives the state, replaying a prefix an earlier state. An event that cannot follow the state of its row is
//! damage, never guessed at.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::apply::Outcome;
use crate::apply::changes::{Changes, Restoration, Step};
use crate::files::manifest::Digest;
use crate::person::State;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Number of the line, from 1.
    pub seq: u64,
    /// When it was written, RFC 3339, UTC.
    pub at: String,
    /// Number of the last line that was on the disk for certain when this one was written.
    pub dur: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What can happen. `row` joins to the plan; there are no addresses and no names here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ev", rename_all = "lowercase")]
pub enum Event {
    /// First line: which plan and organisation this journal belongs to.
    Header {
        /// Layout version.
        v: u32,
        /// BLAKE3 of `plan.parquet`.
        plan: String,
        /// BLAKE3 of `manifest.json`.
        manifest: String,
        /// Organisation id.
        org: String,
        /// Program and version.
        tool: String,
    },
    /// A process begins to work on the plan.
    Run {
        /// Its process id.
        pid: u32,
    },
    /// A create is about to leave; durable before it does.
    Intent {
        /// Row.
        row: u32,
        /// Attempt, from 1.
        att: u32,
    },
    /// It was provably not carried out.
    Unsent {
        /// Row.
        row: u32,
        /// Why.
        why: String,
    },
    /// It may have been carried out.
    Unknown {
        /// Row.
        row: u32,
        /// What came instead of a reply.
        why: String,
    },
    /// The service said 409.
    Conflict {
        /// Row.
        row: u32,
        /// The reply.
        #[serde(flatten)]
        reply: Said,
    },
    /// Somebody held the key before anything was sent: the row is taken.
    Found {
        /// Row.
        row: u32,
        /// The user.
        id: String,
        /// Its state.
        state: String,
    },
    /// A final outcome.
    Done {
        /// Row.
        row: u32,
        /// Which.
        outcome: Outcome,
        /// The user created, adopted or met.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Its state, for `taken`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<String>,
        /// The reply that decided.
        #[serde(flatten)]
        reply: Said,
    },
    /// A call that changes a user is about to leave; durable before it does.
    Change {
        /// Row.
        row: u32,
        /// What it does.
        step: Step,
        /// The user.
        id: String,
        /// The version that it is for, where the call says one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
        /// Attempt, from 1.
        att: u32,
    },
    /// That was provably not carried out.
    Unchanged {
        /// Row.
        row: u32,
        /// Why.
        why: String,
    },
    /// It may have been carried out.
    Unsure {
        /// Row.
        row: u32,
        /// What came instead of a reply, or was found instead.
        why: String,
    },
    /// It was carried out: the service said so, or it was found so.
    Changed {
        /// Row.
        row: u32,
        /// The user's version since.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
        /// The reply; none if it was found so.
        #[serde(flatten)]
        reply: Said,
    },
    /// A created user is not deleted again.
    Kept {
        /// Row.
        row: u32,
        /// The user.
        id: String,
        /// Why, as a code.
        why: String,
        /// The service's refusal, if it was that.
        #[serde(flatten)]
        reply: Said,
    },
    /// Nothing is left to do for a row that was to be restored.
    Restored {
        /// Row.
        row: u32,
        /// The user, if the plan names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// What became of it.
        outcome: Restoration,
        /// Why, as a code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// The reply that decided.
        #[serde(flatten)]
        reply: Said,
    },
    /// What may leave from now on: told when it is first known, and whenever it changes.
    Pace {
        /// Calls that the service allows per token and window.
        allowed: u32,
        /// Length of the window, milliseconds.
        window_ms: u64,
        /// Tokens that calls are spread over.
        tokens: u32,
        /// The cap that somebody set on the whole run, calls a minute.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        per_min: Option<u32>,
    },
    /// Calls that the service has throttled (429) in this run so far; told when there are more.
    Throttled {
        /// How many.
        n: u64,
    },
    /// Nothing of a kind of call leaves for a while.
    Wait {
        /// Which calls: `creates` or `searches`, that the service does not answer.
        why: String,
    },
    /// It leaves again.
    Resumed {
        /// Which calls.
        why: String,
    },
    /// A run has ended.
    End {
        /// How.
        why: String,
    },
    /// The results of a run are written; only another run follows.
    Close {
        /// The manifest and every file of the results.
        files: BTreeMap<String, Digest>,
    },
}

impl Event {
    /// Whether it tells how a run goes and nothing of a row: layouts before the fourth had no such lines.
    #[must_use]
    pub const fn is_of_the_run(&self) -> bool {
        matches!(self, Self::Pace { .. } | Self::Throttled { .. } | Self::Wait { .. } | Self::Resumed { .. })
    }
}

/// What a journal belongs to: one plan, its manifest, one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// BLAKE3 of `plan.parquet`.
    pub plan: String,
    /// BLAKE3 of `manifest.json`.
    pub manifest: String,
    /// Organisation id.
    pub org: String,
}

/// What the service said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<u16>,
    /// Error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Box<str>>,
    /// Its words, addresses and names taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Box<str>>,
    /// Correlation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<Box<str>>,
}

/// How far a row has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A create was about to leave and nothing else is known: it is unknown.
    Intent,
    /// The last create was provably not carried out.
    Unsent,
    /// It may have been carried out.
    Unknown,
    /// Somebody holds the key; who is not known yet.
    Conflict,
    /// Final.
    Done(Outcome),
}

/// Everything that is known of one row. There may be a hundred thousand of them: no text has room to grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How far it has got.
    pub stage: Stage,
    /// Creates that were sent and not proven unprocessed.
    pub attempts: u32,
    /// Whether any of them may have created somebody without our knowing.
    pub ambiguous: bool,
    /// The user created, adopted or met.
    pub user_id: Option<Box<str>>,
    /// Its state, for `taken`.
    pub user_state: Option<State>,
    /// The reply that decided, or the last one.
    pub reply: Said,
    /// Why it is not done yet.
    pub why: Option<Box<str>>,
    /// When the last event was recorded.
    pub at: Arc<str>,
}

impl Row {
    fn fresh() -> Self {
        Self {
            stage: Stage::Unsent,
            attempts: 0,
            ambiguous: false,
            user_id: None,
            user_state: None,
            reply: Said { http: None, code: None, words: None, cid: None },
            why: None,
            at: Arc::default(),
        }
    }

    /// Whether nothing is left to do for it.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self.stage, Stage::Done(_))
    }

    /// Whether provably nothing was carried out for it.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        self.stage == Stage::Unsent && !self.ambiguous
    }

    /// Whether a create of it may have been carried out, and nobody knows yet.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Intent | Stage::Unknown | Stage::Conflict)
    }

    /// The outcome as it stands: what is not settled is unknown, what was not sent is unprocessed.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self.stage {
            Stage::Done(outcome) => outcome,
            Stage::Unsent => Outcome::Unprocessed,
            Stage::Intent | Stage::Unknown | Stage::Conflict => Outcome::Unknown,
        }
    }
}

/// The replayed journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    rows: HashMap<u32, Row>,
    /// Users that were changed, or were to be.
    pub changes: Changes,
    /// Layout version that the header says; 0 without one.
    pub version: u32,
    /// Lines replayed.
    pub n_lines: u64,
    /// The last of them that a later one knows to have been on the disk.
    durable: u64,
    /// Process id of the last run.
    pub pid: Option<u32>,
    /// When the last line was written.
    pub last_at: Option<Arc<str>>,
    /// What the header says.
    pub bound_to: Option<Binding>,
    /// What the last line closes, if it closes anything.
    pub closed: Option<BTreeMap<String, Digest>>,
}

impl Ledger {
    /// What is known of a row; none if it was never tried.
    #[must_use]
    pub fn row(&self, row: u32) -> Option<&Row> {
        self.rows.get(&row)
    }

    /// Rows that were tried.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Takes one line in.
    ///
    /// # Errors
    /// What is wrong with it, in words: a number out of order, an event that cannot follow.
    pub fn replay(&mut self, line: &Line) -> Result<(), String> {
        if line.seq != self.n_lines + 1 {
            return Err(format!("line {} has number {}", self.n_lines + 1, line.seq));
        }
        if !(self.durable..line.seq).contains(&line.dur) {
            return Err(format!("line {} cannot know of line {} on the disk", line.seq, line.dur));
        }
        (self.n_lines, self.durable) = (line.seq, line.dur);
        // Lines of one second have one text.
        let at = self.last_at.take().filter(|last| **last == *line.at).unwrap_or_else(|| line.at.as_str().into());
        self.last_at = Some(Arc::clone(&at));
        if self.closed.take().is_some() && !matches!(line.event, Event::Run { .. }) {
            return Err("only a run can follow a close".to_owned());
        }
        match &line.event {
            Event::Header { v, plan, manifest, org, .. } if line.seq == 1 => {
                self.version = *v;
                let (plan, manifest, org) = (plan.clone(), manifest.clone(), org.clone());
                self.bound_to = Some(Binding { plan, manifest, org });
                Ok(())
            }
            Event::Header { .. } => Err("a second header".to_owned()),
            _ if self.bound_to.is_none() => Err("no header".to_owned()),
            Event::Run { pid } => {
                self.pid = Some(*pid);
                Ok(())
            }
            // They tell how a run went, and nothing of a row.
            Event::End { .. }
            | Event::Pace { .. }
            | Event::Throttled { .. }
            | Event::Wait { .. }
            | Event::Resumed { .. } => Ok(()),
            Event::Close { files } => {
                self.closed = Some(files.clone());
                Ok(())
            }
            Event::Intent { row, att } => self.intent(*row, *att, &at),
            Event::Unsent { row, why } => {
                let found = self.after_intent(*row, Stage::Unsent, Said::default(), &at)?;
                found.attempts -= 1;
                found.why = Some(why.as_str().into());
                Ok(())
            }
            Event::Unknown { row, why } => {
                let found = self.after_intent(*row, Stage::Unknown, Said::default(), &at)?;
                found.ambiguous = true;
                found.why = Some(why.as_str().into());
                Ok(())
            }
            Event::Conflict { row, reply } => self.after_intent(*row, Stage::Conflict, reply.clone(), &at).map(drop),
            Event::Change { row, .. }
            | Event::Unchanged { row, .. }
            | Event::Unsure { row, .. }
            | Event::Changed { row, .. }
            | Event::Kept { row, .. }
            | Event::Restored { row, .. } => self.changes.replay(&line.event, self.rows.get(row), &at),
            Event::Found { row, id, state } => self.found(*row, id, state, &at),
            Event::Done { row, outcome, id, state, reply } => {
                let found = self.after_intent(*row, Stage::Done(*outcome), reply.clone(), &at)?;
                found.user_id = id.as_deref().map(Into::into);
                found.user_state = state.as_deref().map(State::from_word);
                Ok(())
            }
        }
    }

    fn found(&mut self, row: u32, id: &str, state: &str, at: &Arc<str>) -> Result<(), String> {
        let found = self.rows.entry(row).or_insert_with(Row::fresh);
        if !found.is_unsent() {
            return Err(format!("row {row} was sent before its holder was found"));
        }
        (found.stage, found.reply, found.why) = (Stage::Done(Outcome::Taken), Said::default(), None);
        (found.user_id, found.user_state) = (Some(id.into()), Some(State::from_word(state)));
        found.at = Arc::clone(at);
        Ok(())
    }

    fn intent(&mut self, row: u32, att: u32, at: &Arc<str>) -> Result<(), String> {
        if self.changes.of(row).is_some_and(|change| change.step != Step::Remove) {
            return Err(format!("row {row} was restored and is sent"));
        }
        let found = self.rows.entry(row).or_insert_with(Row::fresh);
        if matches!(found.stage, Stage::Done(_)) {
            return Err(format!("row {row} was final and is sent again"));
        }
        // A create whose end was never recorded may have done its work.
        found.ambiguous |= found.attempts > 0 && found.stage == Stage::Intent;
        if att != found.attempts + 1 {
            return Err(format!("row {row} has attempt {att} after {}", found.attempts));
        }
        found.attempts = att;
        found.stage = Stage::Intent;
        found.at = Arc::clone(at);
        Ok(())
    }

    fn after_intent(&mut self, row: u32, stage: Stage, reply: Said, at: &Arc<str>) -> Result<&mut Row, String> {
        let found = self.rows.get_mut(&row).ok_or_else(|| format!("row {row} has an outcome and no intent"))?;
        let allowed = match (&found.stage, &stage) {
            (Stage::Done(_), _) => false,
            (Stage::Intent, _) => true,
            // Settled: looked up, and found or refused for good.
            (Stage::Unknown | Stage::Conflict, Stage::Done(_)) => true,
            (Stage::Unknown | Stage::Conflict | Stage::Unsent, _) => false,
        };
        if !allowed {
            return Err(format!("row {row}: {stage:?} cannot follow {:?}", found.stage));
        }
        (found.stage, found.reply, found.why) = (stage, reply, None);
        found.at = Arc::clone(at);
        Ok(found)
    }
}
