//! Gates of a roster that is read by the wrong column, one row on either side of their bounds.
#![allow(clippy::unwrap_used)]

use polars::prelude::{Column, DataFrame};

use super::*;
use crate::lanes::Effort;
use crate::plan::{Keep, Verdicts};
use crate::roster::Roster;
use crate::snapshot::Snapshot;

/// A frame of e-mails and names.
fn frame(people: &[(String, String)]) -> DataFrame {
    let column = |name: &str, cells: Vec<&str>| Column::new(name.into(), cells);
    let emails = people.iter().map(|(email, _)| email.as_str()).collect();
    let names = people.iter().map(|(_, name)| name.as_str()).collect();
    DataFrame::new(people.len(), vec![column("email", emails), column("name", names)]).unwrap()
}

fn gate_of(which: Which, rows: &[(String, String)], users: &Snapshot, keep: Keep) -> Option<Gate> {
    let roster = Roster::from_frame(&frame(rows)).unwrap();
    let policy = keep.into();
    let verdicts = Verdicts::decide(&roster, users, &policy, Effort::default()).unwrap();
    let teller = Teller { roster: &roster, snapshot: users, verdicts: &verdicts, policy: &policy };
    let mut gates = check(&teller, &Asked::default()).unwrap().into_iter().filter(|gate| gate.gate == which);
    let found = gates.next();
    assert_eq!(gates.next(), None);
    found
}

fn users(people: &[(String, String)], state: &str) -> Snapshot {
    let mut frame = frame(people);
    let states = vec![state; people.len()];
    frame.with_column(Column::new("state".into(), states)).unwrap();
    Snapshot::from_frame(&frame).unwrap()
}

/// Rows of the addresses `0@a.example`, `1@a.example`, …: as many of each as is said.
fn repeating(times: &[usize]) -> Vec<(String, String)> {
    let rows = |(at, n): (usize, &usize)| vec![(format!("{at}@a.example"), format!("Row {at}")); *n];
    times.iter().enumerate().flat_map(rows).collect()
}

#[test]
fn rows_that_repeat_an_address_are_stopped_above_one_in_two_whichever_of_them_is_kept() {
    let (nobody, everybody) = (users(&[], "active"), users(&repeating(&[1; 100]), "active"));
    let mut of_few = vec![1; 9];
    of_few.push(11);
    for (times, expected) in [
        // Ten of twenty repeat another; eleven of twenty-one; ten of nineteen are too few to judge by.
        (of_few.clone(), Some((false, "10 of 20 rows"))),
        ([&of_few[..9], &[12]].concat(), Some((true, "11 of 21 rows"))),
        (vec![1, 1, 1, 1, 1, 1, 1, 1, 11], None),
        // Everybody twice, as two exports in one file; the third time is one too many.
        (vec![2; 10], Some((false, "10 of 20 rows"))),
        ([&[2; 9][..], &[3]].concat(), Some((true, "11 of 21 rows"))),
        (vec![500, 500], Some((true, "998 of 1,000 rows"))),
        (vec![1; 20], Some((false, "0 of 20 rows"))),
    ] {
        for keep in [Keep::First, Keep::Last, Keep::None] {
            for users in [&nobody, &everybody] {
                let rows = repeating(&times);
                let found = gate_of(Which::DuplicateRows, &rows, users, keep);
                assert_eq!(found.as_ref().map(|gate| gate.tripped), expected.map(|(tripped, _)| tripped), "{times:?}");
                if let (Some(gate), Some((_, numbers))) = (found, expected) {
                    let bound = "with an address repeat that of another row; at most 50% should";
                    assert!(gate.what.starts_with(&format!("{numbers} {bound}")), "{} {keep:?}", gate.what);
                    assert!(gate.what.ends_with("(the column of managers, or of a team mailbox?)"));
                }
            }
        }
    }
}

