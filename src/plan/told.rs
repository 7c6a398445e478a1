//! What is told of a row: its tool cells, and what a create would send.
//!
//! Verdicts keep ten bytes a row. Whatever else is told is read again from where it stands, the roster's cells from the
//! roster and the holder's from the snapshot, so that memory does not grow with what the cells hold.

use std::ops::Range;
use std::sync::LazyLock;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::after::TAKEN;
use super::{Policy, SENT, Sought, Verdict, Verdicts};
use crate::cells::{Growing, Holds, Value};
use crate::columns;
use crate::email::Rules;
use crate::error::Result;
use crate::lanes::Effort;
use crate::person::State;
use crate::roster::{Block, Facts, Reread, Roster, Said};
use crate::snapshot::{Cell, Cells, Snapshot};

/// The tool cells of one row; columns by name are in [`columns::PLAN_TOOL`].
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// Row of the roster, 1-based.
    pub row: u32,
    /// Line at which it starts, 1-based.
    pub line: u32,
    /// Normalised e-mail.
    pub key: Option<&'a str>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, as a code.
    pub reason: Option<&'static str>,
    /// Rules that fired on either side of the match.
    pub rules: Rules,
    /// Id of the holder.
    pub user_id: Option<&'a str>,
    /// State of the holder.
    pub user_state: Option<State>,
    /// E-mail of the holder as the organisation spells it.
    pub user_email: Option<&'a str>,
    /// How many hold the key.
    pub holders: Option<u32>,
    /// The row that stands for a duplicate's key.
    pub first_row: Option<u32>,
    /// Fields that disagree.
    pub differs: Differs,
}

/// Fields in which a duplicate disagrees with the kept row, or a present row with its holder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differs(u8);

/// The fields that are compared.
const COMPARED: [&str; 3] = [columns::NAME, columns::DEPARTMENT, columns::TITLE];

impl Differs {
    /// In which of the fields, in their order, `mine` disagrees with `other`: one that is left empty disagrees with nothing.
    #[must_use]
    pub fn of(mine: [Option<&str>; 3], other: [Option<&str>; 3]) -> Self {
        let is_other = |(mine, other): &(Option<&str>, Option<&str>)| {
            mine.is_some_and(|mine| mine != other.unwrap_or_default().trim())
        };
        let pairs = mine.into_iter().zip(other).enumerate();
        Self(pairs.filter(|(_, pair)| is_other(pair)).fold(0, |set, (at, _)| set | 1 << at))
    }

    /// The fields, joined by `+`; empty if all agree.
    #[must_use]
    pub fn name(self) -> &'static str {
        &DIFFERS[usize::from(self.0)]
    }
}

/// How many present rows disagree with the organisation, and in what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreeing {
    /// Rows.
    pub rows: u64,
    /// Of them in the name.
    pub name: u64,
    /// In the department.
    pub department: u64,
    /// In the job title.
    pub title: u64,
}

impl Disagreeing {
    /// Counts a row.
    pub fn add(&mut self, told: &Told<'_>) {
        if told.verdict == Verdict::Present && told.differs != Differs::default() {
            let has = |at: u8| u64::from(told.differs.0 >> at & 1);
            let (name, department, title) = (has(0), has(1), has(2));
            *self = self.plus(Self { rows: 1, name, department, title });
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self {
            rows: self.rows + more.rows,
            name: self.name + more.name,
            department: self.department + more.department,
            title: self.title + more.title,
        }
    }
}

/// What rules and differences are called: few combinations, told of millions of rows.
static RULES: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..Rules::N_SETS).map(|bits| Rules::from_bits(bits).to_string()).collect());
static DIFFERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let name = |bits: usize| {
        let fields = COMPARED.iter().enumerate().filter(|(at, _)| bits & 1 << at != 0);
        fields.map(|(_, field)| *field).collect::<Vec<_>>().join("+")
    };
    (0..1 << COMPARED.len()).map(name).collect()
});

/// Rules, joined by `+`.
pub(crate) fn rules_name(rules: Rules) -> &'static str {
    &RULES[usize::from(rules.bits())]
}

impl Told<'_> {
    /// The rules, joined by `+`.
    #[must_use]
    pub fn rules_name(&self) -> &'static str {
        rules_name(self.rules)
    }

    /// The fields that disagree, joined by `+`; empty if all agree.
    #[must_use]
    pub fn differs_name(&self) -> &'static str {
        self.differs.name()
    }
}

/// Who tells.
#[derive(Clone, Copy, Debug)]
pub struct Teller<'a> {
    /// The rows.
    pub roster: &'a Roster,
    /// Who was there.
    pub snapshot: &'a Snapshot,
    /// What was decided.
    pub verdicts: &'a Verdicts,
    /// By which rules.
    pub policy: &'a Policy,
}

