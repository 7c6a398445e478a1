//! The directories of earlier plans: held against their digests and chains, and read row by row with their journals.
//!
//! Nothing is written there, and a run may be at work in one of them meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::apply::changes::{Change, Restoration, Step};
use crate::apply::journal::{self, Journal, Replayed};
use crate::apply::ledger::{Ledger, Row as Tried};
use crate::apply::{Outcome, Outcomes};
use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::files::manifest::{self, Digest, Manifest};
use crate::files::plan_dir::{self, PLAN};
use crate::files::{self, parquet};
use crate::person::State;
use crate::plan::after::{Earlier, Past, Row};
use crate::plan::{Counts, SENT, Verdict};

/// Times that a journal is read while a run writes it, and the wait between: a line may be seen half.
const TRIES: u32 = 5;
const WAIT: Duration = Duration::from_millis(50);
/// What of a plan's frame is read, in this order; [`SENT`] stands behind it.
const READ: [&str; 3] = [columns::KEY, columns::VERDICT, columns::USER_ID];
const N_READ: usize = READ.len() + SENT.len();

/// An earlier plan, as it was when it was asked; kept in the manifest of the plan that asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// Its directory, as it was given.
    pub path: String,
    /// BLAKE3 of its `manifest.json`.
    pub manifest: String,
    /// The end of its journal's chain; none if no run has begun.
    pub chain: Option<String>,
    /// Its organisation, as far as anything proves it.
    pub organisation_id: Option<String>,
    /// Whether a run was at work.
    pub at_work: bool,
    /// Its new rows by outcome, and how many users were restored and rolled back.
    pub rows: BTreeMap<String, u64>,
}

impl Wave {
    /// Rows of one outcome, or `restored` or `rolled_back`.
    #[must_use]
    pub fn n(&self, what: &str) -> u64 {
        self.rows.get(what).copied().unwrap_or_default()
    }
}

/// What was read of earlier plans.
#[derive(Default)]
pub struct Read {
    /// What they know.
    pub earlier: Earlier,
    /// Each of them: those that were named, then those that they were planned after.
    pub waves: Vec<Wave>,
    /// Of the latter: the plan that led there, and its own directory.
    pub also: Vec<(String, String)>,
    /// The same of those that are not there any more.
    pub lost: Vec<(String, String)>,
}

/// Reads earlier plans, and those that they were planned after in turn: each once. In which order they are named changes
/// nothing. `seconds` reads a time of a journal, as seconds since 1970.
///
/// # Errors
/// `File` if one holds no plan; `Usage` if one is named twice; `Unsafe` if one was altered, or is of another organisation
/// than another; `Damaged`.
pub fn read(dirs: &[PathBuf], seconds: impl Fn(&str) -> Option<i64>) -> Result<Read> {
    let mut dirs = dirs.to_vec();
    dirs.sort_unstable();
    let (mut read, mut before) = (Read::default(), VecDeque::new());
    for dir in dirs {
        let (wave, its) = read.one(&dir, &seconds)?;
        if let Some(other) = read.waves.iter().find(|other| other.manifest == wave.manifest) {
            let what = format!("{} and {} are one plan", other.path, wave.path);
            return Err(Error::new(Kind::Usage, what).hint("name each earlier plan once"));
        }
        read.waves.push(wave);
        before.push_back((dir, its));
    }
    while let Some((dir, its)) = before.pop_front() {
        for wave in its {
            if read.waves.iter().any(|known| known.manifest == wave.manifest) {
                continue;
            }
            let after = dir.display().to_string();
            let Some(place) = wave.place(&dir)? else {
                read.lost.push((after, wave.path));
                continue;
            };
            let (found, its) = read.one(&place, &seconds)?;
            read.also.push((after, found.path.clone()));
            read.waves.push(found);
            before.push_back((place, its));
        }
    }
    check_organisation(&read.waves, None)?;
    Ok(read)
}

