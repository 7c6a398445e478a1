//! What is written, byte for byte: the source cells as they came, and the same whatever the order of the export, the number
//! of threads and the size of chunks.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use rosterdiff::error::Result;
use rosterdiff::files::{export, plan_dir};
use rosterdiff::lanes::Effort;
use rosterdiff::plan::{Policy, Teller, Verdict, Verdicts};
use rosterdiff::roster::{self, InMemory, Opening, Sheet};

const ONE: Effort = Effort { chunk_bytes: 1 << 30, ..Effort::of_threads(1) };

fn opened(name: &str, bytes: &[u8], effort: Effort) -> Result<Sheet> {
    roster::open(name, Arc::new(InMemory(bytes.to_vec())), Opening { effort, ..Opening::default() })
}

/// What `diff --verdict all` writes, or what it says instead.
fn diff(people: &[u8], org: &[u8], effort: Effort) -> Result<Vec<u8>, String> {
    let run = || {
        let sheet = opened("hr.csv", people, effort)?;
        let mapping = roster::map(&sheet, &[])?;
        let roster = roster::check(sheet, mapping)?;
        let snapshot = export::from_sheet(&opened("org.csv", org, effort)?, true)?;
        let policy = Policy::default();
        let verdicts = Verdicts::decide(&roster, &snapshot, &policy, effort)?;
        let teller = Teller { roster: &roster, snapshot: &snapshot, verdicts: &verdicts, policy: &policy };
        let mut out = Vec::new();
        plan_dir::write_verdicts(&mut out, &teller, &Verdict::ALL, effort)?;
        Ok(out)
    };
    run().map_err(|error: rosterdiff::error::Error| error.to_string())
}

fn address() -> impl Strategy<Value = String> {
    let local = select(vec!["ada", "bob", "Cyd", "dan", "émile", "f"]);
    let dress = select(vec!["", " ", "mailto:"]);
    prop_oneof![
        9 => (dress, local).prop_map(|(dress, local)| format!("{dress}{local}@example.com")),
        1 => select(vec!["", "ada", "@", "ada@localhost"]).prop_map(str::to_owned),
    ]
}