/// Room to work in, used again from row to row.
#[derive(Debug, Default)]
pub struct Room {
    ends: Vec<u32>,
    key: String,
    kept: Vec<u8>,
    kept_ends: Vec<u32>,
}

impl<'a> Teller<'a> {
    /// The tool cells of the row at `at`, without what needs its source cells: [`Told::differs`] stays empty.
    #[must_use]
    pub fn sketch(&self, at: usize) -> Told<'a> {
        self.sketch_beside(at).0
    }

    /// The same, and what is known of the holder.
    #[inline]
    fn sketch_beside(&self, at: usize) -> (Told<'a>, Cells<'a>) {
        let facts = self.roster.facts_at(at);
        let holder = self.verdicts.holder(at);
        let user = holder.map(|holder| holder.user);
        let theirs = user.map_or_else(Rules::default, |user| self.snapshot.rules[user]);
        let cells = user.map_or_else(Cells::default, |user| self.snapshot.cells(user));
        let told = Told {
            row: u32::try_from(at + 1).unwrap_or(u32::MAX),
            line: self.roster.records.line(at),
            key: self.roster.key(at),
            verdict: self.verdicts.verdict(at),
            reason: self.verdicts.reason(at).code(),
            rules: facts.rules().union(theirs).union(self.folded(at, user)),
            user_id: cells[Cell::Id as usize],
            user_state: user.map(|user| self.snapshot.states[user]),
            user_email: cells[Cell::Email as usize],
            holders: holder.map(|holder| holder.n),
            first_row: self.verdicts.first_row(at),
            differs: Differs::default(),
        };
        (told, cells)
    }

    /// What made a row's key, and its holder's, alike beyond the address itself.
    fn folded(&self, at: usize, user: Option<usize>) -> Rules {
        let folds = &self.policy.folds;
        let is_matched = user.is_some() || self.verdicts.verdict(at) == Verdict::Duplicate;
        if folds.is_empty() || !is_matched {
            return Rules::default();
        }
        let of = |key: Option<&str>| key.map_or_else(Rules::default, |key| folds.rules(key));
        let theirs = user.map_or_else(Rules::default, |user| {
            let by_username = self.verdicts.holder(at).is_some_and(|holder| holder.by_username);
            let keys = if by_username { self.snapshot.username_keys() } else { Some(self.snapshot.keys()) };
            of(keys.and_then(|keys| keys.get(user)))
        });
        of(self.roster.key(at)).union(theirs)
    }

    /// Goes to the holders of the rows that are told next: memory is waited for once, not once a row.
    pub fn approach(&self, rows: Range<usize>) {
        let holders = rows.filter_map(|at| self.verdicts.holder(at));
        holders.for_each(|holder| self.snapshot.approach(holder.user));
    }

    /// All of a row: its record, its tool cells, and what a create would send.
    ///
    /// # Errors
    /// `File` if the roster is not what it was.
    pub fn tell<'t, 'r>(
        &self,
        block: &mut Block<'t>,
        at: usize,
        room: &'r mut Room,
    ) -> Result<(Reread<'t, 'r>, Told<'a>, Said<'t>)> {
        let Room { ends, key, kept, kept_ends } = room;
        let record = block.record(at, ends)?;
        let (mut told, theirs) = self.sketch_beside(at);
        let is_sent = !matches!(told.verdict, Verdict::Present | Verdict::Duplicate);
        let mut said = self.roster.said(&record, at, is_sent.then_some(&mut *key));
        if let Some(first) = told.first_row {
            let first = first as usize - 1;
            let mut block = self.roster.records.read(first..first + 1, kept)?;
            let other = self.roster.said(&block.record(first, kept_ends)?, first, None);
            told.differs = Differs::of(compared(&said), compared(&other));
        } else if told.verdict == Verdict::Present && told.reason != Some(TAKEN) {
            let of = [Cell::Name, Cell::Department, Cell::Title];
            let mut mine = compared(&said);
            // What an export has no column for disagrees with nobody.
            for (mine, cell) in mine.iter_mut().zip(of) {
                *mine = mine.filter(|_| theirs[cell as usize].is_some() || !self.snapshot.lacks.contains(&cell));
            }
            told.differs = Differs::of(mine, of.map(|cell| theirs[cell as usize]));
        }
        if told.verdict == Verdict::New {
            let or = |cell: Option<_>, default: &Option<String>| cell.or_else(|| default.clone().map(Into::into));
            said.department = or(said.department.take(), &self.policy.defaults.department);
            said.title = or(said.title.take(), &self.policy.defaults.title);
            said.division = or(said.division.take(), &self.policy.defaults.division);
        }
        Ok((record, told, said))
    }

    /// The frame of a plan.
    ///
    /// # Errors
    /// `File` if the roster is not what it was.
    pub fn frame(&self) -> Result<DataFrame> {
        let (n, mut buffer, mut room) = (self.roster.n_rows(), Vec::new(), Room::default());
        let mut frame = COLUMNS.map(|(name, holds)| Growing::new(name, holds, n));
        for rows in self.roster.records.blocks(Effort::CHUNK_BYTES) {
            let mut block = self.roster.records.read(rows.clone(), &mut buffer)?;
            for at in rows {
                let (_, told, said) = self.tell(&mut block, at, &mut room)?;
                frame.iter_mut().zip(told.values(&said)).for_each(|(column, value)| column.push(value));
            }
        }
        Ok(DataFrame::new(n, frame.map(Growing::finish).into())?)
    }

    /// The keys that nobody holds alive as far as the snapshot tells, each with the address that a create would send: what
    /// has to be looked up where the snapshot proves nothing. Rows that cannot be created and holders that are deleted
    /// count too, since whoever is found would change their verdict.
    ///
    /// # Errors
    /// `File` if the roster is not what it was.
    pub fn sought(&self) -> Result<Vec<Sought>> {
        let (mut sought, mut buffer, mut room) = (Vec::new(), Vec::new(), Room::default());
        // What is invalid for its address alone has no key.
        let is_open = |at: &usize| match self.verdicts.verdict(*at) {
            Verdict::New | Verdict::Deleted | Verdict::Invalid => self.roster.key(*at).is_some(),
            Verdict::Present | Verdict::Duplicate => false,
        };
        for rows in self.roster.records.blocks(Effort::CHUNK_BYTES) {
            let mut block = self.roster.records.read(rows.clone(), &mut buffer)?;
            for at in rows.filter(is_open) {
                let (_, told, said) = self.tell(&mut block, at, &mut room)?;
                let key = told.key.unwrap_or_default().to_owned();
                sought.push(Sought { row: told.row, key, address: said.email.unwrap_or_default().into_owned() });
            }
        }
        Ok(sought)
    }

    /// Whether a row can be told from its places alone: its cells are sound, and nothing of them is compared.
    #[must_use]
    pub fn is_simple(&self, at: usize) -> bool {
        match self.verdicts.verdict(at) {
            Verdict::New | Verdict::Deleted => true,
            Verdict::Present | Verdict::Duplicate => false,
            Verdict::Invalid => !self.roster.facts_at(at).has(Facts::UNSOUND),
        }
    }
}

