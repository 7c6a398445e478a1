//! Gates: what nobody should create people over without a second look. Each has a number, a bound, and one flag that
//! accepts it.
//!
//! They are checked when a plan is made, told there, kept in the manifest, and stop `apply` before anything is sent. Where
//! there is too little to judge by, nothing is judged.

mod limit;
mod names;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

pub use limit::Limit;

use super::{Counts, Teller, Verdict, Verdicts};
use crate::error::Result;
use crate::number::Number;
use crate::strings::Strings;

/// Rows, names and users below which a share says nothing.
const JUDGED_MIN: u64 = 20;
/// Of the people who could match, at least so many of a hundred should.
pub const MATCH_PERCENT_MIN: u64 = 10;
/// Of the rows with an address, at most so many of a hundred should repeat that of another row.
pub const REPEATED_PERCENT_MAX: u64 = 50;
/// Of the people who are there, at most so many of a hundred should be called otherwise there.
pub const OTHER_NAMES_PERCENT_MAX: u64 = 50;
/// Of the new rows, at most so many of a hundred should have a domain that nobody in the organisation has.
pub const UNSEEN_PERCENT_MAX: u64 = 2;
/// Of an earlier snapshot's users, at least so many of a hundred should still be there.
pub const LEFT_PERCENT_MIN: u64 = 90;
/// Domains that are named, and characters of each.
const NAMED_MAX: usize = 3;
const NAMED_CHARS_MAX: usize = 40;

/// Which gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Hardly anybody of the roster is in the organisation: the wrong one, or the wrong column?
    LowMatch,
    /// Most rows repeat the address of another row: the wrong column?
    DuplicateRows,
    /// Most people who are there are called otherwise there: the addresses of others, or the wrong organisation?
    OtherNames,
    /// New rows have domains that the organisation never saw.
    NewDomains,
    /// The snapshot holds nobody.
    EmptySnapshot,
    /// The snapshot holds fewer users than an earlier one.
    ShrunkSnapshot,
    /// More would be created than was allowed.
    MaxCreates,
}

impl Which {
    /// The flag of `apply` that accepts it.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::LowMatch => "--accept-low-match",
            Self::DuplicateRows => "--accept-duplicate-rows",
            Self::OtherNames => "--accept-other-names",
            Self::NewDomains => "--accept-new-domains",
            Self::EmptySnapshot => "--accept-empty-snapshot",
            Self::ShrunkSnapshot => "--accept-shrunk-snapshot",
            Self::MaxCreates => "--max-creates",
        }
    }
}

/// A gate that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Which.
    pub gate: Which,
    /// Whether it stops `apply`.
    pub tripped: bool,
    /// The numbers, in words.
    pub what: String,
}

impl Gate {
    /// What to add to `apply` to accept it.
    #[must_use]
    pub fn accept(&self, counts: &Counts) -> String {
        match self.gate {
            Which::MaxCreates => format!("{} {}", self.gate.flag(), counts.new),
            other => other.flag().to_owned(),
        }
    }
}

/// What is asked of a plan beside.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Most users that may be created; there is no default.
    pub max_creates: Option<Limit>,
    /// Users of an earlier snapshot.
    pub n_earlier: Option<u64>,
}

/// Looks at all gates that there is enough to judge by.
///
/// # Errors
/// `File` if the roster is not what it was.
pub fn check(teller: &Teller<'_>, asked: &Asked) -> Result<Vec<Gate>> {
    let Teller { snapshot, verdicts, .. } = teller;
    let counts = verdicts.counts();
    // A listing is judged by whom it lists, a roster by everybody who is known to be there.
    let (n_listed, n_users) = (snapshot.n_listed() as u64, snapshot.len() as u64);
    let mut gates = Vec::new();
    if counts.rows > 0 && n_listed == 0 {
        let what = "the snapshot holds nobody, not even whoever made the OAuth client".to_owned();
        gates.push(Gate { gate: Which::EmptySnapshot, tripped: true, what });
    }
    gates.extend(duplicate_rows(verdicts));
    gates.extend(low_match(counts, n_users));
    gates.extend(names::other_names(teller)?);
    if counts.new >= JUDGED_MIN && n_users >= JUDGED_MIN {
        gates.push(new_domains(teller));
    }
    gates.extend(asked.n_earlier.map(|n_earlier| shrunk_snapshot(n_listed, n_earlier)));
    let to_create = Counts { new: counts.new - verdicts.n_held(), ..*counts };
    gates.extend(asked.max_creates.map(|limit| limit.gate(&to_create)));
    Ok(gates)
}