impl Read {
    /// Reads one; with those that it was planned after.
    fn one(&mut self, dir: &Path, seconds: &dyn Fn(&str) -> Option<i64>) -> Result<(Wave, Vec<Wave>)> {
        let plan = u16::try_from(self.waves.len()).map_err(|_| Error::new(Kind::Usage, "too many earlier plans"))?;
        read_one(dir, plan, &mut self.earlier, seconds)
    }
}

/// Refuses earlier plans of another organisation than that one, or than one another.
///
/// # Errors
/// `Unsafe`, naming both.
pub fn check_organisation(waves: &[Wave], organisation_id: Option<&str>) -> Result<()> {
    let known = waves.iter().filter_map(|wave| Some((wave.path.as_str(), wave.organisation_id.as_deref()?)));
    let mut all = organisation_id.map(|id| ("the snapshot", id)).into_iter().chain(known);
    let Some((first, id)) = all.next() else { return Ok(()) };
    let Some((other, other_id)) = all.find(|(_, other)| *other != id) else { return Ok(()) };
    let what = format!("{other} is of organisation {other_id}, {first} of {id}");
    Err(Error::new(Kind::Unsafe, what)
        .hint("--after takes plans of the organisation that is planned for; leave it out"))
}

fn read_one(
    dir: &Path,
    plan: u16,
    earlier: &mut Earlier,
    seconds: &dyn Fn(&str) -> Option<i64>,
) -> Result<(Wave, Vec<Wave>)> {
    let manifest = Manifest::read(dir)?;
    manifest.check_outputs(dir)?;
    let was_at_work = is_at_work(dir)?;
    let Replayed { ledger, chain, .. } = replayed(dir, &manifest)?;
    plan_dir::check_begun(dir, &ledger)?;
    let at_work = was_at_work || is_at_work(dir)?;
    let has_ended = ledger.changes.has_removals();
    let n = [0; 3];
    let mut rows =
        Rows { plan, ledger: &ledger, at_work, has_ended, earlier, seconds, outcomes: Outcomes::default(), n };
    let counts = rows.read(dir)?;
    rows.check(dir, &manifest, &counts)?;
    let bound = ledger.bound_to.as_ref().map(|bound| bound.org.clone());
    let wave = Wave {
        path: dir.display().to_string(),
        manifest: Digest::of_file(&dir.join(manifest::FILE))?.blake3,
        chain: Some(chain).filter(|chain| !chain.is_empty()),
        organisation_id: bound.or(manifest.organisation_id),
        at_work,
        rows: rows.by_outcome(),
    };
    Ok((wave, manifest.after))
}

/// Whether a process is at work in a directory.
fn is_at_work(dir: &Path) -> Result<bool> {
    match Journal::check_free(dir) {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == Kind::Unsafe => Ok(true),
        // Where nothing can be locked, such as on a disk that is only read, nobody is at work either.
        Err(_) => Ok(false),
    }
}

/// The journal up to its last whole line.
fn replayed(dir: &Path, manifest: &Manifest) -> Result<Replayed> {
    for _ in 1..TRIES {
        match plan_dir::replayed(dir, manifest, |_| {}) {
            Err(error) if error.kind() == Kind::Damaged && is_at_work(dir)? => std::thread::sleep(WAIT),
            other => return other,
        }
    }
    plan_dir::replayed(dir, manifest, |_| {})
}

/// The rows of one plan on their way.
struct Rows<'a> {
    plan: u16,
    ledger: &'a Ledger,
    at_work: bool,
    /// Whether a rollback has begun: nobody more is created from it.
    has_ended: bool,
    earlier: &'a mut Earlier,
    seconds: &'a dyn Fn(&str) -> Option<i64>,
    outcomes: Outcomes,
    /// New rows that the journal speaks of; users restored, and rolled back.
    n: [u64; 3],
}

