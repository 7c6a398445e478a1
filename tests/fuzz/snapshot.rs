//! From a file to everybody who was seen: ours, damaged, somebody else's, or no snapshot at all.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use rosterdiff::error::Kind;
use rosterdiff::files::export;
use rosterdiff::files::parquet::SnapshotWriter;
use rosterdiff::lanes::Effort;
use rosterdiff::person::{Division, State, User};
use rosterdiff::snapshot::{Cell, Certificate, STRINGS, Snapshot, StateProof, cells};

use super::engine::{Target, about, kind_of_words, signature};
use super::scratch;

pub const TARGET: Target = Target { name: "snapshot", seeds, run, mend, bytes_max: 20_000, is_foreign: true };

fn users() -> Vec<User> {
    let user = |n: u32, email: Option<&str>, username: Option<&str>, state| User {
        id: format!("00000000-0000-4000-8000-{n:012x}"),
        name: Some(format!("Person {n}")).filter(|_| n != 2),
        email: email.map(str::to_owned),
        username: username.map(str::to_owned),
        state,
        version: Some(u64::from(n)),
        department: Some("Care".to_owned()),
        title: None,
        division: None,
        phone: None,
        employee_id: Some(format!("{n:04}")).filter(|_| n != 3),
        contacts: (1..n).map(|at| format!("person{n}.{at}@example.com")).collect(),
    };
    vec![
        user(1, Some("Ada@Example.com"), Some("ada@example.com"), State::Active),
        user(2, Some("bücher@example.com"), Some("other@example.com"), State::Inactive),
        user(3, None, None, State::Deleted),
    ]
}

fn certificate() -> Certificate {
    let proof = |state: State, n| StateProof {
        state: state.to_string(),
        pages: 1,
        total_start: Some(n),
        total_end: Some(n),
        unique: n,
        users: n,
        capped: false,
        walked: false,
    };
    Certificate {
        complete: true,
        organisation_id: "o".to_owned(),
        organisation_name: Some("Example".to_owned()),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        ended_at: "2026-01-01T00:01:00Z".to_owned(),
        passes: 1,
        states: State::ALL.map(|state| proof(state, 1)).to_vec(),
        n_without_id: 0,
        no_cursor: None,
        divisions: Some(vec![Division { id: "d".to_owned(), name: "Home".to_owned() }]),
    }
}

/// One that the program wrote.
pub fn ours() -> Vec<u8> {
    let path = scratch::path("seed.parquet");
    let mut writer = SnapshotWriter::new(&path).expect("a snapshot");
    writer.append(&users()).expect("users");
    writer.finish(&certificate()).expect("a footer");
    std::fs::read(path).expect("a file")
}

