//! A plan directory → what is told of it. The plan, its CSVs and the journal are read; nothing is written.

use std::collections::HashMap;
use std::path::Path;

use polars::prelude::StringChunked;

use super::facts::{Changed, DOMAINS_MAX, Domains, Facts, Journaled, Stand};
use super::story::Story;
use super::tables::{self, Found};
use crate::apply::Outcome;
use crate::apply::changes::{Stage, Step};
use crate::apply::journal::Journal;
use crate::apply::ledger::{Ledger, Row, Said};
use crate::columns;
use crate::error::{Kind, Result};
use crate::files::manifest::{self, Digest, Manifest};
use crate::files::plan_dir;
use crate::plan::{Plan, Verdict};
use crate::restore;

/// What the service said that is told apart.
const REFUSALS_MAX: usize = 500;

/// Reads a plan directory, while a run is at work on it too: then it is told as it was at one moment.
///
/// # Errors
/// Those of `status`: `File` if there is no plan, `Unsafe` for what was altered, `Damaged` for what cannot be read.
pub fn gather(dir: &Path, told_at: String) -> Result<Facts> {
    let (manifest, plan) = plan_dir::open(dir)?;
    // Asked first: whoever begins in between is told as cut off at worst, never as finished.
    let at_work = Journal::check_free(dir).err().filter(|error| error.kind() == Kind::Unsafe).is_some();
    let (ledger, story, journal) = read_journal(dir, &manifest)?;
    let outcomes = plan_dir::outcomes(&plan, &ledger)?;
    let wanted = if manifest.restore_deleted { restore::wanted(&plan)? } else { Vec::new() };
    let rows = Rows::of(&plan)?;
    let seen = rows.look(&ledger);
    let stand = match &ledger {
        _ if at_work => Stand::AtWork,
        ledger if ledger.bound_to.is_none() => Stand::Planned,
        ledger if ledger.closed.is_none() => Stand::CutOff,
        _ => Stand::Ended,
    };
    let tables = tables::of(dir, &manifest, &plan, &ledger, stand, &seen.found)?;
    let mut reasons: Vec<(String, u64)> = seen.reasons.into_iter().map(|(code, n)| (code.to_owned(), n)).collect();
    reasons.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Ok(Facts {
        dir: dir.display().to_string(),
        manifest_digest: Digest::of_file(&dir.join(manifest::FILE))?.blake3,
        stand,
        outcomes,
        held: plan.n_held()?,
        changed: changed(&ledger),
        restored: restore::tally(&wanted, &ledger),
        story,
        journal,
        domains: most(seen.domains, seen.without),
        reasons,
        refusals: sorted(seen.refusals),
        refused_otherwise: seen.refused_otherwise,
        tables,
        is_masked: false,
        told_at,
        manifest,
    })
}

/// The journal's state and story, from one reading of it.
fn read_journal(dir: &Path, manifest: &Manifest) -> Result<(Ledger, Story, Option<Journaled>)> {
    let mut story = Story::default();
    let replayed = plan_dir::replayed(dir, manifest, |line| story.hear(line))?;
    story.finish();
    let ledger = replayed.ledger;
    let journal = ledger.bound_to.as_ref().map(|bound| Journaled {
        n_lines: ledger.n_lines,
        chain: replayed.chain,
        last_at: ledger.last_at.as_deref().map(str::to_owned),
        n_bytes_torn: replayed.n_bytes_torn,
        organisation_id: Some(bound.org.clone()),
    });
    Ok((ledger, story, journal))
}

fn changed(ledger: &Ledger) -> Changed {
    let mut changed = Changed { has_begun: ledger.changes.has_removals(), ..Changed::default() };
    for (row, change) in ledger.changes.all().filter(|(_, change)| change.step == Step::Remove) {
        match change.stage {
            _ if change.is_removed() => {
                let is_adopted = ledger.row(row).is_some_and(|row| row.outcome() == Outcome::Adopted);
                changed.removed += 1;
                changed.removed_adopted += u64::from(is_adopted);
            }
            _ if change.is_unsure() => changed.unsure += 1,
            Stage::Kept => changed.kept += 1,
            _ => {}
        }
    }
    changed
}