impl Rows<'_> {
    /// Reads them; the rows by verdict.
    fn read(&mut self, dir: &Path) -> Result<Counts> {
        let mut counts = Counts::default();
        let mut wanted = [""; N_READ];
        wanted.iter_mut().zip(READ.into_iter().chain(SENT)).for_each(|(name, column)| *name = column);
        parquet::read_cells(&dir.join(PLAN), wanted, |at, cells| {
            let [key, verdict, user_id, sent @ ..] = cells;
            let row = u32::try_from(at + 1).unwrap_or(u32::MAX);
            let verdict = verdict.and_then(Verdict::from_word).ok_or_else(|| not_of_the_plan(dir))?;
            counts.rows += 1;
            counts.add(verdict);
            let (past, at, user_id, said) = match verdict {
                Verdict::New => {
                    let tried = self.ledger.row(row);
                    self.n[0] += u64::from(tried.is_some());
                    self.outcomes.add(tried.map_or(Outcome::Unprocessed, Tried::outcome));
                    self.past_of_new(row, tried)
                }
                Verdict::Deleted => self.past_of_deleted(row, user_id, dir)?,
                Verdict::Present | Verdict::Duplicate | Verdict::Invalid => return Ok(()),
            };
            let (Some(past), Some(key)) = (past, key) else { return Ok(()) };
            let at = at.map_or(Some(0), self.seconds).ok_or_else(|| not_of_the_plan(dir))?;
            self.earlier.push(self.plan, Row { key, past, at, user_id, sent, said })
        })?;
        Ok(counts)
    }

    fn by_outcome(&self) -> BTreeMap<String, u64> {
        let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str(), self.outcomes.of(outcome)));
        let changed = [(RESTORED, self.n[1]), (ROLLED_BACK, self.n[2])];
        outcomes.into_iter().chain(changed).map(|(what, n)| (what.to_owned(), n)).collect()
    }

    /// What became of a new row, since when, the user and what the service said; nothing if no run has begun.
    fn past_of_new<'r>(&mut self, row: u32, tried: Option<&'r Tried>) -> Found<'r>
    where
        Self: 'r,
    {
        let unsent = match (self.ledger.bound_to.is_some(), self.has_ended) {
            (true, false) => Some(if self.at_work { Past::Due } else { Past::Unsent }),
            (true, true) | (false, _) => None,
        };
        let unknown = if self.has_ended { Past::Stranded } else { Past::Unknown };
        let Some(tried) = tried else { return (unsent, None, None, [None, None]) };
        let change = self.ledger.changes.of(row);
        let removed = change.filter(|change| change.is_removed());
        let unsure = change.filter(|change| change.step == Step::Remove && change.is_unsure());
        let past = match tried.outcome() {
            _ if removed.is_some() => Some(Past::RolledBack),
            _ if unsure.is_some() => Some(Past::Stranded),
            Outcome::Created | Outcome::Adopted => Some(Past::Created),
            // Nobody to name is nobody to rely on.
            Outcome::Taken if tried.user_id.is_none() => None,
            Outcome::Taken => Some(Past::Taken(tried.user_state.unwrap_or(State::Active))),
            Outcome::Refused => Some(Past::Refused),
            Outcome::Unknown => Some(unknown),
            // The last create never left, but an earlier one may have arrived.
            Outcome::Unprocessed if tried.ambiguous => Some(unknown),
            Outcome::Unprocessed => unsent,
        };
        self.n[2] += u64::from(removed.is_some());
        let said = [tried.reply.code.as_deref(), tried.reply.words.as_deref()];
        let at = removed.or(unsure).map_or(&*tried.at, |change| &change.at);
        (past, Some(at), tried.user_id.as_deref(), said)
    }

    /// The same of a deleted row: nothing, unless its user was restored.
    fn past_of_deleted<'r>(&mut self, row: u32, user_id: Option<&str>, dir: &Path) -> Result<Found<'r>>
    where
        Self: 'r,
    {
        let Some(change) = self.ledger.changes.of(row) else { return Ok((None, None, None, [None, None])) };
        if change.id.as_deref() != user_id {
            return Err(not_of_the_plan(dir));
        }
        let restored = Some(change).filter(|change| change.restoration() == Some(Restoration::Restored));
        self.n[1] += u64::from(restored.is_some());
        let id = restored.and_then(|change: &Change| change.id.as_deref());
        Ok((restored.map(|_| Past::Restored), Some(&change.at), id, [None, None]))
    }

    /// Both laws: the rows are those of the manifest, and the journal speaks of new rows only.
    fn check(&self, dir: &Path, manifest: &Manifest, counts: &Counts) -> Result<()> {
        if *counts != manifest.counts {
            let what = format!("{} does not say what its plan says", files::name(&dir.join(manifest::FILE)));
            return Err(Error::new(Kind::Unsafe, what).hint("bring it back, or leave out --after; nothing was sent"));
        }
        if self.n[0] == self.ledger.n_rows() as u64 { Ok(()) } else { Err(not_of_the_plan(dir)) }
    }
}

