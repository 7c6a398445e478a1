//! Who is there more than once: rows and users with a value in common, inside and across any number of files.
//!
//! Pure but for the rosters' own text. [`Crowds`] are the people of all files, in order; [`Clusters`] say who of them
//! belong together and who stands; a [`Teller`] says of each what people want to know. A user has two keys, e-mail and
//! username, and may so join people who have nothing in common with each other: clusters grow by union and find.

mod clusters;
#[cfg(test)]
mod tests;
mod told;
mod values;

pub use clusters::Clusters;
pub use told::{COLUMNS, Member, Teller};
pub use values::{employee_ids, names};

use crate::error::{Error, Kind, Result};
use crate::roster::Roster;
use crate::snapshot::Snapshot;
use crate::strings::Strings;

/// What people of one cluster have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// The normalised address: of a user that of the e-mail and that of the username.
    #[default]
    Email,
    /// The name, whatever its case and blanks.
    Name,
    /// The number that the employer knows somebody by.
    EmployeeId,
}

impl By {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Name => "name",
            Self::EmployeeId => "employee-id",
        }
    }
}

/// The people of one file.
#[derive(Clone, Debug)]
pub enum People {
    /// Rows of a roster.
    Rows(Roster),
    /// Users of an organisation.
    Users(Snapshot),
}

impl People {
    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Rows(roster) => roster.n_rows(),
            Self::Users(snapshot) => snapshot.len(),
        }
    }

    /// Whether there is nobody.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The people of one file, and the values that they are compared by.
#[derive(Clone, Debug)]
pub struct Crowd {
    /// The file, as it was named.
    pub name: String,
    /// Who is in it.
    pub people: People,
    /// One value a person, where that is not the address.
    values: Option<Strings>,
}

impl Crowd {
    /// People who are compared by their addresses.
    #[must_use]
    pub const fn by_email(name: String, people: People) -> Self {
        Self { name, people, values: None }
    }

    /// People who are compared by one value each; a null belongs to nobody.
    #[must_use]
    pub const fn by_value(name: String, people: People, values: Strings) -> Self {
        Self { name, people, values: Some(values) }
    }

    /// Whether anybody has a value other than the address.
    #[must_use]
    pub fn has_values(&self) -> bool {
        self.values.as_ref().is_some_and(|values| values.iter().any(|value| value.is_some()))
    }

    /// The values of all, column by column.
    fn columns(&self) -> [Option<&Strings>; 2] {
        match (&self.values, &self.people) {
            (Some(values), _) => [Some(values), None],
            (None, People::Rows(roster)) => [Some(roster.keys()), None],
            (None, People::Users(snapshot)) => [Some(snapshot.keys()), snapshot.username_keys()],
        }
    }
}

/// The people of all files, numbered through in the order of the files and of their rows.
#[derive(Clone, Debug)]
pub struct Crowds {
    all: Vec<Crowd>,
    /// The number of the first of each file, and at the end how many there are.
    begins: Vec<u32>,
}

impl Crowds {
    /// Whether people are compared by their addresses.
    fn are_by_email(&self) -> bool {
        self.all().iter().all(|crowd| crowd.values.is_none())
    }

    /// Numbers the people.
    ///
    /// # Errors
    /// `File` for more than four thousand million of them.
    pub fn of(all: Vec<Crowd>) -> Result<Self> {
        let mut begins = vec![0];
        let (mut n, mut n_values) = (0, 0);
        for crowd in &all {
            n += crowd.people.len();
            n_values += crowd.columns().into_iter().flatten().map(Strings::len).sum::<usize>();
            begins.push(u32::try_from(n).unwrap_or(u32::MAX));
        }
        if u32::try_from(n_values.max(n)).is_ok_and(|n| n < u32::MAX) {
            return Ok(Self { all, begins });
        }
        Err(Error::new(Kind::File, "the files hold more than 4,294,967,294 rows and users")
            .hint("audit fewer files at a time"))
    }

    /// The files.
    #[must_use]
    pub fn all(&self) -> &[Crowd] {
        &self.all
    }

    /// How many people there are.
    #[must_use]
    pub fn n_people(&self) -> u32 {
        self.begins.last().copied().unwrap_or_default()
    }

    /// The files, each with the number of its first.
    fn numbered(&self) -> impl Iterator<Item = (&Crowd, u32)> + '_ {
        self.all.iter().zip(self.begins.iter().copied())
    }

    /// Which file somebody is in, and where.
    #[inline]
    fn place(&self, person: u32) -> (usize, usize) {
        let crowd = self.begins.partition_point(|begin| *begin <= person).saturating_sub(1);
        (crowd, (person - self.begins[crowd]) as usize)
    }
}
