//! Rows as they end, told to programs: what the journal records, by row number and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::render::Render;
use super::voice::Voice;
use crate::apply::changes::Step;
use crate::apply::journal::Journal;
use crate::apply::ledger::{Event, Ledger, Row};

/// Rows that are not done yet, with what was tried for them.
struct Rows {
    voice: Arc<Voice>,
    attempts: HashMap<u32, u32>,
    steps: HashMap<u32, Step>,
}

/// From now on tells of every row of a run that ends. `ledger` is what the journal said before, `rows` are those of the
/// plan.
pub(super) fn watch(journal: &mut Journal, ledger: &Ledger, rows: impl Iterator<Item = u32>, render: &Render) {
    if !render.voice().has_events() {
        return;
    }
    let open = |row: u32| Some((row, ledger.row(row).filter(|row| !Row::is_final(row))?.attempts));
    let attempts = rows.filter_map(open).filter(|(_, n)| *n > 0).collect();
    let mut rows = Rows { voice: Arc::clone(render.voice()), attempts, steps: HashMap::new() };
    journal.watch(move |event| rows.recorded(event));
}

impl Rows {
    fn recorded(&mut self, event: &Event) {
        match event {
            Event::Intent { row, att } => drop(self.attempts.insert(*row, *att)),
            Event::Unsent { row, .. } => self.untried(*row),
            Event::Found { row, .. } => self.ended(*row, "taken"),
            Event::Done { row, outcome, .. } => self.ended(*row, outcome.as_str()),
            Event::Change { row, step, att, .. } => {
                self.attempts.insert(*row, *att);
                self.steps.insert(*row, *step);
            }
            Event::Unchanged { row, .. } => self.untried(*row),
            Event::Changed { row, .. } if self.steps.get(row) == Some(&Step::Remove) => self.ended(*row, "removed"),
            Event::Kept { row, .. } => self.ended(*row, "kept"),
            Event::Restored { row, outcome, .. } => self.ended(*row, outcome.as_str()),
            _ => {}
        }
    }

    /// What provably did not happen is no attempt.
    fn untried(&mut self, row: u32) {
        self.attempts.entry(row).and_modify(|n| *n = n.saturating_sub(1));
    }

    fn ended(&mut self, row: u32, outcome: &str) {
        self.steps.remove(&row);
        let attempts = self.attempts.remove(&row).unwrap_or(0);
        self.voice.event("row", &json!({ "row": row, "outcome": outcome, "attempts": attempts }));
    }
}