/// How many rows have an address that another row has. What is judged is the roster: it says the same whichever of such
/// rows is kept, and also where none is.
fn duplicate_rows(verdicts: &Verdicts) -> Option<Gate> {
    let Counts { new, present, deleted, duplicate, .. } = *verdicts.counts();
    let (rows, repeats) = (new + present + deleted + duplicate, verdicts.n_repeats());
    if rows < JUDGED_MIN {
        return None;
    }
    let tripped = repeats.saturating_mul(100) > rows.saturating_mul(REPEATED_PERCENT_MAX);
    let (repeats, rows) = (Number(repeats), Number(rows));
    let what = format!(
        "{repeats} of {rows} rows with an address repeat that of another row; at most {REPEATED_PERCENT_MAX}% should \
         (the column of managers, or of a team mailbox?)"
    );
    Some(Gate { gate: Which::DuplicateRows, tripped, what })
}

/// How many users are left of those of an earlier snapshot.
fn shrunk_snapshot(n_listed: u64, n_earlier: u64) -> Gate {
    let tripped = n_listed.saturating_mul(100) < n_earlier.saturating_mul(LEFT_PERCENT_MIN);
    let (now, before) = (Number(n_listed), Number(n_earlier));
    let what =
        format!("the snapshot holds {now} users, an earlier one {before}; at least {LEFT_PERCENT_MIN}% should be left");
    Gate { gate: Which::ShrunkSnapshot, tripped, what }
}

/// Of whoever could match, how many do: as many as the smaller side has.
fn low_match(counts: &Counts, n_users: u64) -> Option<Gate> {
    let matched = counts.present + counts.deleted;
    let people = matched + counts.new;
    let could = people.min(n_users);
    if could < JUDGED_MIN {
        return None;
    }
    let tripped = matched.saturating_mul(100) < could.saturating_mul(MATCH_PERCENT_MIN);
    let (matched, people, users) = (Number(matched), Number(people), Number(n_users));
    let what = format!(
        "{matched} of {people} people match one of {users} users; at least {MATCH_PERCENT_MIN}% should \
         (the wrong organisation, or the wrong column?)"
    );
    Some(Gate { gate: Which::LowMatch, tripped, what })
}

/// How many new rows have a domain that no user has.
fn new_domains(teller: &Teller<'_>) -> Gate {
    let Teller { roster, snapshot, verdicts, policy } = *teller;
    // Of a domain and the one that it became, either is as good.
    let aliases = &policy.folds.aliases;
    let mut unseen: HashMap<&str, u64> = HashMap::new();
    let new = (0..roster.n_rows()).filter(|at| verdicts.verdict(*at) == Verdict::New);
    for domain in new.filter_map(|at| domain(roster.key(at)?, aliases)) {
        *unseen.entry(domain).or_default() += 1;
    }
    let users = snapshot.keys().iter().chain(snapshot.username_keys().into_iter().flat_map(Strings::iter));
    for seen in users.flatten().filter_map(|key| domain(key, aliases)) {
        if unseen.is_empty() {
            break;
        }
        unseen.remove(seen);
    }
    let n_unseen: u64 = unseen.values().sum();
    let n_new = verdicts.counts().new;
    let mut most: Vec<(&str, u64)> = unseen.into_iter().collect();
    most.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    let more = if most.len() > NAMED_MAX { ", …" } else { "" };
    let name = |domain: &str| match domain.char_indices().nth(NAMED_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &domain[..at]),
        None => domain.to_owned(),
    };
    let list = most.iter().take(NAMED_MAX).map(|(domain, n)| format!("{} {}", name(domain), Number(*n)));
    let list: Vec<String> = list.collect();
    let list = if list.is_empty() { String::new() } else { format!(" ({}{more})", list.join(", ")) };
    let what = format!(
        "{} of {} new rows have an e-mail domain that no user has{list}; at most {UNSEEN_PERCENT_MAX}% should",
        Number(n_unseen),
        Number(n_new)
    );
    Gate { gate: Which::NewDomains, tripped: n_unseen * 100 > n_new * UNSEEN_PERCENT_MAX, what }
}

fn domain<'k>(key: &'k str, aliases: &'k BTreeMap<String, String>) -> Option<&'k str> {
    let (_, domain) = key.split_once('@')?;
    Some(aliases.get(domain).map_or(domain, String::as_str))
}
