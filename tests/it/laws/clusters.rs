//! Clusters are what a quadratic union of everybody with everybody finds, in whatever order the files come.

use polars::prelude::*;
use proptest::prelude::*;
use proptest::sample::select;
use rosterdiff::audit::{By, Clusters, Crowd, Crowds, People, Teller, names};
use rosterdiff::lanes::{Effort, Stop};
use rosterdiff::plan::Keep;
use rosterdiff::roster::Roster;
use rosterdiff::snapshot::Snapshot;

use super::oracle;

/// Somebody of a file: what stands there of them.
#[derive(Clone, Debug)]
struct Somebody {
    email: String,
    name: &'static str,
    /// Of a user.
    username: String,
    state: &'static str,
}

#[derive(Clone, Debug)]
struct File {
    /// Of how many files this was made as which: it stays with the file wherever that goes.
    number: usize,
    is_org: bool,
    people: Vec<Somebody>,
}

impl File {
    fn id(&self, at: usize) -> String {
        format!("id-{}-{at}", self.number)
    }

    fn frame(&self) -> DataFrame {
        let column = |name: &str, cell: &dyn Fn(usize) -> String| {
            Column::new(name.into(), (0..self.people.len()).map(cell).collect::<Vec<_>>())
        };
        let mut columns = vec![
            column("email", &|at| self.people[at].email.clone()),
            column("name", &|at| self.people[at].name.to_owned()),
        ];
        if self.is_org {
            columns.push(column("id", &|at| self.id(at)));
            columns.push(column("username", &|at| self.people[at].username.clone()));
            columns.push(column("state", &|at| self.people[at].state.to_owned()));
        }
        DataFrame::new(self.people.len(), columns).unwrap()
    }

    /// What somebody is a member by.
    fn values(&self, at: usize, by: By) -> Vec<String> {
        let Somebody { email, name, username, .. } = &self.people[at];
        if by == By::Name {
            let name = name.to_lowercase().split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
            return Some(name).into_iter().filter(|name| !name.is_empty()).collect();
        }
        let mut keys: Vec<String> = oracle::key(email).into_iter().collect();
        keys.extend(oracle::key(username).filter(|_| self.is_org));
        keys
    }
}

fn address() -> impl Strategy<Value = String> {
    let sound = (select(vec!["ada", "bob", "cyd", "dan"]), 0_u8..4).prop_map(|(person, dress)| match dress {
        0 => format!(" {}@Example.com", person.to_uppercase()),
        1 => format!("Some Body <{person}@example.com>"),
        _ => format!("{person}@example.com"),
    });
    let lone = (0_u16..300).prop_map(|n| format!("person{n}@example.com"));
    prop_oneof![4 => sound, 3 => lone, 1 => select(vec!["", "ada", "ada@"]).prop_map(str::to_owned)]
}

fn file() -> impl Strategy<Value = File> {
    let name = select(vec!["Ada L", "ADA  L", " ada l ", "Bob", "", "  ", "Cyd", "Dan"]);
    let state = select(vec!["active", "inactive", "deleted", "deleted"]);
    let somebody = (address(), name, prop::option::of(address()), state).prop_map(|(email, name, username, state)| {
        Somebody { username: username.unwrap_or_else(|| email.clone()), email, name, state }
    });
    (any::<bool>(), prop::collection::vec(somebody, 0..12)).prop_map(|(is_org, people)| File {
        number: 0,
        is_org,
        people,
    })
}

fn files() -> impl Strategy<Value = Vec<File>> {
    prop::collection::vec(file(), 0..5).prop_map(|mut files| {
        files.iter_mut().enumerate().for_each(|(number, file)| file.number = number);
        files
    })
}

/// Cluster, file, row, and whether that one stands.
type Told = (u32, String, u32, bool);

