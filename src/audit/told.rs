//! What is told of the people in clusters.
//!
//! Clusters part what stands together in a file, so what is told of a roster's rows is read beforehand, in one pass from
//! the first to the last, and kept on cards like those of users: of the rows in clusters, and of no others.

use std::borrow::Cow;
use std::ops::Range;

use super::{By, Clusters, Crowd, Crowds, People};
use crate::cells::{Holds, Value};
use crate::columns;
use crate::email::Rules;
use crate::error::Result;
use crate::lanes::{Effort, in_order};
use crate::person::State;
use crate::plan::{Differs, Keep, rules_name};
use crate::roster::Roster;
use crate::snapshot::{Cards, Cell, Cells, Piece};

/// What the member that stands is called by where that is a user.
const ORG: &str = "org";

/// People who are gone to at a time.
const APPROACHED: usize = 32;

/// One member of a cluster.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// Cluster, 1-based.
    pub cluster: u32,
    /// How many people are in it.
    pub size: u32,
    /// The file, as it was named.
    pub file: &'a str,
    /// Its row, 1-based: of a roster or of what lists the users.
    pub row: u32,
    /// Line of a roster at which the row starts, 1-based.
    pub line: Option<u32>,
    /// State of a user; a row has none.
    pub state: Option<State>,
    /// What is known: of a row there is no id.
    pub cells: Cells<'a>,
    /// What it has in common with others; of a user both keys if others have both, parted by a blank.
    pub key: Cow<'a, str>,
    /// Rules that fired for its address.
    pub rules: Rules,
    /// Whether it stands.
    pub is_kept: bool,
    /// What decided who stands.
    pub policy: &'static str,
    /// Fields in which it disagrees with the one that stands.
    pub disagrees: Differs,
}

/// The columns of clusters.
pub const COLUMNS: [(&str, Holds); 14] = [
    (columns::CLUSTER, Holds::Numbers),
    (columns::SIZE, Holds::Numbers),
    (columns::MEMBER, Holds::Words),
    (columns::KIND, Holds::Words),
    (columns::ROW, Holds::Numbers),
    (columns::LINE, Holds::Numbers),
    (columns::USER_ID, Holds::Texts),
    (columns::STATE, Holds::Words),
    (columns::EMAIL, Holds::Texts),
    (columns::KEY, Holds::Texts),
    (columns::RULES, Holds::Words),
    (columns::KEPT, Holds::Words),
    (columns::POLICY, Holds::Words),
    (columns::DISAGREES, Holds::Words),
];

impl Member<'_> {
    /// The cells of [`COLUMNS`].
    #[must_use]
    pub fn values(&self) -> [Value<'_>; COLUMNS.len()] {
        [
            Value::Number(Some(self.cluster)),
            Value::Number(Some(self.size)),
            Value::Text(Some(self.file)),
            Value::Text(Some(if self.state.is_some() { ORG } else { "roster" })),
            Value::Number(Some(self.row)),
            Value::Number(self.line),
            some(self.cells[Cell::Id as usize]),
            Value::Text(self.state.map(State::as_str)),
            some(self.cells[Cell::Email as usize]),
            Value::Text(Some(&self.key)),
            some(Some(rules_name(self.rules))),
            Value::Text(Some(if self.is_kept { "yes" } else { "no" })),
            Value::Text(Some(self.policy)),
            some(Some(self.disagrees.name())),
        ]
    }
}

/// Who tells.
#[derive(Debug)]
pub struct Teller<'a> {
    crowds: &'a Crowds,
    clusters: &'a Clusters,
    by: By,
    keep: Keep,
    /// For each file the rows in clusters, in order, and what is told of them; nothing for users.
    cards: Vec<(Vec<u32>, Cards)>,
}

impl<'a> Teller<'a> {
    /// Reads what is told of rows.
    ///
    /// # Errors
    /// `File` if a roster is not what it was; `Interrupted`.
    pub fn new(crowds: &'a Crowds, clusters: &'a Clusters, by: By, keep: Keep, effort: Effort) -> Result<Self> {
        let mut people = clusters.members().to_vec();
        people.sort_unstable();
        let read = |(crowd, begin): (&Crowd, u32)| {
            let People::Rows(roster) = &crowd.people else { return Ok(Default::default()) };
            let place = |person: u32| people.partition_point(|other| *other < person);
            let end = begin + u32::try_from(roster.n_rows()).unwrap_or(u32::MAX);
            let rows: Vec<u32> = people[place(begin)..place(end)].iter().map(|person| person - begin).collect();
            let cards = read_cards(roster, &rows, effort)?;
            Ok((rows, cards))
        };
        let cards = crowds.numbered().map(read).collect::<Result<_>>()?;
        Ok(Self { crowds, clusters, by, keep, cards })
    }

    /// How many people there are to tell of.
    #[must_use]
    pub const fn n_members(&self) -> usize {
        self.clusters.n_members()
    }