/// A cell as it may stand in a file, with what needs quotes in quotes.
fn raw(text: String, delimiter: char, has_quotes: bool) -> String {
    let needs = text.contains([delimiter, '"', '\n', '\r']);
    if needs || has_quotes { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// The lines of a roster: header, records, each with the line end behind it.
#[derive(Clone, Debug)]
struct People {
    bom: bool,
    delimiter: char,
    records: Vec<(String, &'static str)>,
}

impl People {
    fn bytes(&self) -> Vec<u8> {
        let text: String = self.records.iter().flat_map(|(record, end)| [record.as_str(), *end]).collect();
        (if self.bom { "\u{feff}" } else { "" }.to_owned() + &text).into_bytes()
    }
}

fn people() -> impl Strategy<Value = People> {
    let note = prop_oneof!["[a-c \"é,;|\\t\\n\\r=]{0,7}", Just(String::new()), "é{0,90}"];
    let record = (address(), "[ab\"\n,;|]{0,3}", note, prop::collection::vec(any::<bool>(), 3));
    let end = || select(vec!["\n", "\r\n", "\r", "\n\n", "\r\n\r\n\r\n"]);
    let rows = prop::collection::vec((record, end()), 0..30);
    (any::<bool>(), select(vec![',', ';', '|', '\t']), select(vec!["\n", "\r\n", "\r"]), rows, any::<bool>()).prop_map(
        |(bom, delimiter, eol, rows, is_cut)| {
            let join = |cells: [String; 3]| cells.join(&delimiter.to_string());
            let mut records = vec![(join(["Email", "\"Full\nName\"", "Note"].map(str::to_owned)), eol)];
            for ((email, name, note, quotes), end) in rows {
                let cells = [(email, quotes[0]), (name, quotes[1]), (note, quotes[2])];
                records.push((join(cells.map(|(text, has_quotes)| raw(text, delimiter, has_quotes))), end));
            }
            // The last line may lack its end.
            if let (true, Some(last)) = (is_cut, records.last_mut()) {
                last.1 = "";
            }
            People { bom, delimiter, records }
        },
    )
}

/// An export: a header, and users whose ids may be missing or not tell them apart.
fn org() -> impl Strategy<Value = (String, Vec<String>)> {
    let cell = |texts: &[&'static str]| select(texts.to_vec());
    let user = (address(), address(), cell(&["active", "deleted", ""]), cell(&["Ada", "Bob"]), cell(&["1", "2", ""]));
    (prop::collection::vec((user, any::<bool>()), 0..14), any::<bool>()).prop_map(|(users, has_ids)| {
        let line = |((email, name, state, full, id), is_same): ((String, String, _, _, _), bool)| {
            let username = if is_same { &email } else { &name };
            let id = if has_ids { format!("{id},") } else { String::new() };
            format!("{id}{email},{username},{state},{full}\n")
        };
        let header = if has_ids { "id,email,username,state,name\n" } else { "email,username,state,name\n" };
        (header.to_owned(), users.into_iter().map(line).collect())
    })
}

fn efforts() -> impl Strategy<Value = Vec<Effort>> {
    let chunk = || prop_oneof![1..40_usize, 40..2_000_usize];
    [1, 2, 3, 8]
        .map(|threads| chunk().prop_map(move |chunk_bytes| Effort { threads, chunk_bytes, ..Effort::default() }))
        .to_vec()
}

/// Lines that break a file, or a row of it.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    select(vec![
        &b"a@example.com,\"open\n"[..],
        b"b@example.com,B\xFF,x\n",
        b"\xC3",
        b"c@example.com,C\"D\",x\n",
        b"d@example.com,\"D\"D,x\n",
        b"e@example.com\n",
        b"f@example.com,\0,x,y,z\n",
        b"\"g@example.com\n",
    ])
    .prop_map(<[u8]>::to_vec)
}

/// `bytes` with `broken` at a line end or anywhere.
fn damaged(bytes: &[u8], broken: &[(Vec<u8>, Index, bool)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (broken, at, is_anywhere) in broken {
        let mut at = at.index(bytes.len() + 1);
        if !is_anywhere {
            at = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        }
        bytes.splice(at..at, broken.iter().copied());
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_source_cells_of_every_row_are_the_very_bytes_of_the_file(
        people in people(), (header, users) in org(), efforts in efforts(),
    ) {
        let out = diff(&people.bytes(), (header + &users.concat()).as_bytes(), efforts[0]).unwrap();
        let mut rest = out.as_slice();
        if people.bom {
            rest = rest.strip_prefix("\u{feff}".as_bytes()).unwrap();
        }
        // Every row ends as the header does.
        let eol = people.records[0].1.as_bytes();
        let eol = if eol.is_empty() { b"\n" } else { eol };
        for (record, _) in &people.records {
            let source = [record.as_bytes(), &[people.delimiter as u8]].concat();
            rest = rest.strip_prefix(source.as_slice()).ok_or_else(|| TestCaseError::fail(format!("{record:?}")))?;
            // No tool cell holds a line end.
            let end = rest.windows(eol.len()).position(|bytes| bytes == eol).unwrap();
            rest = &rest[end + eol.len()..];
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn neither_the_order_of_an_export_nor_threads_nor_chunks_change_a_byte_that_is_written(
        people in people(), (header, users, shuffled) in org().prop_flat_map(|(header, users)| {
            (Just(header), Just(users.clone()), Just(users).prop_shuffle())
        }), efforts in efforts(),
    ) {
        let expected = diff(&people.bytes(), (header.clone() + &users.concat()).as_bytes(), ONE).unwrap();
        for effort in efforts {
            let found = diff(&people.bytes(), (header.clone() + &shuffled.concat()).as_bytes(), effort).unwrap();
            prop_assert_eq!(String::from_utf8(found).unwrap(), String::from_utf8_lossy(&expected), "{:?}", effort);
        }
    }

    #[test]
    fn what_is_wrong_with_a_roster_is_told_alike_by_any_threads_and_chunks(
        people in people(), broken in prop::collection::vec((broken(), any::<Index>(), any::<bool>()), 1..3),
        efforts in efforts(),
    ) {
        let people = damaged(&people.bytes(), &broken);
        let org = b"email,id\nada@example.com,1\n";
        let expected = diff(&people, org, ONE);
        for effort in efforts {
            prop_assert_eq!(diff(&people, org, effort), expected.clone(), "{:?}", effort);
        }
    }

    #[test]
    fn what_is_wrong_with_an_export_is_told_alike_by_any_threads_and_chunks(
        (header, users) in org(), broken in prop::collection::vec((broken(), any::<Index>(), any::<bool>()), 1..3),
        efforts in efforts(),
    ) {
        let org = damaged((header + &users.concat()).as_bytes(), &broken);
        let expected = diff(b"Email\nada@example.com\n", &org, ONE);
        for effort in efforts {
            prop_assert_eq!(diff(b"Email\nada@example.com\n", &org, effort), expected.clone(), "{:?}", effort);
        }
    }
}