fn found(files: &[File], by: By, keep: Keep, effort: Effort) -> Vec<Told> {
    let crowd = |file: &File| {
        let people = if file.is_org {
            People::Users(Snapshot::from_frame(&file.frame()).unwrap())
        } else {
            People::Rows(Roster::from_frame(&file.frame()).unwrap())
        };
        let name = file.number.to_string();
        if by == By::Email {
            return Crowd::by_email(name, people);
        }
        let values = names(&people, effort).unwrap();
        Crowd::by_value(name, people, values)
    };
    let crowds = Crowds::of(files.iter().map(crowd).collect()).unwrap();
    let clusters = Clusters::find(&crowds, keep, Stop::default()).unwrap();
    let teller = Teller::new(&crowds, &clusters, by, keep, effort).unwrap();
    let mut all = Vec::new();
    // Piece by piece, as it is written.
    for begin in (0..teller.n_members()).step_by(3) {
        let piece = begin..(begin + 3).min(teller.n_members());
        teller.tell(piece, |m| all.push((m.cluster, m.file.to_owned(), m.row, m.is_kept)));
    }
    assert_eq!(clusters.n_across() + clusters.inside().iter().sum::<u64>(), clusters.len() as u64);
    all
}

/// Everybody is held against everybody; whoever has a value in common with somebody takes all of theirs along.
fn expected(files: &[File], by: By, keep: Keep) -> Vec<Told> {
    let all: Vec<(&File, usize)> = files.iter().flat_map(|f| (0..f.people.len()).map(move |at| (f, at))).collect();
    let values: Vec<Vec<String>> = all.iter().map(|(file, at)| file.values(*at, by)).collect();
    let mut group: Vec<usize> = (0..all.len()).collect();
    for one in 0..all.len() {
        for other in 0..one {
            if values[one].iter().any(|value| values[other].contains(value)) {
                let (from, to) = (group[one], group[other]);
                group.iter_mut().filter(|g| **g == from).for_each(|g| *g = to);
            }
        }
    }
    let mut told: Vec<Told> = Vec::new();
    let (mut done, mut n) = (Vec::new(), 0);
    for first in &group {
        let members: Vec<usize> = (0..all.len()).filter(|at| group[*at] == *first).collect();
        if done.contains(first) || members.len() < 2 {
            continue;
        }
        done.push(*first);
        n += 1;
        let stands = stands(&all, &members, by, keep);
        told.extend(members.iter().map(|member| {
            let (file, at) = all[*member];
            (n, file.number.to_string(), at as u32 + 1, stands == Some(*member))
        }));
    }
    told
}

fn stands(all: &[(&File, usize)], members: &[usize], by: By, keep: Keep) -> Option<usize> {
    let state = |member: &usize| all[*member].0.people[all[*member].1].state;
    let (users, rows): (Vec<usize>, Vec<usize>) = members.iter().partition(|member| all[**member].0.is_org);
    for wanted in ["active", "inactive"] {
        let best = users.iter().filter(|user| state(user) == wanted).min_by_key(|user| all[**user].0.id(all[**user].1));
        if best.is_some() {
            return best.copied();
        }
    }
    if keep == Keep::None && rows.len() != 1 {
        return None;
    }
    let is_fit = |row: &&usize| {
        let (file, at) = all[**row];
        let Somebody { email, name, .. } = &file.people[at];
        // Who has a name in common with a deleted user holds nobody's address.
        let is_held = by == By::Email && !users.is_empty();
        oracle::key(email).is_some() && (is_held || !name.trim().is_empty())
    };
    if keep == Keep::Last { rows.iter().rev().find(is_fit).copied() } else { rows.iter().find(is_fit).copied() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn clusters_are_those_of_a_union_of_everybody_with_everybody(
        files in files(), is_by_name in any::<bool>(), keep in select(vec![Keep::First, Keep::Last, Keep::None]),
        threads in 1..4_usize, chunk_bytes in 1..200_usize,
    ) {
        let by = if is_by_name { By::Name } else { By::Email };
        let effort = Effort { threads, chunk_bytes, ..Effort::default() };
        prop_assert_eq!(found(&files, by, keep, effort), expected(&files, by, keep));
    }

    #[test]
    fn the_order_of_files_changes_the_order_of_clusters_and_not_who_is_in_one(
        (files, shuffled) in files().prop_flat_map(|f| (Just(f.clone()), Just(f).prop_shuffle())),
    ) {
        let sets = |files: &[File]| {
            let mut sets: Vec<Vec<(String, u32)>> = Vec::new();
            for (cluster, file, row, _) in found(files, By::Email, Keep::First, Effort::default()) {
                sets.resize(sets.len().max(cluster as usize), Vec::new());
                sets[cluster as usize - 1].push((file, row));
            }
            sets.iter_mut().for_each(|set| set.sort());
            sets.sort();
            sets
        };
        prop_assert_eq!(sets(&files), sets(&shuffled));
    }
}
