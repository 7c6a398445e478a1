//! A roster and an export of an organisation, from the files to the rows that are written.

use rosterdiff::columns;
use rosterdiff::error::{Kind, Result};
use rosterdiff::files::table::{Picks, Source};
use rosterdiff::files::{export, plan_dir};
use rosterdiff::lanes::Effort;
use rosterdiff::plan::{Keep, Policy, Teller, Verdict, Verdicts};
use rosterdiff::roster::{self, Delimiter, Opening, Roster};
use rosterdiff::snapshot::Snapshot;

use super::engine::{Target, about, kind_of_words, signature};
use super::{scratch, snapshot};

pub const TARGET: Target = Target { name: "whole", seeds, run, mend: |_, _| {}, bytes_max: 3_000, is_foreign: true };

/// Stands between the roster and the export.
const BETWEEN: u8 = 0x1E;

fn seeds() -> Vec<Vec<u8>> {
    let first = |text: &str| text.lines().take(9).flat_map(|line| [line, "\n"]).collect::<String>();
    let samples = [include_str!("../../data/roster.csv"), include_str!("../../data/org.csv")].map(first);
    let org = "id,name,email,username,state\n1,Ada,ada@example.com,x@example.com,active\n2,Bob,BOB@example.com,,deleted\n\
               3,Cyd,cyd@example.com,cyd@example.com,inactive\n4,,ada@example.com,,active\n";
    let rosters: [&str; 6] = [
        "Email,Name,Department\nADA@example.com,Ada,Care\nbob@example.com,\"B, ob\",\nnew@example.com,New,\nnew@example.com,Old,x\nx,,\n",
        "Email;Division;Work Phone\nx@example.com;Home;+49 30 1234567\ny@example.com;;030\nx@example.com;Away;\n",
        "version:v1.0\nName [displayName] Required,User name [userPrincipalName] Required\nExample: A,a@b.cd\nCyd,cyd@example.com\n",
        "email,_row,_line,_key\nada@example.com,1,2,k\nb@example.com,2\n\"c\"d@example.com\n",
        "\u{feff}sep=;\r\nEmail;Name\r\n\"ada@example.com\";\"A\r\nda\"\r\n=x@example.com;=1+1\r\n",
        &samples[0],
    ];
    let pair = |roster: &str, org: &str| [roster.as_bytes(), &[BETWEEN], org.as_bytes()].concat();
    let mut seeds: Vec<_> = rosters.into_iter().map(|roster| pair(roster, org)).collect();
    seeds.push(pair(rosters[0], &samples[1]));
    seeds.push(pair(&samples[0], &samples[1]));
    // The same in another encoding.
    let latin = "Email;Name\r\nk@example.com;Käthe Müller\r\nr@example.com;René Lefèvre\r\n";
    seeds.push(latin.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect());
    seeds
}

fn run(input: &[u8]) -> u64 {
    let at = input.iter().position(|byte| *byte == BETWEEN).unwrap_or(input.len());
    let (roster, org) = (&input[..at], input.get(at + 1..).unwrap_or_default());
    let paths = [scratch::file("roster", roster), scratch::file("organisation", org)];
    let keep = [Keep::First, Keep::Last, Keep::None][input.len() % 3];
    let one = compare(&paths, keep, Effort { chunk_bytes: 1 << 20, ..Effort::of_threads(1) });
    let other = compare(&paths, keep, Effort { chunk_bytes: 64, ..Effort::of_threads(3) });
    match (one, other) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one.rows, other.rows, "neither threads nor chunks change a row");
            assert_eq!(one.each, other.each, "neither threads nor chunks change a file");
            one.signature
        }
        (Err(one), Err(other)) => {
            assert_eq!(one, other, "neither threads nor chunks change an error");
            let path = scratch::path("").display().to_string();
            signature((one.0 as u8, kind_of_words(&one.1.replace(&path, ""))))
        }
        (one, other) => panic!("threads or chunks decide: {:?}, {:?}", one.err(), other.err()),
    }
}

/// What was written.
struct Written {
    rows: Vec<u8>,
    each: Vec<Vec<u8>>,
    signature: u64,
}