/// The columns of a plan that every row is looked at by.
struct Rows {
    verdicts: StringChunked,
    keys: StringChunked,
    reasons: StringChunked,
    differs: StringChunked,
}

/// What the service said when it refused a row: status, code, words.
type Refusal = (Option<u16>, Option<Box<str>>, Option<Box<str>>);

/// What was seen of all rows.
#[derive(Default)]
struct Seen<'a> {
    found: Found,
    domains: HashMap<&'a str, [u64; 5]>,
    without: u64,
    reasons: HashMap<&'a str, u64>,
    refusals: HashMap<Refusal, u64>,
    refused_otherwise: u64,
}

impl Rows {
    fn of(plan: &Plan) -> Result<Self> {
        let text = |name: &str| plan.frame().column(name).and_then(|column| column.str().cloned());
        Ok(Self {
            verdicts: text(columns::VERDICT)?,
            keys: text(columns::KEY)?,
            reasons: text(columns::REASON)?,
            differs: text(columns::DIFFERS)?,
        })
    }

    fn look(&self, ledger: &Ledger) -> Seen<'_> {
        let mut seen = Seen::default();
        let rows =
            self.verdicts.iter().zip(self.keys.iter()).zip(self.reasons.iter().zip(self.differs.iter())).zip(1_u32..);
        for (((word, key), (reason, differs)), row) in rows {
            let Some(verdict) = word.and_then(Verdict::from_word) else { continue };
            match key.and_then(|key| key.split_once('@')) {
                Some((_, domain)) => seen.domains.entry(domain).or_default()[verdict as usize] += 1,
                None => seen.without += 1,
            }
            match verdict {
                Verdict::New => seen.take_new(row, ledger.row(row)),
                Verdict::Present if differs.is_some_and(|differs| !differs.is_empty()) => seen.found.differs.push(row),
                Verdict::Present => {}
                Verdict::Deleted => seen.found.deleted.push(row),
                Verdict::Duplicate => seen.found.duplicate.push(row),
                Verdict::Invalid => {
                    *seen.reasons.entry(reason.unwrap_or_default()).or_default() += 1;
                    seen.found.invalid.push(row);
                }
            }
        }
        seen
    }
}

impl Seen<'_> {
    fn take_new(&mut self, row: u32, tried: Option<&Row>) {
        let outcome = tried.map_or(Outcome::Unprocessed, Row::outcome);
        self.found.new[outcome as usize].push(row);
        let Some(reply) = tried.filter(|_| outcome == Outcome::Refused).map(|tried| &tried.reply) else { return };
        let said = (reply.http, reply.code.clone(), reply.words.clone());
        if self.refusals.len() < REFUSALS_MAX || self.refusals.contains_key(&said) {
            *self.refusals.entry(said).or_default() += 1;
        } else {
            self.refused_otherwise += 1;
        }
    }
}

fn sorted(refusals: HashMap<Refusal, u64>) -> Vec<(Said, u64)> {
    let mut all: Vec<_> = refusals.into_iter().collect();
    all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    all.into_iter().map(|((http, code, words), n)| (Said { http, code, words, cid: None }, n)).collect()
}

/// The domains of most rows by name, the others as one.
fn most(domains: HashMap<&str, [u64; 5]>, without: u64) -> Domains {
    let mut all: Vec<(&str, [u64; 5])> = domains.into_iter().collect();
    let sum = |rows: &[u64; 5]| rows.iter().sum::<u64>();
    all.sort_by(|one, other| sum(&other.1).cmp(&sum(&one.1)).then_with(|| one.0.cmp(other.0)));
    let rest = all.split_off(all.len().min(DOMAINS_MAX));
    let mut others = [0; 5];
    for (_, rows) in &rest {
        others.iter_mut().zip(rows).for_each(|(sum, n)| *sum += n);
    }
    let most = all.into_iter().map(|(domain, rows)| (domain.to_owned(), rows)).collect();
    Domains { most, n_others: rest.len() as u64, others, without }
}