fn compared<'s>(said: &'s Said<'_>) -> [Option<&'s str>; 3] {
    [said.name.as_deref(), said.department.as_deref(), said.title.as_deref()]
}

/// The columns of a plan's frame: the tool cells, and what a create sends.
pub const COLUMNS: [(&str, Holds); 12 + SENT.len()] = {
    let mut all = [("", Holds::Texts); 12 + SENT.len()];
    let tools = [
        (columns::ROW, Holds::Numbers),
        (columns::LINE, Holds::Numbers),
        (columns::KEY, Holds::Texts),
        (columns::VERDICT, Holds::Words),
        (columns::REASON, Holds::Words),
        (columns::RULES, Holds::Words),
        (columns::USER_ID, Holds::Texts),
        (columns::USER_STATE, Holds::Words),
        (columns::USER_EMAIL, Holds::Texts),
        (columns::HOLDERS, Holds::Numbers),
        (columns::FIRST_ROW, Holds::Numbers),
        (columns::DIFFERS, Holds::Words),
    ];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < tools.len() { tools[at] } else { (SENT[at - tools.len()], Holds::Texts) };
        at += 1;
    }
    all
};

impl Told<'_> {
    /// The cells of [`COLUMNS`]. Of rows that are no candidates nothing is ever sent, so nothing of it is told.
    #[must_use]
    #[inline]
    pub fn values<'v>(&'v self, said: &'v Said<'_>) -> [Value<'v>; COLUMNS.len()] {
        let is_sent = matches!(self.verdict, Verdict::New | Verdict::Deleted);
        let sent = |cell: Option<&'v str>| Value::Text(cell.filter(|_| is_sent));
        [
            Value::Number(Some(self.row)),
            Value::Number(Some(self.line)),
            Value::Text(self.key),
            Value::Text(Some(self.verdict.as_str())),
            Value::Text(self.reason),
            Value::Text(Some(self.rules_name())),
            Value::Text(self.user_id),
            Value::Text(self.user_state.map(State::as_str)),
            Value::Text(self.user_email),
            Value::Number(self.holders),
            Value::Number(self.first_row),
            Value::Text(Some(self.differs_name()).filter(|name| !name.is_empty())),
            sent(said.email.as_deref()),
            sent(said.name.as_deref()),
            sent(said.department.as_deref()),
            sent(said.title.as_deref()),
            sent(said.division.as_deref()),
            sent(said.phone.as_deref()),
        ]
    }
}
