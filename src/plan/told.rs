//! What is told of a row: its tool cells, and what a create would send.
//!
//! Verdicts keep ten bytes a row. Whatever else is told is read again from where it stands, the roster's cells from the
//! roster and the holder's from the snapshot, so that memory does not grow with what the cells hold.

use std::ops::Range;
use std::sync::LazyLock;

use polars::prelude::*;

use super::{Defaults, SENT, Sought, Verdict, Verdicts};
use crate::columns;
use crate::email::Rules;
use crate::error::Result;
use crate::lanes::Effort;
use crate::person::State;
use crate::roster::{Block, Facts, Reread, Roster, Said};
use crate::snapshot::{Cell, Snapshot};

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
const THEIRS: [Cell; 3] = [Cell::Name, Cell::Department, Cell::Title];

impl Differs {
    /// A field that the roster leaves empty disagrees with nothing.
    fn of(mine: [Option<&str>; 3], other: [Option<&str>; 3]) -> Self {
        let is_other = |(mine, other): &(Option<&str>, Option<&str>)| {
            mine.is_some_and(|mine| mine != other.unwrap_or_default().trim())
        };
        let pairs = mine.into_iter().zip(other).enumerate();
        Self(pairs.filter(|(_, pair)| is_other(pair)).fold(0, |set, (at, _)| set | 1 << at))
    }
}

/// What rules and differences are called: few combinations, told of millions of rows.
static RULES: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..=u8::MAX).map(|bits| Rules::from_bits(bits).to_string()).collect());
static DIFFERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let name = |bits: usize| {
        let fields = COMPARED.iter().enumerate().filter(|(at, _)| bits & 1 << at != 0);
        fields.map(|(_, field)| *field).collect::<Vec<_>>().join("+")
    };
    (0..1 << COMPARED.len()).map(name).collect()
});

