//! The tables of a page: which rows each has, and what is told of a row.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use polars::prelude::{StringChunked, UInt32Chunked};

use super::facts::{Cell, Column, Stand, TABLE_ROWS_MAX, Table};
use super::sources::{self, Pair, Spelt};
use super::words;
use crate::apply::Outcome;
use crate::apply::ledger::{Ledger, Row};
use crate::columns;
use crate::error::Result;
use crate::files::manifest::Manifest;
use crate::plan::{Plan, is_held};

/// The first rows of one kind, and how many there are.
#[derive(Clone, Debug, Default)]
pub struct First {
    rows: Vec<u32>,
    total: u64,
}

impl First {
    /// Counts a row, and keeps it if it is one of the first.
    pub fn push(&mut self, row: u32) {
        self.total += 1;
        if self.rows.len() < TABLE_ROWS_MAX {
            self.rows.push(row);
        }
    }
}

/// The rows that tables are made of.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// New rows by outcome.
    pub new: [First; 6],
    /// Rows that are held by a deleted user.
    pub deleted: First,
    /// Rows that another one stands for.
    pub duplicate: First,
    /// Rows that cannot be used.
    pub invalid: First,
    /// Rows of users of whom the organisation knows something else.
    pub differs: First,
}

/// What tables are made from.
struct Told<'a> {
    ledger: &'a Ledger,
    texts: HashMap<&'static str, StringChunked>,
    lines: UInt32Chunked,
    firsts: UInt32Chunked,
    spelt: HashMap<u32, Spelt>,
    stand: Stand,
}

const fn text(head: &'static str) -> Column {
    Column { head, is_number: false }
}

const fn number(head: &'static str) -> Column {
    Column { head, is_number: true }
}

/// The tables of a plan, in the order in which they are shown.
///
/// # Errors
/// `File`, `Damaged`.
pub fn of(
    dir: &Path,
    manifest: &Manifest,
    plan: &Plan,
    ledger: &Ledger,
    stand: Stand,
    found: &Found,
) -> Result<Vec<Table>> {
    let (pairs, n_pairs) = sources::suspects(dir, manifest, TABLE_ROWS_MAX)?;
    let told = Told::new(dir, manifest, plan, ledger, (stand, found, &pairs))?;
    let of_new = |outcome: Outcome| &found.new[outcome as usize];
    let mut tables = vec![told.created(of_new(Outcome::Created), of_new(Outcome::Adopted))];
    tables.extend([told.taken(of_new(Outcome::Taken)), told.refused(of_new(Outcome::Refused))]);
    tables.extend([told.unknown(of_new(Outcome::Unknown)), told.unprocessed(of_new(Outcome::Unprocessed))]);
    tables.extend([told.invalid(&found.invalid), told.duplicate(&found.duplicate)]);
    tables.extend([told.suspects(&pairs, n_pairs), told.deleted(&found.deleted), told.differs(&found.differs)]);
    // A file of results is there when a run has ended.
    let is_made = |table: &mut Table| {
        let is_there = table.file.is_none_or(|name| dir.join(name).exists());
        table.file = table.file.filter(|_| is_there);
    };
    tables.iter_mut().for_each(is_made);
    Ok(tables)
}

impl<'a> Told<'a> {
    fn new(
        dir: &Path,
        manifest: &Manifest,
        plan: &Plan,
        ledger: &'a Ledger,
        (stand, found, pairs): (Stand, &Found, &[Pair]),
    ) -> Result<Self> {
        let frame = plan.frame();
        let mut texts = HashMap::new();
        for name in [
            columns::KEY,
            columns::REASON,
            columns::USER_ID,
            columns::USER_STATE,
            columns::USER_EMAIL,
            columns::DIFFERS,
            columns::EMAIL,
            columns::NAME,
        ] {
            texts.insert(name, frame.column(name)?.str()?.clone());
        }
        let lines = frame.column(columns::LINE)?.u32()?.clone();
        let firsts = frame.column(columns::FIRST_ROW)?.u32()?.clone();
        let mut wanted: BTreeSet<u32> = BTreeSet::new();
        for first in [&found.invalid, &found.duplicate, &found.differs] {
            wanted.extend(&first.rows);
        }
        wanted.extend(found.duplicate.rows.iter().filter_map(|row| firsts.get(*row as usize - 1)));
        wanted.extend(
            pairs.iter().flat_map(|pair| [row_of(pair, columns::ROW), row_of(pair, columns::OTHER_ROW)]).flatten(),
        );
        wanted.remove(&0);
        let spelt = sources::read(dir, manifest, plan, &wanted)?;
        Ok(Self { ledger, texts, lines, firsts, spelt, stand })
    }