const RESTORED: &str = "restored";
const ROLLED_BACK: &str = "rolled_back";

/// What became of a row, when that was recorded, the user, and the service's code and words.
type Found<'r> = (Option<Past>, Option<&'r str>, Option<&'r str>, [Option<&'r str>; 2]);

fn not_of_the_plan(dir: &Path) -> Error {
    let what = format!("the journal of {} speaks of rows that are not of its plan", dir.display());
    Error::new(Kind::Damaged, what)
        .hint("it was changed by something else than rosterdiff: bring it back, or leave out --after")
}

/// What has become of an earlier plan since it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It is as it was.
    Same,
    /// Its journal has gone on.
    WentOn,
    /// Another plan stands there, or a journal that does not go on from what was read.
    Another,
    /// It is not there.
    Gone,
}

impl Wave {
    /// Where it may be: as it was given, or beside `dir`, the directory of the plan that asked.
    fn places(&self, dir: &Path) -> [PathBuf; 2] {
        let beside = match dir.components().next_back() {
            Some(Component::Normal(_)) if !dir.is_symlink() => dir.parent().map_or_else(PathBuf::new, Path::to_owned),
            _ => dir.join(".."),
        };
        [PathBuf::from(&self.path), beside.join(&self.path)]
    }

    /// Where it is, whatever has become of its journal.
    fn place(&self, dir: &Path) -> Result<Option<PathBuf>> {
        for place in self.places(dir) {
            let path = place.join(manifest::FILE);
            if path.is_file() && Digest::of_file(&path)?.blake3 == self.manifest {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Whether no plan stands where it was.
    #[must_use]
    pub fn is_gone(&self, dir: &Path) -> bool {
        !self.places(dir).iter().any(|place| place.join(manifest::FILE).is_file())
    }

    /// Looks what has become of it, as it was given or beside `dir`, the directory of the plan that asked.
    ///
    /// # Errors
    /// `File` if it cannot be read.
    pub fn since(&self, dir: &Path) -> Result<Since> {
        let Some(place) = self.place(dir)? else {
            return Ok(if self.is_gone(dir) { Since::Gone } else { Since::Another });
        };
        let path = place.join(journal::FILE);
        let (Some(chain), true) = (&self.chain, path.is_file()) else {
            return Ok(match (path.exists(), self.chain.is_some()) {
                (true, true) | (false, true) => Since::Another,
                (true, false) => Since::WentOn,
                (false, false) => Since::Same,
            });
        };
        let mut had_it = false;
        let end = journal::chain_of(&path, |found| had_it |= found == chain);
        Ok(match end {
            Ok(end) if end == *chain => Since::Same,
            Ok(_) if had_it => Since::WentOn,
            Ok(_) => Since::Another,
            Err(error) if error.kind() == Kind::Damaged => Since::Another,
            Err(error) => return Err(error),
        })
    }
}
