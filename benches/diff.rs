//! The diff and its stages, at the everyday size and at a million by a million.
//!
//! `cargo bench` prints fastest, slowest, median and mean of each. Timings are noisy on a shared machine: compare stages
//! and sizes within one run. The rosters are invented by a seeded generator: about 70 % of the people exist, 5 % are
//! doubles, 1 % are invalid, 0.1 % are spelt in exotic Unicode, and some cells hold commas, quotes and line breaks.
#![allow(missing_docs, clippy::unwrap_used, clippy::let_underscore_must_use)]

use std::fmt::Write;
use std::sync::LazyLock;

use divan::{Bencher, black_box};
use rosterdiff::email;
use rosterdiff::files::{export, plan_dir};
use rosterdiff::lanes::Effort;
use rosterdiff::plan::{Policy, Teller, Verdict, Verdicts};
use rosterdiff::roster::{self, Opening, Records, Roster, Sheet};
use rosterdiff::snapshot::Snapshot;

fn main() {
    divan::main();
}

/// People in the roster, users in the organisation.
type Size = (u64, u64);

const EVERYDAY: Size = (50_000, 40_000);
const MILLION: Size = (1_000_000, 1_000_000);
const SIZES: [&str; 2] = ["50k x 40k", "1M x 1M"];

struct Files {
    roster: String,
    organisation: String,
}

static FILES: LazyLock<[Files; 2]> = LazyLock::new(|| [generate(EVERYDAY), generate(MILLION)]);

fn files(size: &str) -> &'static Files {
    &FILES[usize::from(size == SIZES[1])]
}

/// SplitMix64: small, seeded, good enough to scatter rows.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

fn generate((n_rows, n_users): Size) -> Files {
    let mut dice = Dice(2_026);
    let mut organisation = String::from("id,name,email,username,state\n");
    for n in 0..n_users {
        let state =
            ["active", "active", "active", "active", "active", "active", "active", "active", "inactive", "deleted"]
                [usize::try_from(dice.roll(10)).unwrap()];
        let email = format!("person{n}@example.com");
        writeln!(organisation, "00000000-0000-4000-8000-{n:012x},Person {n},{email},{email},{state}").unwrap();
    }
    let mut roster = String::from("Employee ID,First Name,Last Name,Work Email,Department,Job Title,Office\n");
    for n in 0..n_rows {
        let who = match dice.roll(100) {
            0..5 => dice.roll(n.max(1)),
            5..75 => dice.roll(n_users),
            _ => n_users + n,
        };
        let email = match dice.roll(1_000) {
            0..10 => format!("person{who}.example.com"),
            10..11 => format!("\u{ff50}erson{who}@example.com\u{200b}"),
            11..300 => format!("Person{who}@Example.com"),
            _ => format!("person{who}@example.com"),
        };
        let office = match dice.roll(40) {
            0 => "\"São Paulo, Paulista\"",
            1 => "\"Level 3\nNorth \"\"B\"\"\"",
            _ => "Remote",
        };
        writeln!(roster, "{n:07},Given{who},Family{who},{email},Customer Care,Agent,{office}").unwrap();
    }
    Files { roster, organisation }
}

fn sheet(text: &str) -> Sheet {
    roster::open_bytes("a file", text.as_bytes().to_vec(), Opening::default()).unwrap()
}

fn checked(size: &str) -> Roster {
    let sheet = sheet(&files(size).roster);
    let mapping = roster::map(&sheet, &[]).unwrap();
    roster::check(sheet, mapping).unwrap()
}

fn snapshot(size: &str) -> Snapshot {
    export::from_sheet(&sheet(&files(size).organisation), false).unwrap()
}

fn decided(roster: &Roster, snapshot: &Snapshot) -> Verdicts {
    Verdicts::decide(roster, snapshot, &Policy::default(), Effort::default()).unwrap()
}

fn write_new(roster: &Roster, snapshot: &Snapshot, verdicts: &Verdicts, out: &mut dyn std::io::Write) {
    let teller = Teller { roster, snapshot, verdicts, policy: &Policy::default() };
    plan_dir::write_verdicts(out, &teller, &[Verdict::New], Effort::default()).unwrap();
}

/// Cells to keys, the plain ones and those that need care.
#[divan::bench(args = ["Person1234@Example.com", " person.1234@mail.example ", "\u{ff50}erson@b\u{fc}cher.example"])]
fn stage_0_normalise(bencher: Bencher, cell: &str) {
    let mut key = String::new();
    bencher.bench_local(|| email::normalise_into(black_box(cell), &mut key).is_ok());
}

/// Records and their places, no cell looked into.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn stage_1_scan(bencher: Bencher, size: &str) {
    let sheet = sheet(&files(size).roster);
    let bytes = divan::counter::BytesCount::of_str(&files(size).roster);
    bencher.counter(bytes).bench(|| black_box(Records::find(sheet.clone()).unwrap()).len());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn stage_2_scan_and_check(bencher: Bencher, size: &str) {
    let bytes = divan::counter::BytesCount::of_str(&files(size).roster);
    bencher.counter(bytes).bench(|| checked(size).n_rows());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn stage_3_export(bencher: Bencher, size: &str) {
    let bytes = divan::counter::BytesCount::of_str(&files(size).organisation);
    bencher.counter(bytes).bench(|| snapshot(size).len());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn stage_4_decide(bencher: Bencher, size: &str) {
    let (roster, snapshot) = (checked(size), snapshot(size));
    bencher.bench(|| *decided(&roster, &snapshot).counts());
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn stage_5_write(bencher: Bencher, size: &str) {
    let (roster, snapshot) = (checked(size), snapshot(size));
    let verdicts = decided(&roster, &snapshot);
    bencher.bench(|| write_new(&roster, &snapshot, &verdicts, &mut std::io::sink()));
}

/// All of it, from two CSVs in memory to the new rows.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn whole_diff(bencher: Bencher, size: &str) {
    bencher.bench(|| {
        let (roster, snapshot) = (checked(size), snapshot(size));
        let mut out = Vec::new();
        write_new(&roster, &snapshot, &decided(&roster, &snapshot), &mut out);
        black_box(out).len()
    });
}
