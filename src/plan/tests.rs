//! The join by hash, with hashes that are bad on purpose: equal hashes prove nothing, whoever they fall together for.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use polars::prelude::{Column, DataFrame};
use proptest::prelude::*;

use super::packed::Hash;
use super::*;
use crate::reason::Reason;

/// All that is decided of a row.
type Decided = (Verdict, Reason, Option<Holder>, Option<u32>);

const BAD: [(&str, Hash); 7] = [
    ("no bit is set", |_| 0),
    ("every bit is set", |_| u64::MAX),
    ("the first byte", |key| u64::from(key.as_bytes()[0])),
    ("two bits of the length", |key| key.len() as u64 & 3),
    ("the upper half is equal", |key| hash(key) & 0xFFFF_FFFF),
    ("the lower half is equal", |key| hash(key) & !0xFFFF_FFFF),
    ("the share differs and nothing else", |key| hash(key) & (0b11 << 62)),
];

fn address() -> impl Strategy<Value = String> {
    let local = prop::sample::select(vec!["ada", "bob", "cyd", "dan", "a", "b", "ab", "ba", "Ada", "ADA"]);
    let domain = prop::sample::select(vec!["example.com", "example.org", "x.example"]);
    prop_oneof![
        12 => (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}")),
        1 => Just("nobody".to_owned()),
    ]
}

fn roster() -> impl Strategy<Value = Roster> {
    let name = prop::sample::select(vec!["Ada", "Bob", ""]);
    prop::collection::vec((address(), name), 0..40).prop_map(|rows| {
        let column = |name: &str, cells: Vec<String>| Column::new(name.into(), cells);
        let (emails, names): (Vec<String>, Vec<&str>) = rows.into_iter().unzip();
        let names = names.into_iter().map(str::to_owned).collect();
        let n = emails.len();
        Roster::from_frame(&DataFrame::new(n, vec![column("email", emails), column("name", names)]).unwrap()).unwrap()
    })
}

/// Address, another name to log in with, state, id, and whether that name is one.
type User = (String, String, &'static str, &'static str, bool);

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let state = prop::sample::select(vec!["active", "inactive", "deleted", "invited"]);
    let id = prop::sample::select(vec!["", "1", "2", "3", "4", "5"]);
    prop::collection::vec((address(), address(), state, id, any::<bool>()), 0..24).prop_map(|users| {
        let cells = |of: &dyn Fn(&User) -> String| users.iter().map(of).collect();
        let column = |name: &str, cells: Vec<String>| Column::new(name.into(), cells);
        let columns = vec![
            column("email", cells(&|user| user.0.clone())),
            column("username", cells(&|user| if user.4 { user.1.clone() } else { user.0.clone() })),
            column("state", cells(&|user| user.2.to_owned())),
            column("id", cells(&|user| user.3.to_owned())),
        ];
        Snapshot::from_frame(&DataFrame::new(users.len(), columns).unwrap()).unwrap()
    })
}

fn decided(by: Hash, roster: &Roster, snapshot: &Snapshot, keep: Keep, threads: usize) -> (Vec<Decided>, Counts, u64) {
    let verdicts = Verdicts::decide_by(by, roster, snapshot, &keep.into(), Effort::of_threads(threads)).unwrap();
    let of = |at| (verdicts.verdict(at), verdicts.reason(at), verdicts.holder(at), verdicts.first_row(at));
    ((0..roster.n_rows()).map(of).collect(), *verdicts.counts(), verdicts.n_repeats())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn keys_that_share_a_hash_are_never_one_person(
        roster in roster(), snapshot in snapshot(), keep in prop::sample::select(vec![Keep::First, Keep::Last, Keep::None]),
    ) {
        let expected = decided(hash, &roster, &snapshot, keep, 1);
        // Where no row of a key stands, one of each is no repeat.
        let fallen = (0..roster.n_rows()).filter(|at| keep == Keep::None && expected.0[*at].0 == Verdict::Duplicate);
        let fallen: HashSet<_> = fallen.map(|at| roster.key(at)).collect();
        prop_assert_eq!(expected.2, expected.1.duplicate - fallen.len() as u64);
        for threads in [2, 8] {
            prop_assert_eq!(&decided(hash, &roster, &snapshot, keep, threads), &expected, "{} threads", threads);
        }
        for (what, bad) in BAD {
            for threads in [1, 3] {
                prop_assert_eq!(&decided(bad, &roster, &snapshot, keep, threads), &expected, "{}, {} threads", what, threads);
            }
        }
    }
}

#[test]
fn two_keys_of_one_hash_stand_beside_each_other_in_a_table() {
    let keys = ["ada", "bob", "cyd"];
    for hash in [0, 1, u64::MAX, 1 << 32] {
        let mut table = table::Table::default();
        table.clear(keys.len());
        for round in 0..2 {
            for (entry, key) in (1..).zip(keys) {
                let slot = table.slot(hash, |other| keys[other as usize - 1] == key);
                assert_eq!(slot.place, if round == 0 { 0 } else { entry }, "{hash}, {key}");
                slot.place = entry;
            }
        }
    }
}