/// One with our certificate whose pages are packed in another way, so that mutations reach what stands in them.
fn like_ours(codec: Compression, has_dictionary: bool, users: &[User]) -> Vec<u8> {
    let rows: Vec<_> = users.iter().map(cells).collect();
    let column = |at: usize| {
        let cells: StringArray = rows.iter().map(|row| row[at].as_deref()).collect();
        Arc::new(cells) as ArrayRef
    };
    let columns = STRINGS.iter().enumerate().map(|(at, name)| (*name, column(at), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("a batch");
    let properties = WriterProperties::builder().set_compression(codec).set_dictionary_enabled(has_dictionary).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("rows");
    let text = serde_json::to_string(&certificate()).expect("a certificate");
    writer.append_key_value_metadata(KeyValue::new("rosterdiff.certificate".to_owned(), text));
    writer.into_inner().expect("a file")
}

fn seeds() -> Vec<Vec<u8>> {
    let (users, many) = (users(), users().into_iter().cycle().take(300).collect::<Vec<_>>());
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let csv = "id,name,email,username,state\n1,Ada,ada@example.com,ada@example.com,active\n2,\"B, ob\",,b@example.com,deleted\n";
    let mut seeds = vec![
        ours(),
        like_ours(Compression::UNCOMPRESSED, false, &users),
        like_ours(Compression::UNCOMPRESSED, true, &users),
        like_ours(Compression::UNCOMPRESSED, true, &many),
        like_ours(Compression::SNAPPY, true, &users),
        like_ours(Compression::ZSTD(ZstdLevel::default()), true, &[]),
        csv.as_bytes().to_vec(),
        utf16(csv),
        [b"\xFF\xFE".to_vec(), utf16(csv)].concat(),
        b"Email,Status\nM\xFCller@example.com,Deleted\n".to_vec(),
        b"PAR1".to_vec(),
    ];
    // Cut short, and cut short with its end put back.
    let whole = ours();
    for n in [whole.len() / 3, whole.len() - 9] {
        seeds.push(whole[..n].to_vec());
        seeds.push([&whole[..n], &whole[whole.len() - 8..]].concat());
    }
    seeds
}

/// Puts the length of a footer right that was mutated: else nothing behind it is ever read.
pub fn mend(old: &[u8], new: &mut Vec<u8>) {
    let n = old.len();
    let Some(length) = n.checked_sub(8).and_then(|at| old[at..].first_chunk::<4>()) else { return };
    let footer = (n - 8).checked_sub(u32::from_le_bytes(*length) as usize);
    let Some(footer) = footer.filter(|_| old.ends_with(b"PAR1")) else { return };
    // One mutation in sixteen stays as it is.
    if signature(&*new).is_multiple_of(16) || new.len() < 8 + footer {
        return;
    }
    let is_page_mutated = new.get(..footer) != Some(&old[..footer]);
    let end = new.len() - 8;
    let length = if is_page_mutated { n - 8 - footer } else { end - footer };
    new[end..end + 4].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    new[end + 4..].copy_from_slice(b"PAR1");
}

fn run(input: &[u8]) -> u64 {
    let path = scratch::file("snapshot", input);
    let effort = Effort { chunk_bytes: 64, ..Effort::of_threads(1) };
    let read = |keeps_cells| scratch::measured(|| export::read_snapshot(&path, keeps_cells, effort));
    let found = match (read(true), read(false)) {
        (Ok((whole, notes)), Ok((bare, _))) => {
            assert!(whole.keys().iter().eq(bare.keys().iter()), "keys are the same with cells or without");
            assert!(
                whole.states == bare.states && whole.rules == bare.rules,
                "states are the same with cells or without"
            );
            check(&whole);
            (0, String::new(), about(whole.len()), whole.certificate.is_some(), notes.len(), states(&whole))
        }
        // Without the cells less is read, and less can be damaged.
        (Err(error), _) => {
            assert!(
                matches!(error.kind(), Kind::File | Kind::Damaged),
                "{error}: {:?}",
                std::error::Error::source(&error)
            );
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            let words = kind_of_words(&format!("{error} {cause}").replace(&*path.to_string_lossy(), ""));
            (error.kind() as u8, words, 0, false, 0, 0)
        }
        (Ok(_), Err(error)) => panic!("what is read with cells is read without: {error}"),
    };
    signature(found)
}

/// A snapshot is one row for each user in all its columns.
pub fn check(snapshot: &Snapshot) {
    let n = snapshot.len();
    assert_eq!(
        (snapshot.keys().len(), snapshot.rules.len(), snapshot.states.len()),
        (n, n, n),
        "columns are equally long"
    );
    assert!(snapshot.username_keys().is_none_or(|keys| keys.len() == n), "columns are equally long");
    let frame = snapshot.frame().expect("a frame");
    assert_eq!(frame.height(), n, "a frame has a row for each user");
    let n_told: usize = Cell::ALL
        .into_iter()
        .map(|cell| (0..n).filter_map(|at| snapshot.cell(cell, at)).map(str::len).sum::<usize>())
        .sum();
    assert!(n_told < 1 << 30, "cells are no longer than a file can hold");
}

fn states(snapshot: &Snapshot) -> u8 {
    snapshot.states.iter().fold(0, |set, state| set | 1 << *state as u8)
}
