//! The join of keys: ours beside polars', both from columns of keys in memory to one decision a row.
//!
//! polars joins on a column of 64-bit hashes, which is what it is fastest at, and compares the keys of every pair; ours is
//! [`Verdicts::decide`], which hashes, joins, compares, finds doubles and the best of several holders. `cargo bench --bench
//! join` runs a million by a million; `-- --ignored` ten by ten million, which takes some 6 GB.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write;

use divan::Bencher;
use polars::prelude::*;
use rosterdiff::files::export;
use rosterdiff::lanes::Effort;
use rosterdiff::plan::{Policy, Verdicts, hash};
use rosterdiff::roster::{self, Opening, Roster, Sheet};
use rosterdiff::snapshot::Snapshot;

const MILLION: u64 = 1_000_000;

fn main() {
    divan::main();
}

/// `n` addresses of which seven in ten are among the first `n` people, in an order without order.
fn addresses(n: u64, seed: u64) -> Sheet {
    let mut text = String::from("email\n");
    for at in 0..n {
        // A multiplier that is odd and large visits everybody once.
        let who = (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7) % n;
        let who = if who % 10 < 7 { who } else { who + seed * n };
        writeln!(text, "person.{who}@example.com").unwrap();
    }
    roster::open_bytes("addresses", text.into_bytes(), Opening::default()).unwrap()
}

fn sides(n: u64) -> (Roster, Snapshot) {
    let sheet = addresses(n, 1);
    let mapping = roster::map(&sheet, &[]).unwrap();
    let roster = roster::check(sheet, mapping).unwrap();
    (roster, export::from_sheet(&addresses(n, 2), false).unwrap())
}

fn frame(keys: &StringChunked, number: &str) -> DataFrame {
    let mut keys = keys.clone();
    keys.rechunk_mut();
    let hashes: Vec<u64> = keys.iter().map(|key| key.map_or(0, hash)).collect();
    let numbers: Vec<u32> = (0..).take(keys.len()).collect();
    let columns = vec![
        Column::new("hash".into(), hashes),
        keys.with_name("key".into()).into_series().into(),
        Column::new(number.into(), numbers),
    ];
    DataFrame::new(columns[0].len(), columns).unwrap()
}

/// Who is new, who is present, and which of several rows stands.
fn by_polars(rows: &DataFrame, users: &DataFrame) -> usize {
    let join = |how| rows.join(users, ["hash"], ["hash"], JoinArgs::new(how), None).unwrap();
    let new = join(JoinType::Anti);
    let pairs = join(JoinType::Inner);
    let (mine, theirs) =
        (pairs.column("key").unwrap().str().unwrap(), pairs.column("key_right").unwrap().str().unwrap());
    let n_same = mine.iter().zip(theirs.iter()).filter(|(a, b)| a == b).count();
    let standing = rows.unique_stable(Some(&["hash".to_owned()]), UniqueKeepStrategy::First, None).unwrap();
    new.height() + n_same + standing.height()
}

fn bench_polars(bencher: Bencher, n: u64) {
    let (roster, snapshot) = sides(n);
    let (rows, users) = (frame(roster.keys().column(), "row"), frame(snapshot.keys().column(), "user"));
    bencher.bench(|| by_polars(&rows, &users));
}

fn bench_ours(bencher: Bencher, n: u64) {
    let (roster, snapshot) = sides(n);
    bencher.bench(|| *Verdicts::decide(&roster, &snapshot, &Policy::default(), Effort::default()).unwrap().counts());
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn ours_1m(bencher: Bencher) {
    bench_ours(bencher, MILLION);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn polars_1m(bencher: Bencher) {
    bench_polars(bencher, MILLION);
}

#[divan::bench(sample_count = 3, sample_size = 1, ignore)]
fn ours_10m(bencher: Bencher) {
    bench_ours(bencher, 10 * MILLION);
}

#[divan::bench(sample_count = 3, sample_size = 1, ignore)]
fn polars_10m(bencher: Bencher) {
    bench_polars(bencher, 10 * MILLION);
}