fn compare(paths: &[std::path::PathBuf; 2], keep: Keep, effort: Effort) -> Result<Written, (Kind, String)> {
    let told = |e: rosterdiff::error::Error| {
        assert_ne!(e.kind(), Kind::Bug, "{e}: {:?}", std::error::Error::source(&e));
        (e.kind(), e.to_string())
    };
    let opening = Opening { effort, ..Opening::default() };
    let source = Source::open(&paths[0]).map_err(told)?;
    let checked = export::read_roster(&source, opening, &Picks::default(), &[]).map_err(told)?;
    let (users, _) = export::read_snapshot(&paths[1], true, effort).map_err(told)?;
    snapshot::check(&users);
    let policy = Policy { keep, ..Policy::default() };
    let verdicts = Verdicts::decide(&checked.roster, &users, &policy, effort).map_err(told)?;
    check(&checked.roster, &users, &verdicts);
    let teller = Teller { roster: &checked.roster, snapshot: &users, verdicts: &verdicts, policy: &policy };
    let write = |wanted: &[Verdict]| {
        let mut out = Vec::new();
        plan_dir::write_verdicts(&mut out, &teller, wanted, effort).map_err(told).map(|_| out)
    };
    let rows = write(&Verdict::ALL)?;
    let each = Verdict::ALL.map(|verdict| write(&[verdict])).into_iter().collect::<Result<Vec<_>, _>>()?;
    let numbers = check_written(&rows, &checked.roster);
    assert!(numbers.iter().enumerate().all(|(at, number)| *number == (at + 1).to_string()), "every row, in its order");
    for (verdict, written) in Verdict::ALL.into_iter().zip(&each) {
        let n = check_written(written, &checked.roster).len();
        assert_eq!(n as u64, verdicts.counts().of(verdict), "a file holds the rows of its verdict");
    }
    let reasons: u128 = (0..checked.roster.n_rows()).fold(0, |set, at| set | 1 << (verdicts.reason(at).bits() % 128));
    let family = checked.roster.mapping.family.map(|family| family as u8);
    let shape = (reasons, Verdict::ALL.map(|verdict| verdicts.counts().of(verdict).min(2)), family, about(users.len()));
    Ok(Written { rows, each, signature: signature((shape, checked.notes.len(), checked.roster.has_names())) })
}

/// What a verdict says is so.
fn check(roster: &Roster, users: &Snapshot, verdicts: &Verdicts) {
    assert!(verdicts.counts().add_up() && verdicts.counts().rows == roster.n_rows() as u64, "verdicts add up");
    let held = |key: &str| {
        let by = |keys: &rosterdiff::strings::Strings| keys.iter().any(|other| other == Some(key));
        by(users.keys()) || users.username_keys().is_some_and(by)
    };
    for at in 0..roster.n_rows() {
        let verdict = verdicts.verdict(at);
        let Some(key) = roster.key(at) else {
            assert_eq!(verdict, Verdict::Invalid, "without a key a row is invalid");
            continue;
        };
        match verdict {
            Verdict::New => assert!(!held(key), "nobody holds the key of a new row"),
            Verdict::Present | Verdict::Deleted => {
                let holder = verdicts.holder(at).expect("a held row has a holder");
                let keys = if holder.by_username { users.username_keys() } else { Some(users.keys()) };
                assert_eq!(keys.and_then(|keys| keys.get(holder.user)), Some(key), "the holder holds the key");
            }
            Verdict::Duplicate => {
                if let Some(first) = verdicts.first_row(at) {
                    let first = first as usize - 1;
                    assert_eq!(roster.key(first), Some(key), "the row that stands has the same key");
                    assert_ne!(first, at, "no row stands for itself");
                }
            }
            Verdict::Invalid => {}
        }
    }
}

/// The row numbers of a written file, read as the program reads its own.
fn check_written(written: &[u8], roster: &Roster) -> Vec<String> {
    let delimiter = Delimiter::Said(roster.records.sheet.dialect.delimiter);
    let opening = Opening { delimiter, effort: Effort::of_threads(1), ..Opening::default() };
    let sheet = roster::open_bytes("written.csv", written.to_vec(), opening).expect("what is written can be read");
    assert_eq!(sheet.header, roster.records.sheet.header, "the header is the source's");
    let [n_source, n_all] = sheet.widths();
    assert_eq!(n_all - n_source, columns::PLAN_TOOL.len(), "tool columns stand behind the source's");
    let mut columns = sheet.columns(&[n_source]).expect("what is written can be read");
    columns.remove(0)
}