#[test]
fn rows_without_an_address_are_not_judged() {
    let mut rows = repeating(&[11, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    rows.extend(vec![("nobody".to_owned(), "Nobody".to_owned()); 50]);
    let found = gate_of(Which::DuplicateRows, &rows, &users(&[], "active"), Keep::First).unwrap();
    assert!(!found.tripped && found.what.starts_with("10 of 20 rows"), "{found:?}");
}

/// `n` people of whom `n_other` are called otherwise in the organisation.
fn called(n: usize, n_other: usize) -> [Vec<(String, String)>; 2] {
    let person = |at: usize, name: String| (format!("p{at}@a.example"), name);
    let word =
        |at: usize| String::from_utf8(at.to_string().bytes().map(|digit| digit + (b'k' - b'0')).collect()).unwrap();
    let mine = (0..n).map(|at| person(at, format!("Given{} Family{}", word(at), word(at))));
    let theirs = (0..n).map(|at| match at < n_other {
        true => person(at, format!("Other{} Someone{}", word(at), word(at))),
        false => person(at, format!("FAMILY{}, Dr. X.", word(at).to_uppercase())),
    });
    [mine.collect(), theirs.collect()]
}

#[test]
fn names_that_have_nothing_in_common_are_stopped_above_one_in_two() {
    for (n, n_other, expected) in [
        (20, 10, Some((false, "10 of 20 names have"))),
        (20, 11, Some((true, "11 of 20 names have"))),
        (21, 11, Some((true, "11 of 21 names have"))),
        (19, 19, None),
        (1_000, 500, Some((false, "500 of 1,000 names have"))),
        (1_000, 501, Some((true, "501 of 1,000 names have"))),
    ] {
        for state in ["active", "inactive", "deleted"] {
            let [mine, theirs] = called(n, n_other);
            let found = gate_of(Which::OtherNames, &mine, &users(&theirs, state), Keep::First);
            assert_eq!(found.as_ref().map(|gate| gate.tripped), expected.map(|(tripped, _)| tripped), "{n} {n_other}");
            if let (Some(gate), Some((_, numbers))) = (found, expected) {
                assert!(gate.what.starts_with(numbers) && gate.what.contains("at most 50% should"), "{}", gate.what);
                // Nobody is named.
                assert!(!["Given", "Family", "Other", "Someone", "@"].iter().any(|told| gate.what.contains(told)));
            }
        }
    }
}

#[test]
fn what_has_no_name_or_one_that_cannot_be_compared_does_not_count() {
    let [mine, theirs] = called(40, 40);
    let cyrillic = |people: &[(String, String)]| -> Vec<(String, String)> {
        people.iter().map(|(email, _)| (email.clone(), "Иван Петров".to_owned())).collect()
    };
    let nameless = |people: &[(String, String)], n: usize| -> Vec<(String, String)> {
        let name = |at: usize, name: &String| if at < n { String::new() } else { name.clone() };
        people.iter().enumerate().map(|(at, (email, known))| (email.clone(), name(at, known))).collect()
    };
    let judged = |mine: &[(String, String)], theirs: &[(String, String)]| {
        gate_of(Which::OtherNames, mine, &users(theirs, "active"), Keep::First)
    };
    assert!(judged(&mine, &theirs).is_some_and(|gate| gate.tripped));
    assert_eq!(judged(&mine, &cyrillic(&theirs)), None);
    assert_eq!(judged(&cyrillic(&mine), &theirs), None);
    // Whose name is the address over again, or begins it, has not been named yet.
    let (mut of_address, mut of_login) = (theirs.clone(), theirs.clone());
    of_address.iter_mut().for_each(|(email, name)| *name = email.to_uppercase());
    of_login.iter_mut().for_each(|(email, name)| *name = email.split('@').next().unwrap().to_owned());
    // A single word may be another login.
    let mut of_number = theirs.clone();
    of_number.iter_mut().enumerate().for_each(|(at, (_, name))| *name = format!("Agent {at}"));
    assert_eq!(judged(&mine, &of_number), None);
    for unnamed in [&of_address, &of_login] {
        assert_eq!((judged(&mine, unnamed), judged(unnamed, &theirs)), (None, None));
    }
    for n_without in [20, 21] {
        let expected = (n_without == 20).then_some("20 of 20 names have");
        for found in [judged(&nameless(&mine, n_without), &theirs), judged(&mine, &nameless(&theirs, n_without))] {
            let numbers = found.map(|gate| gate.what[.."20 of 20 names have".len()].to_owned());
            assert_eq!(numbers.as_deref(), expected, "{n_without}");
        }
    }
    // Who is new is called by nobody otherwise.
    assert_eq!(judged(&mine, &theirs[..19]), None);
}

#[test]
fn of_many_names_a_sample_is_compared_that_neither_chance_nor_the_order_of_users_changes() {
    let [mine, theirs] = called(5_000, 3_000);
    let told = judged_of(&mine, &users(&theirs, "active"));
    assert!(told.tripped && told.what.contains(" of 1,000 names, a sample of 5,000, have"), "{told:?}");
    // Three of five, and evenly spread: a sample of a thousand is within a few of them.
    let n: u64 = told.what.split(' ').next().unwrap().parse().unwrap();
    assert!((590..=610).contains(&n), "{told:?}");
    let mut turned = theirs.clone();
    turned.reverse();
    turned.rotate_left(1_234);
    assert_eq!(judged_of(&mine, &users(&turned, "active")), told);
    // One name more than are compared makes it a sample.
    let [mine, theirs] = called(1_001, 0);
    let told = judged_of(&mine, &users(&theirs, "active"));
    assert!(!told.tripped && told.what.starts_with("0 of 1,000 names, a sample of 1,001, have"), "{told:?}");
}

fn judged_of(mine: &[(String, String)], users: &Snapshot) -> Gate {
    gate_of(Which::OtherNames, mine, users, Keep::First).unwrap()
}
