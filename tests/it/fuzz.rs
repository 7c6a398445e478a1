//! Some thousands of the inputs that `cargo bench --bench fuzz` makes without end.

// Some of it is for the bench alone.
#[allow(dead_code)]
#[path = "../fuzz/mod.rs"]
mod targets;

use rosterdiff::error::Kind;
use rosterdiff::files::export;
use rosterdiff::lanes::Effort;

use targets::engine::{Failure, Fuzzer, Target, outcome, shown};
use targets::{formats, normaliser, scanner, snapshot, whole};

/// The same inputs every time, so that no law is broken unseen and no target rots.
fn some(target: Target, n: u64) {
    if let Err(Failure { case, words }) = run(target, n) {
        panic!("{}: {words}\n{}", target.name, shown(&case));
    }
}

fn run(target: Target, n: u64) -> Result<(), Failure> {
    let mut fuzzer = Fuzzer::new(target, 1)?;
    while fuzzer.n < n {
        let input = fuzzer.next();
        fuzzer.run(input)?;
    }
    Ok(())
}

#[test]
fn a_thousand_mutated_texts_are_read_alike_in_pieces_and_as_two_other_readers_read_them() {
    some(scanner::TARGET, 1_000);
}

#[test]
fn thousands_of_mutated_addresses_keep_the_laws_of_keys() {
    some(normaliser::TARGET, 5_000);
}

#[test]
fn thousands_of_mutated_snapshots_are_read_or_refused() {
    some(snapshot::TARGET, 3_000);
}

#[test]
fn hundreds_of_mutated_rosters_and_exports_lose_no_row() {
    some(whole::TARGET, 500);
}

#[test]
fn thousands_of_mutated_encodings_workbooks_and_parquets_are_read_or_refused() {
    some(formats::ENCODINGS, 3_000);
    some(formats::PARQUET, 3_000);
    some(formats::WORKBOOK, 3_000);
}

/// Inputs that broke a law once, or taught a law what it may not ask for.
const FOUND: [(Target, &str, &[u8]); 4] = [
    (scanner::TARGET, "a mark in a text that we made is a cell", b"\x83\xEF\xBB\xBF"),
    (normaliser::TARGET, "an A-label may hide a character that nobody sees", b"i@x.xn--viiiiii"),
    (
        normaliser::TARGET,
        "a mark that begins an address joins what stands before it",
        b"\xCC\xB8\xCF\x82\xEF\xBC\xA0W.e",
    ),
    (
        whole::TARGET,
        "of two bad records of an export the first is told",
        b"mail,\x1E,,mail,\n0c0-a849-42f2-8efd-33017c2c25e1,Di,diem.mai@emy Analyst\n\"",
    ),
];

#[test]
fn what_was_found_once_is_not_found_again() {
    for (target, what, case) in FOUND {
        if let Err(failure) = outcome(target, case) {
            panic!("{what}: {}", failure.words);
        }
    }
}

/// One bit of the footer says how many cells a column has. Of too few nobody would be found, and everybody called new.
#[test]
fn a_snapshot_whose_columns_are_not_equally_long_is_damaged() {
    let promise: &[u8] = b"\x03key\x15\x0C\x16\x06";
    let mut snapshot = snapshot::ours();
    let dir = crate::support::scratch();
    let path = dir.path().join("org.parquet");
    let read = |snapshot: &[u8]| {
        std::fs::write(&path, snapshot).unwrap();
        export::read_snapshot(&path, true, Effort::default())
    };
    assert_eq!(read(&snapshot).unwrap().0.len(), 3);
    let at = snapshot.windows(promise.len()).position(|bytes| bytes == promise).unwrap() + promise.len() - 1;
    snapshot[at] ^= 1;
    assert_eq!(read(&snapshot).unwrap_err().kind(), Kind::Damaged);
}