    fn text(&self, name: &'static str, row: u32) -> Option<&str> {
        self.texts.get(name)?.get((row as usize).checked_sub(1)?)
    }

    fn line(&self, row: u32) -> Cell {
        Cell::number((row as usize).checked_sub(1).and_then(|at| self.lines.get(at)))
    }

    /// Row, line, address and name of a row that is sent.
    fn sent(&self, row: u32) -> Vec<Cell> {
        vec![
            Cell::Number(row.into()),
            self.line(row),
            Cell::of(Cell::Address, self.text(columns::EMAIL, row).or_else(|| self.text(columns::KEY, row))),
            Cell::of(Cell::Name, self.text(columns::NAME, row)),
        ]
    }

    /// The same as it stands in the roster.
    fn spelt(&self, row: u32) -> Vec<Cell> {
        let spelt = self.spelt.get(&row);
        vec![
            Cell::Number(row.into()),
            self.line(row),
            Cell::of(Cell::Address, spelt.map(|spelt| spelt.email.as_str())),
            Cell::of(Cell::Name, spelt.map(|spelt| spelt.name.as_str())),
        ]
    }

    fn code(&self, name: &'static str, row: u32) -> Cell {
        Cell::of(Cell::Code, self.text(name, row))
    }

    /// Rows with what the journal says of each.
    fn tried<'t>(&'t self, first: &'t First, tell: impl Fn(u32, &Row) -> Vec<Cell> + 't) -> Vec<Vec<Cell>> {
        let tried = first.rows.iter().filter_map(|row| Some((*row, self.ledger.row(*row)?)));
        tried.map(|(row, tried)| [self.sent(row), tell(row, tried)].concat()).collect()
    }

    fn created(&self, created: &First, adopted: &First) -> Table {
        const COLUMNS: [Column; 8] = [
            number("Row"),
            number("Line"),
            text("Address"),
            text("Name"),
            text("How"),
            text("User id"),
            text("Since then"),
            text("At (UTC)"),
        ];
        let mut both =
            First { rows: [&created.rows[..], &adopted.rows].concat(), total: created.total + adopted.total };
        both.rows.sort_unstable();
        both.rows.truncate(TABLE_ROWS_MAX);
        let rows = self.tried(&both, |row, tried| {
            let since = self.ledger.changes.of(row).map_or("", |change| match change {
                change if change.is_removed() => "deleted again",
                change if change.is_unsure() => "perhaps deleted",
                _ => "kept by rollback",
            });
            vec![
                Cell::Code(tried.outcome().as_str().to_owned()),
                Cell::of(Cell::Code, tried.user_id.as_deref()),
                Cell::of(Cell::Code, Some(since)),
                at(&tried.at),
            ]
        });
        Table {
            id: "created",
            title: "Created",
            about: "Users that these runs made. “adopted”: the reply was lost, and the user was found as it had been sent.",
            none: "Nobody was created.",
            file: Some("created.csv"),
            columns: &COLUMNS,
            rows,
            total: both.total,
        }
    }

    fn taken(&self, first: &First) -> Table {
        const COLUMNS: [Column; 7] = [
            number("Row"),
            number("Line"),
            text("Address"),
            text("Name"),
            text("State"),
            text("Held by"),
            text("At (UTC)"),
        ];
        let rows = self.tried(first, |_, tried| {
            let state = tried.user_state.map(crate::person::State::as_str);
            vec![Cell::of(Cell::Code, state), Cell::of(Cell::Code, tried.user_id.as_deref()), at(&tried.at)]
        });
        Table {
            id: "taken",
            title: "Taken meanwhile",
            about: "Somebody else got the address between the plan and its run. Nothing was changed for them.",
            none: "No address was taken meanwhile.",
            file: Some("taken.csv"),
            columns: &COLUMNS,
            rows,
            total: first.total,
        }
    }

    fn refused(&self, first: &First) -> Table {
        const COLUMNS: [Column; 8] = [
            number("Row"),
            number("Line"),
            text("Address"),
            text("Name"),
            number("HTTP"),
            text("Code"),
            text("The service’s words"),
            text("Correlation id"),
        ];
        let rows = self.tried(first, |_, tried| {
            vec![
                Cell::number(tried.reply.http.map(u32::from)),
                Cell::of(Cell::Words, tried.reply.code.as_deref()),
                Cell::of(Cell::Words, tried.reply.words.as_deref()),
                Cell::of(Cell::Words, tried.reply.cid.as_deref()),
            ]
        });
        Table {
            id: "refused",
            title: "Refused",
            about: "The service said no. Correct these rows in refused.csv and plan that file again.",
            none: "Nothing was refused.",
            file: Some("refused.csv"),
            columns: &COLUMNS,
            rows,
            total: first.total,
        }
    }

    fn unknown(&self, first: &First) -> Table {
        const COLUMNS: [Column; 7] = [
            number("Row"),
            number("Line"),
            text("Address"),
            text("Name"),
            text("What came instead of a reply"),
            number("Attempts"),
            text("At (UTC)"),
        ];
        let rows = self.tried(first, |_, tried| {
            let why = tried.why.as_deref().or(tried.reply.words.as_deref()).unwrap_or("nothing yet: it had just left");
            vec![Cell::of(Cell::Words, Some(why)), Cell::Number(tried.attempts.into()), at(&tried.at)]
        });
        Table {
            id: "unknown",
            title: "Unknown",
            about: "A create left and nobody knows yet whether it was carried out. The next run looks before it sends again.",
            none: "Nothing is unknown.",
            file: Some("unknown.csv"),
            columns: &COLUMNS,
            rows,
            total: first.total,
        }
    }

    fn unprocessed(&self, first: &First) -> Table {
        const COLUMNS: [Column; 5] = [number("Row"), number("Line"), text("Address"), text("Name"), text("Note")];
        let is_planned = self.stand == Stand::Planned;
        let tell = |row: &u32| {
            let reason = self.text(columns::REASON, *row);
            let tried = self.ledger.row(*row).and_then(|tried| tried.why.as_deref());
            let note = match (reason, tried) {
                (None, Some(why)) => Cell::Words(why.to_owned()),
                (Some(code), Some(why)) if !is_held(code) => Cell::Words(why.to_owned()),
                (Some(code), _) => Cell::Code(words::reason(code).0),
                (None, None) => Cell::None,
            };
            [self.sent(*row), vec![note]].concat()
        };
        Table {
            id: "unprocessed",
            title: if is_planned { "To be created" } else { "Not sent yet" },
            about: if is_planned {
                "Nobody holds these addresses. Nothing was sent for them."
            } else {
                "Nothing was sent for these rows, or it provably did not arrive."
            },
            none: if is_planned { "Nobody is to be created." } else { "Everything was sent." },
            file: Some(if is_planned { "new.csv" } else { "unprocessed.csv" }),
            columns: &COLUMNS,
            rows: first.rows.iter().map(tell).collect(),
            total: first.total,
        }
    }

    fn invalid(&self, first: &First) -> Table {
        const COLUMNS: [Column; 6] = [
            number("Row"),
            number("Line"),
            text("Address as it stands"),
            text("Name"),
            text("Code"),
            text("What is wrong"),
        ];
        let tell = |row: &u32| {
            let code = self.text(columns::REASON, *row);
            let means = Cell::of(Cell::Code, code.map(|code| words::reason(code).0).as_deref());
            [self.spelt(*row), vec![Cell::of(Cell::Code, code), means]].concat()
        };
        Table {
            id: "invalid",
            title: "Invalid",
            about: "Rows that cannot be used as they are. Nothing is sent for them.",
            none: "No row is invalid.",
            file: Some("invalid.csv"),
            columns: &COLUMNS,
            rows: first.rows.iter().map(tell).collect(),
            total: first.total,
        }
    }

    fn duplicate(&self, first: &First) -> Table {
        const COLUMNS: [Column; 9] = [
            number("Row"),
            number("Line"),
            text("Address"),
            text("Name"),
            number("Stands: row"),
            number("Line"),
            text("Address"),
            text("Name"),
            text("Differs in"),
        ];
        let tell = |row: &u32| {
            let stands = self.firsts.get(*row as usize - 1).filter(|stands| *stands > 0);
            let other = stands.map_or_else(|| vec![Cell::None; 4], |stands| self.spelt(stands));
            [self.spelt(*row), other, vec![self.code(columns::DIFFERS, *row)]].concat()
        };
        Table {
            id: "duplicate",
            title: "Duplicates",
            about: "Rows for which another row of the roster stands, and that row.",
            none: "No row is there twice.",
            file: Some("duplicate.csv"),
            columns: &COLUMNS,
            rows: first.rows.iter().map(tell).collect(),
            total: first.total,
        }
    }

    fn suspects(&self, pairs: &[Pair], total: u64) -> Table {
        const COLUMNS: [Column; 10] = [
            number("Row"),
            number("Line"),
            text("Address"),
            text("Name"),
            text("Likeness"),
            text("Resembles"),
            number("Its row"),
            text("Its address"),
            text("Its name"),
            text("Its user"),
        ];
        let tell = |pair: &Pair| {
            let said = |name: &str| pair.get(name).map(String::as_str);
            let other = row_of(pair, columns::OTHER_ROW);
            let user = said(columns::USER_ID).filter(|id| !id.is_empty());
            let user = user.map(|id| format!("{id} ({})", said(columns::USER_STATE).unwrap_or_default()));
            let likeness = said(columns::LIKENESS).unwrap_or_default();
            let row = row_of(pair, columns::ROW).unwrap_or_default();
            let rest = vec![
                Cell::of(Cell::Code, Some(words::likeness(likeness)).filter(|w| !w.is_empty()).or(Some(likeness))),
                Cell::of(Cell::Code, said(columns::RESEMBLES)),
                Cell::number(other),
                Cell::of(Cell::Address, said(columns::OTHER_EMAIL)),
                Cell::of(Cell::Name, said(columns::OTHER_NAME)),
                Cell::of(Cell::Code, user.as_deref()),
            ];
            [self.spelt(row), rest].concat()
        };
        Table {
            id: "suspects",
            title: "Suspects",
            about: "New rows that resemble a user, or a new row before them. None of it decides anything: look at them.",
            none: "No new row resembles anybody.",
            file: Some("suspects.csv"),
            columns: &COLUMNS,
            rows: pairs.iter().map(tell).collect(),
            total,
        }
    }

    fn deleted(&self, first: &First) -> Table {
        const COLUMNS: [Column; 7] = [
            number("Row"),
            number("Line"),
            text("Address"),
            text("Name"),
            text("Deleted user"),
            text("Its address"),
            text("What became of it"),
        ];
        let tell = |row: &u32| {
            let restoration = self.ledger.changes.of(*row).and_then(crate::apply::changes::Change::restoration);
            let rest = vec![
                self.code(columns::USER_ID, *row),
                Cell::of(Cell::Address, self.text(columns::USER_EMAIL, *row)),
                Cell::of(Cell::Code, Some(restoration.map_or("left as it is", |restoration| restoration.as_str()))),
            ];
            [self.sent(*row), rest].concat()
        };
        Table {
            id: "deleted",
            title: "Held by deleted users",
            about: "A deleted user holds the address: a create would be refused, so none is sent.",
            none: "Of no row did a deleted user hold the address when it was planned.",
            file: Some("deleted.csv"),
            columns: &COLUMNS,
            rows: first.rows.iter().map(tell).collect(),
            total: first.total,
        }
    }

    fn differs(&self, first: &First) -> Table {
        const COLUMNS: [Column; 8] = [
            number("Row"),
            number("Line"),
            text("Address"),
            text("Name"),
            text("User id"),
            text("State"),
            text("Its address"),
            text("Differs in"),
        ];
        let tell = |row: &u32| {
            let rest = vec![
                self.code(columns::USER_ID, *row),
                self.code(columns::USER_STATE, *row),
                Cell::of(Cell::Address, self.text(columns::USER_EMAIL, *row)),
                self.code(columns::DIFFERS, *row),
            ];
            [self.spelt(*row), rest].concat()
        };
        Table {
            id: "differs",
            title: "Present, and different",
            about: "Of these users roster and organisation disagree. Nothing is done about it; present.csv says in what.",
            none: "Of present users roster and organisation agree.",
            file: Some("present.csv"),
            columns: &COLUMNS,
            rows: first.rows.iter().map(tell).collect(),
            total: first.total,
        }
    }
}

fn row_of(pair: &Pair, name: &str) -> Option<u32> {
    pair.get(name).and_then(|text| text.parse().ok())
}

/// A time stamp as it is shown.
fn at(at: &str) -> Cell {
    Cell::Code(super::times::day_and_time(at))
}