    /// Tells of some of them, cluster by cluster.
    pub fn tell(&self, members: Range<usize>, mut tell: impl FnMut(&Member<'_>)) {
        let mut cluster = self.clusters.cluster(members.start);
        let end = members.end;
        for (nth, at) in members.enumerate() {
            if nth % APPROACHED == 0 {
                self.approach(at..(at + APPROACHED).min(end));
            }
            cluster += usize::from(self.clusters.end(cluster) <= at);
            tell(&self.member(cluster, self.clusters.members()[at]));
        }
    }

    /// Goes to the users who are told of next: memory is waited for once, not once a user.
    fn approach(&self, members: Range<usize>) {
        for person in &self.clusters.members()[members] {
            let (crowd, at) = self.crowds.place(*person);
            if let People::Users(snapshot) = &self.crowds.all()[crowd].people {
                snapshot.approach(at);
            }
        }
    }

    fn member(&self, cluster: usize, person: u32) -> Member<'_> {
        let (crowd, at) = self.crowds.place(person);
        let Crowd { name, people, .. } = &self.crowds.all()[crowd];
        let number = |at: usize| u32::try_from(at + 1).unwrap_or(u32::MAX);
        let (line, state, rules) = match people {
            People::Rows(roster) => (Some(roster.records.line(at)), None, roster.facts_at(at).rules()),
            People::Users(snapshot) => (None, Some(snapshot.states[at]), snapshot.rules[at]),
        };
        let cells = self.cells(person);
        let stands = self.clusters.stands(cluster);
        let other = stands.filter(|other| *other != person).map(|other| self.cells(other));
        Member {
            cluster: number(cluster),
            size: self.clusters.size(cluster),
            file: name,
            row: number(at),
            line,
            state,
            cells,
            key: self.key(person),
            rules: if self.by == By::Email { rules } else { Rules::default() },
            is_kept: stands == Some(person),
            policy: self.policy(stands),
            disagrees: other.map_or_else(Differs::default, |other| disagreement(&cells, &other)),
        }
    }

    fn cells(&self, person: u32) -> Cells<'_> {
        let (crowd, at) = self.crowds.place(person);
        if let People::Users(snapshot) = &self.crowds.all()[crowd].people {
            return snapshot.cells(at);
        }
        let (rows, cards) = &self.cards[crowd];
        let card = rows.binary_search_by(|row| (*row as usize).cmp(&at));
        card.map_or_else(|_| Cells::default(), |card| cards.cells(card))
    }

    fn policy(&self, stands: Option<u32>) -> &'static str {
        let is_user = |person: u32| matches!(self.crowds.all()[self.crowds.place(person).0].people, People::Users(_));
        if stands.is_some_and(is_user) { ORG } else { self.keep.as_str() }
    }

    fn key(&self, person: u32) -> Cow<'_, str> {
        let (crowd, at) = self.crowds.place(person);
        let columns = self.crowds.all()[crowd].columns();
        let key = |column: usize| {
            let key = columns[column].and_then(|values| values.get(at));
            key.filter(|_| self.clusters.is_shared(person, column)).unwrap_or_default()
        };
        match [key(0), key(1)] {
            [one, ""] | ["", one] => Cow::Borrowed(one),
            both => Cow::Owned(both.join(" ")),
        }
    }
}

/// An empty text is none.
fn some(text: Option<&str>) -> Value<'_> {
    Value::Text(text.filter(|text| !text.is_empty()))
}

/// In which fields one disagrees with another; what it leaves empty disagrees with nothing.
fn disagreement(mine: &Cells<'_>, other: &Cells<'_>) -> Differs {
    const COMPARED: [Cell; 3] = [Cell::Name, Cell::Department, Cell::Title];
    let said = |cell: Cell| mine[cell as usize].map(str::trim).filter(|cell| !cell.is_empty());
    Differs::of(COMPARED.map(said), COMPARED.map(|cell| other[cell as usize]))
}

/// What is told of some rows of a roster, which are in order.
fn read_cards(roster: &Roster, rows: &[u32], effort: Effort) -> Result<Cards> {
    let blocks = roster.records.blocks(effort.chunk_bytes);
    let mut cards = Cards::default();
    let make = |(buffer, ends): &mut (Vec<u8>, Vec<u32>), at: usize| -> Result<Piece> {
        let place = |row: usize| rows.partition_point(|other| (*other as usize) < row);
        let wanted = &rows[place(blocks[at].start)..place(blocks[at].end)];
        let mut piece = Piece::with_capacity(wanted.len());
        if wanted.is_empty() {
            return Ok(piece);
        }
        let mut block = roster.records.read(blocks[at].clone(), buffer)?;
        for row in wanted {
            let row = *row as usize;
            let record = block.record(row, ends)?;
            let said = roster.said(&record, row, None);
            let email = record.cell(roster.mapping.email);
            let mut cells = Cells::default();
            let known = [
                (Cell::Name, said.name.as_deref()),
                (Cell::Email, Some(&*email)),
                (Cell::Department, said.department.as_deref()),
                (Cell::Title, said.title.as_deref()),
            ];
            known.into_iter().for_each(|(cell, text)| cells[cell as usize] = text);
            piece.push(cells);
        }
        Ok(piece)
    };
    in_order(blocks.len(), effort.threads, make, |_, piece| {
        effort.stop.check()?;
        cards.append(piece);
        Ok(())
    })?;
    Ok(cards)
}