impl Told<'_> {
    /// The rules, joined by `+`.
    #[must_use]
    pub fn rules_name(&self) -> &'static str {
        &RULES[usize::from(self.rules.bits())]
    }

    /// The fields that disagree, joined by `+`; empty if all agree.
    #[must_use]
    pub fn differs_name(&self) -> &'static str {
        &DIFFERS[usize::from(self.differs.0)]
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
    /// What a create sends where the roster says nothing.
    pub defaults: &'a Defaults,
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
        let facts = self.roster.facts_at(at);
        let holder = self.verdicts.holder(at);
        let user = holder.map(|holder| holder.user);
        let theirs = user.map_or_else(Rules::default, |user| self.snapshot.rules[user]);
        Told {
            row: u32::try_from(at + 1).unwrap_or(u32::MAX),
            line: self.roster.records.line(at),
            key: self.roster.key(at),
            verdict: self.verdicts.verdict(at),
            reason: self.verdicts.reason(at).code(),
            rules: facts.rules().union(theirs),
            user_id: user.and_then(|user| self.snapshot.cell(Cell::Id, user)),
            user_state: user.map(|user| self.snapshot.states[user]),
            user_email: user.and_then(|user| self.snapshot.cell(Cell::Email, user)),
            holders: holder.map(|holder| holder.n),
            first_row: self.verdicts.first_row(at),
            differs: Differs::default(),
        }
    }

    /// All of a row: its record, its tool cells, and what a create would send.
    ///
    /// # Errors
    /// `File` if the roster is not what it was.
    pub fn tell<'t, 'r>(
        &self,
        block: &Block<'t>,
        at: usize,
        room: &'r mut Room,
    ) -> Result<(Reread<'t, 'r>, Told<'a>, Said<'t>)> {
        let Room { ends, key, kept, kept_ends } = room;
        let record = block.record(at, ends)?;
        let mut told = self.sketch(at);
        let is_sent = !matches!(told.verdict, Verdict::Present | Verdict::Duplicate);
        let mut said = self.roster.said(&record, at, is_sent.then_some(&mut *key));
        if let Some(first) = told.first_row {
            let first = first as usize - 1;
            let block = self.roster.records.read(first..first + 1, kept)?;
            let other = self.roster.said(&block.record(first, kept_ends)?, first, None);
            told.differs = Differs::of(compared(&said), compared(&other));
        } else if let Some(holder) = self.verdicts.holder(at).filter(|_| told.verdict == Verdict::Present) {
            told.differs = Differs::of(compared(&said), THEIRS.map(|cell| self.snapshot.cell(cell, holder.user)));
        }
        if told.verdict == Verdict::New {
            let or = |cell: Option<_>, default: &Option<String>| cell.or_else(|| default.clone().map(Into::into));
            said.department = or(said.department.take(), &self.defaults.department);
            said.title = or(said.title.take(), &self.defaults.title);
            said.division = or(said.division.take(), &self.defaults.division);
        }
        Ok((record, told, said))
    }

    /// The frame of a plan for some rows.
    ///
    /// # Errors
    /// `File` if the roster is not what it was.
    pub fn frame(&self, rows: Range<usize>, buffer: &mut Vec<u8>, room: &mut Room) -> Result<DataFrame> {
        let mut frame = Frame::of(rows.len());
        let block = self.roster.records.read(rows.clone(), buffer)?;
        for at in rows {
            let (_, told, said) = self.tell(&block, at, room)?;
            frame.push(&told, &said);
        }
        frame.finish()
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
            let block = self.roster.records.read(rows.clone(), &mut buffer)?;
            for at in rows.filter(is_open) {
                let (_, told, said) = self.tell(&block, at, &mut room)?;
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

/// The string columns of a plan's tool cells, in the order in which they are pushed.
const TEXTS: [&str; 8] = [
    columns::KEY,
    columns::VERDICT,
    columns::REASON,
    columns::RULES,
    columns::USER_ID,
    columns::USER_STATE,
    columns::USER_EMAIL,
    columns::DIFFERS,
];

const NOTHING: Said<'static> =
    Said { email: None, name: None, department: None, title: None, division: None, phone: None };

/// A plan's frame on its way.
pub(crate) struct Frame {
    row: Vec<u32>,
    line: Vec<u32>,
    holders: Vec<Option<u32>>,
    first_row: Vec<Option<u32>>,
    texts: [StringChunkedBuilder; TEXTS.len()],
    sent: [StringChunkedBuilder; SENT.len()],
}

impl Frame {
    pub(crate) fn of(n: usize) -> Self {
        let builder = |name: &str| StringChunkedBuilder::new(name.into(), n);
        Self {
            row: Vec::with_capacity(n),
            line: Vec::with_capacity(n),
            holders: Vec::with_capacity(n),
            first_row: Vec::with_capacity(n),
            texts: TEXTS.map(builder),
            sent: SENT.map(builder),
        }
    }

    pub(crate) fn push(&mut self, told: &Told<'_>, said: &Said<'_>) {
        self.row.push(told.row);
        self.line.push(told.line);
        self.holders.push(told.holders);
        self.first_row.push(told.first_row);
        let texts = [
            told.key,
            Some(told.verdict.as_str()),
            told.reason,
            Some(told.rules_name()),
            told.user_id,
            told.user_state.map(State::as_str),
            told.user_email,
            Some(told.differs_name()).filter(|name| !name.is_empty()),
        ];
        self.texts.iter_mut().zip(texts).for_each(|(column, cell)| column.append_option(cell));
        // Of others nothing is ever sent.
        let said = if matches!(told.verdict, Verdict::New | Verdict::Deleted) { said } else { &NOTHING };
        let sent = [
            said.email.as_deref(),
            said.name.as_deref(),
            said.department.as_deref(),
            said.title.as_deref(),
            said.division.as_deref(),
            said.phone.as_deref(),
        ];
        self.sent.iter_mut().zip(sent).for_each(|(column, cell)| column.append_option(cell));
    }

    pub(crate) fn finish(self) -> Result<DataFrame> {
        let n = self.row.len();
        let text = |builder: StringChunkedBuilder| builder.finish().into_series().into_column();
        let [key, verdict, reason, rules, user_id, user_state, user_email, differs] = self.texts.map(text);
        let number = |name: &str, cells: Vec<u32>| Column::new(name.into(), cells);
        let some = |name: &str, cells: Vec<Option<u32>>| Column::new(name.into(), cells);
        let mut all = vec![
            number(columns::ROW, self.row),
            number(columns::LINE, self.line),
            key,
            verdict,
            reason,
            rules,
            user_id,
            user_state,
            user_email,
            some(columns::HOLDERS, self.holders),
            some(columns::FIRST_ROW, self.first_row),
            differs,
        ];
        all.extend(self.sent.map(text));
        Ok(DataFrame::new(n, all)?)
    }
}
