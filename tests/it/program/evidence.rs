//! `verify --offline`: whatever was done to a file of a plan directory is found, and nothing else is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rosterdiff::apply::journal;
use rosterdiff::files::evidence::{self, Evidence};
use rosterdiff::files::manifest::Manifest;
use rosterdiff::sim::{Org, Settings, State};
use serde_json::Value;

use super::world::{NOWHERE, World, command, contents, fast, people, table};
use crate::support::Ran;

const OFFLINE: &str = "verify hr.plan --offline --json";

/// A roster with a row of every verdict, planned against a snapshot that stays in the directory.
fn planned() -> World {
    let mut org = Org::new(fast());
    org.seed_csv("email,state\nada@example.com,active\ncyd@example.com,deleted").unwrap();
    let world = World::of(org);
    let others = "Ada,ada@example.com,X\nCyd,cyd@example.com,X\nTwo,person2@hr.example,X\nNone,,X\n";
    world.write("hr.csv", people(6) + others);
    world.done("plan hr.csv -o hr.plan -q");
    world
}

/// The same after a run, in which one row was taken meanwhile.
fn finished() -> World {
    let world = planned();
    world.server.with_org(|org| org.stranger_creates("person3@hr.example", State::Active, org.now()));
    world.done("apply hr.plan --yes -q --settle 1");
    world
}

/// Files of the directory, by name.
fn files(world: &World) -> BTreeMap<String, Vec<u8>> {
    let files = contents(&world.path("hr.plan")).into_iter().filter(|(path, _)| path.is_file());
    files.map(|(path, bytes)| (path.file_name().unwrap().to_string_lossy().into_owned(), bytes)).collect()
}

fn examine(world: &World) -> Evidence {
    evidence::examine(&world.path("hr.plan")).unwrap()
}

/// Whether the change of one file is found, and the file named.
fn assert_found(world: &World, name: &str, what: &str) {
    let found = examine(world);
    let damage = found.damage.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(found.altered() == [name] || damage.contains(name), "{name}, {what}: {found:?}");
}

/// The same from outside: exit code and words.
fn assert_told(world: &World, name: &str, what: &str) -> Ran {
    let ran = Ran::of(command(world.dir.path(), NOWHERE, OFFLINE).output().unwrap());
    assert!(matches!(ran.code, Some(8 | 10)), "{name}, {what}: {ran:?}");
    let object = ran.json();
    let is_named = |list: &Value| list.as_array().unwrap().contains(&name.into());
    assert!(is_named(&object["altered"]) || is_named(&object["damaged"]), "{name}, {what}: {ran:?}");
    assert!(ran.err.contains(name), "{name}, {what}: {ran:?}");
    assert!(ran.err.contains("error: ") && ran.err.contains("hint: "), "{ran:?}");
    assert_eq!(ran.json()["exit"], ran.code.unwrap(), "{ran:?}");
    ran
}

/// First, last, middle and a spread of others.
fn positions(n: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..=12).map(|k| k * (n - 1) / 12).collect();
    all.dedup();
    all
}

/// Every file of the directory is changed in every way: flipped, cut, lengthened, deleted.
fn assert_every_change_is_found(world: &World) {
    let whole = files(world);
    for (name, bytes) in &whole {
        let path = world.path(&format!("hr.plan/{name}"));
        let change = |what: &str, bytes: Vec<u8>| {
            fs::write(&path, bytes).unwrap();
            assert_found(world, name, what);
        };
        for at in positions(bytes.len()) {
            for bit in [1, 0x20] {
                let mut other = bytes.clone();
                other[at] ^= bit;
                change(&format!("byte {at} ^ {bit}"), other);
            }
        }
        change("cut by one", bytes[..bytes.len() - 1].to_vec());
        change("nothing left", Vec::new());
        for more in [b"\n", b"x", b" ", b"\0"] {
            change("one byte more", [&bytes[..], more].concat());
        }
        assert_told(world, name, "one byte more");
        let mut other = bytes.clone();
        other[bytes.len() / 2] ^= 1;
        fs::write(&path, other).unwrap();
        assert_told(world, name, "the middle byte");
        fs::remove_file(&path).unwrap();
        assert_found(world, name, "deleted");
        assert_told(world, name, "deleted");
        fs::write(&path, bytes).unwrap();
    }
    assert!(files(world) == whole);
    world.done(OFFLINE);
}

#[test]
fn every_change_of_any_file_of_a_finished_directory_is_found() {
    let world = finished();
    let ran = world.done(OFFLINE);
    let object = ran.json();
    // 5 CSVs, suspects, frame, snapshot, manifest, journal, 6 results; and the roster.
    assert_eq!(
        (&object["files_checked"], &object["closed"], &object["begun"]),
        (&17.into(), &true.into(), &true.into())
    );
    assert_eq!((&object["altered"], &object["not_checked"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    for sum in ["= 6 new + 1 present + 1 deleted", "6 new = 5 created + 0 adopted + 1 taken", "Proven: 17 files"] {
        assert!(ran.err.contains(sum), "{ran:?}");
    }
    assert_eq!(ran.err.lines().filter(|line| line.contains(": as ")).count(), 5 + 1 + 1 + 1 + 6, "{ran:?}");
    assert_every_change_is_found(&world);
}

#[test]
fn every_change_of_any_file_of_a_plan_that_was_not_applied_is_found() {
    let world = planned();
    let ran = world.done(OFFLINE);
    assert_eq!((&ran.json()["files_checked"], &ran.json()["closed"]), (&10.into(), &false.into()));
    assert!(ran.err.contains("No run has begun"), "{ran:?}");
    assert_every_change_is_found(&world);
}

#[test]
fn no_byte_of_the_manifest_or_the_journal_can_change_unseen() {
    let world = finished();
    let dir = world.path("hr.plan");
    let manifest = world.read("hr.plan/manifest.json");
    for at in 0..manifest.len() {
        let mut other = manifest.clone();
        other[at] ^= 1;
        world.write("hr.plan/manifest.json", other);
        let code = Manifest::read(&dir).unwrap_err().kind().exit_code();
        assert!([4, 8].contains(&code), "byte {at}: exit {code}");
    }
    world.write("hr.plan/manifest.json", &manifest);
    let path = dir.join(journal::FILE);
    let lines = world.read("hr.plan/journal.jsonl");
    // What the last line says nothing comes after: changed, it is what a crash may leave, and what it closed is open.
    let last = lines[..lines.len() - 1].iter().rposition(|b| *b == b'\n').unwrap();
    for at in 0..lines.len() {
        for bit in [1, 4] {
            let mut other = lines.clone();
            other[at] ^= bit;
            fs::write(&path, other).unwrap();
            match journal::replay(&path) {
                Err(error) => assert_eq!(error.kind().exit_code(), 8, "byte {at}"),
                Ok(replayed) => {
                    assert!(at >= last && replayed.n_bytes_torn > 0 && replayed.ledger.closed.is_none(), "byte {at}");
                }
            }
        }
    }
}

/// The lines of the journal of a finished run, changed by `change`; what comes of replaying them.
fn rewritten(world: &World, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let text = world.read("hr.plan/journal.jsonl");
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    change(&mut lines);
    world.write("hr.plan/journal.jsonl", lines.concat());
}

#[test]
fn lines_of_the_journal_that_are_swapped_dropped_doubled_or_put_in_break_the_chain() {
    let world = finished();
    let text = world.read("hr.plan/journal.jsonl");
    let n = text.iter().filter(|b| **b == b'\n').count();
    let check = |what: &str, line: usize, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        rewritten(&world, change);
        assert_found(&world, journal::FILE, what);
        match journal::replay(&world.path("hr.plan/journal.jsonl")) {
            Err(error) => assert!(error.to_string().contains(&format!("line {line}:")), "{what}: {error}"),
            // Nothing that comes later says that it had been on the disk.
            Ok(replayed) => assert!(line >= n - 1 && replayed.n_bytes_torn > 0, "{what}, line {line}"),
        }
        world.write("hr.plan/journal.jsonl", &text);
    };
    for at in 1..n - 1 {
        check("swapped", at + 1, &|lines| lines.swap(at, at + 1));
    }
    for at in 0..n - 1 {
        check("dropped", at + 1, &|lines| drop(lines.remove(at)));
        check("doubled", at + 2, &|lines| lines.insert(at, lines[at].clone()));
    }
    for at in [0, 1, n / 2, n] {
        check("blank", at + 1, &|lines| lines.insert(at, b"\n".to_vec()));
    }
    rewritten(&world, |lines| lines.swap(3, 4));
    assert!(assert_told(&world, journal::FILE, "swapped").err.contains("line 4"));
}

#[test]
fn a_directory_that_a_crash_left_unclosed_is_told_and_closed_by_apply() {
    let world = finished();
    let before = files(&world);
    rewritten(&world, |lines| drop(lines.pop()));
    let ran = assert_told(&world, journal::FILE, "the last line dropped");
    assert_eq!((ran.code, &ran.json()["closed"]), (Some(8), &false.into()));
    assert!(ran.err.contains("not closed") && ran.err.contains("rosterdiff apply hr.plan"), "{ran:?}");
    // While it is open nothing proves the results, and all else is held as before.
    let open: Vec<Value> = ran.json()["not_checked"].as_array().unwrap().clone();
    assert!(open.contains(&"created.csv".into()) && open.len() == 6, "{open:?}");
    let n_posts = world.n_posts();
    world.done("apply hr.plan --yes -q");
    world.done(OFFLINE);
    assert_eq!(world.n_posts(), n_posts);
    // What the crash of a run leaves half-written is kept, and belongs to the evidence once the run is closed.
    let text = [world.read("hr.plan/journal.jsonl"), b"{\"seq\":99".to_vec()].concat();
    world.write("hr.plan/journal.jsonl", text);
    assert!(assert_told(&world, journal::FILE, "torn").err.contains("torn"));
    world.done("apply hr.plan --yes -q");
    assert_eq!(world.done(OFFLINE).json()["files_checked"], 18);
    world.write("hr.plan/journal.torn", "{\"seq\":98");
    assert_found(&world, journal::TORN, "another tail");
    let after = files(&world);
    for (name, bytes) in before.iter().filter(|(name, _)| *name != journal::FILE) {
        assert!(after[name] == *bytes, "{name} is another file after runs that had nothing to do");
    }
}

#[test]
fn a_run_over_a_finished_plan_changes_no_byte_of_it() {
    let world = finished();
    let before = files(&world);
    let ran = world.done("apply hr.plan --yes");
    assert!(ran.err.contains("6 new = 5 created + 0 adopted + 1 taken"), "{ran:?}");
    assert!(files(&world) == before);
}

#[test]
fn a_result_that_was_altered_or_lost_is_written_again_and_the_chain_goes_on() {
    let world = finished();
    let whole = files(&world);
    for n_closed in 2..4 {
        let first = world.read("hr.plan/journal.jsonl");
        match n_closed {
            2 => fs::remove_file(world.path("hr.plan/created.csv")).unwrap(),
            _ => world.write("hr.plan/result.parquet", "PAR1"),
        }
        world.done("apply hr.plan --yes -q");
        world.done(OFFLINE);
        let journal = world.journal();
        assert_eq!(journal.iter().filter(|line| line["ev"] == "close").count(), n_closed);
        assert_eq!(journal.last().unwrap()["ev"], "close");
        assert!(world.read("hr.plan/journal.jsonl").starts_with(&first));
    }
    let after = files(&world);
    for (name, bytes) in whole.iter().filter(|(name, _)| *name != journal::FILE) {
        assert!(after[name] == *bytes, "{name}");
    }
}

/// The chain by the words of the journal's documentation, with nothing of the program's own.
fn ends_of_the_chain(journal: &[u8]) -> Vec<String> {
    let mut before: Option<String> = None;
    let mut ends = Vec::new();
    for line in std::str::from_utf8(journal).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let before_it = before.unwrap_or_else(|| event["manifest"].as_str().unwrap().to_owned());
        let (body, _) = line.rsplit_once(",\"chain\":\"").unwrap();
        let hash = blake3::hash(format!("{before_it}{body}").as_bytes());
        let digits: String = hash.as_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(event["chain"], *digits, "{line}");
        assert_eq!(line, format!("{body},\"chain\":\"{digits}\"}}"));
        before = Some(digits.clone());
        ends.push(digits);
    }
    ends
}

#[test]
fn an_auditor_recomputes_chain_seal_and_digests_from_their_documentation() {
    let world = finished();
    let ends = ends_of_the_chain(&world.read("hr.plan/journal.jsonl"));
    let journal = world.journal();
    assert_eq!(ends.len(), journal.len());
    assert_eq!(world.done(OFFLINE).json()["chain"], *ends.last().unwrap());
    let digest = |name: &str| blake3::hash(&world.read(&format!("hr.plan/{name}"))).to_hex().to_string();
    assert_eq!(journal[0]["manifest"], digest("manifest.json"));
    assert_eq!(journal[0]["plan"], digest("plan.parquet"));
    let close = journal.last().unwrap()["files"].as_object().unwrap();
    assert_eq!(close.len(), 7);
    for (name, found) in close {
        assert_eq!(found["blake3"], digest(name), "{name}");
        assert_eq!(found["bytes"], world.read(&format!("hr.plan/{name}")).len(), "{name}");
    }
    let manifest = String::from_utf8(world.read("hr.plan/manifest.json")).unwrap();
    let (body, ending) = manifest.rsplit_once(",\n  \"seal\": \"").unwrap();
    assert_eq!(ending, format!("{}\"\n}}\n", blake3::hash(body.as_bytes()).to_hex()));
}

/// The manifest with `from` replaced, and sealed again as only somebody who knows how would.
fn resealed(manifest: &str, from: &str, to: &str) -> String {
    let (body, _) = manifest.rsplit_once(",\n  \"seal\": \"").unwrap();
    assert!(body.contains(from));
    let body = body.replacen(from, to, 1);
    let seal = blake3::hash(body.as_bytes()).to_hex();
    format!("{body},\n  \"seal\": \"{seal}\"\n}}\n")
}

#[test]
fn a_manifest_that_was_altered_stops_apply_and_one_sealed_again_does_once_a_run_has_begun() {
    for (world, is_begun) in [(planned(), false), (finished(), true)] {
        let n_posts = world.n_posts();
        let manifest = String::from_utf8(world.read("hr.plan/manifest.json")).unwrap();
        world.write("hr.plan/manifest.json", manifest.replacen("\"keep\"", " \"keep\"", 1));
        for line in ["apply hr.plan --yes", "status hr.plan", "verify hr.plan"] {
            let ran = Ran::of(command(world.dir.path(), NOWHERE, line).output().unwrap());
            assert_eq!(ran.code, Some(4), "{line}: {ran:?}");
            assert!(ran.err.contains("manifest.json") && ran.err.contains("hint: "), "{ran:?}");
        }
        world.write("hr.plan/manifest.json", resealed(&manifest, "\"made_at\": \"2", "\"made_at\": \"1"));
        if is_begun {
            for line in ["apply hr.plan --yes", "status hr.plan", "verify hr.plan"] {
                let ran = Ran::of(command(world.dir.path(), NOWHERE, line).output().unwrap());
                assert_eq!(ran.code, Some(4), "{line}: {ran:?}");
                assert!(ran.err.contains("manifest.json"), "{ran:?}");
            }
            assert_eq!(assert_told(&world, "manifest.json", "sealed again").code, Some(10));
        }
        assert_eq!(world.n_posts(), n_posts);
        for layout in [3, 7] {
            let other = format!("\"format\": {layout}");
            world.write("hr.plan/manifest.json", resealed(&manifest, "\"format\": 6", &other));
            let ran = world.run("apply hr.plan --yes");
            assert!(ran.code == Some(8) && ran.err.contains(&format!("layout {layout}")), "{ran:?}");
        }
    }
}

#[test]
fn manifests_of_earlier_layouts_are_applied_and_what_a_later_one_says_is_not_guessed_at() {
    // The layouts before this one say nothing that means something else now.
    for layout in ["4", "5"] {
        let world = planned();
        let manifest = String::from_utf8(world.read("hr.plan/manifest.json")).unwrap();
        let earlier = resealed(&manifest, "\"format\": 6", &format!("\"format\": {layout}"));
        world.write("hr.plan/manifest.json", earlier);
        assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 6);
        assert_eq!(world.done("verify --offline hr.plan").code, Some(0));
    }
    let world = planned();
    let manifest = String::from_utf8(world.read("hr.plan/manifest.json")).unwrap();
    let gates: Value = serde_json::from_str(&manifest).unwrap();
    let told = format!("\"gates\": {}", serde_json::to_string_pretty(&gates["gates"]).unwrap().replace('\n', "\n  "));
    let gate = "\"gates\": [{\"gate\": \"of_tomorrow\", \"tripped\": true, \"what\": \"it is late\"}]";
    let of_tomorrow = resealed(&manifest, &told, gate);
    world.write("hr.plan/manifest.json", &of_tomorrow);
    let ran = world.run("apply hr.plan --yes");
    assert!(ran.code == Some(8) && ran.err.contains("of_tomorrow"), "{ran:?}");
    // A later program says so by the layout, and that is what is told.
    world.write("hr.plan/manifest.json", resealed(&of_tomorrow, "\"format\": 6", "\"format\": 7"));
    let ran = world.run("apply hr.plan --yes");
    assert!(ran.code == Some(8) && ran.err.contains("layout 7, this program reads 4 to 6"), "{ran:?}");
    assert_eq!(world.n_posts(), 0);
}

#[test]
fn the_journal_of_another_plan_proves_nothing_here() {
    let world = finished();
    world.write("other.csv", people(9));
    world.done("snapshot -o org.parquet -q");
    world.done("plan other.csv --snapshot org.parquet -o other.plan -q");
    world.done("apply other.plan --yes -q");
    world.write("hr.plan/journal.jsonl", world.read("other.plan/journal.jsonl"));
    let ran = assert_told(&world, journal::FILE, "exchanged");
    assert!(ran.code == Some(10) && ran.err.contains("another plan"), "{ran:?}");
    assert_eq!(world.run("apply hr.plan --yes").code, Some(4));
}

/// The journal's lines anew, chained as they should be, with `from` replaced.
fn rechained(journal: &[u8], from: &str, to: &str) -> String {
    let mut before = None;
    let mut text = String::new();
    for line in std::str::from_utf8(journal).unwrap().lines() {
        let (body, _) = line.rsplit_once(",\"chain\":\"").unwrap();
        let body = body.replace(from, to);
        let event: Value = serde_json::from_str(&format!("{body}}}")).unwrap();
        let before_it: String = before.unwrap_or_else(|| event["manifest"].as_str().unwrap().to_owned());
        let digits = blake3::hash(format!("{before_it}{body}").as_bytes()).to_hex()[..32].to_owned();
        text += &format!("{body},\"chain\":\"{digits}\"}}\n");
        before = Some(digits);
    }
    text
}

#[test]
fn a_journal_that_speaks_of_a_row_that_is_not_new_is_damaged_even_if_its_chain_holds() {
    let world = finished();
    let text = world.read("hr.plan/journal.jsonl");
    // Row 7 is present: nothing was ever to be done for it.
    world.write("hr.plan/journal.jsonl", rechained(&text, "\"row\":5,", "\"row\":7,"));
    let ran = assert_told(&world, journal::FILE, "another row");
    assert!(ran.code == Some(8) && ran.err.contains("no new rows"), "{ran:?}");
    world.write("hr.plan/journal.jsonl", rechained(&text, "\"row\":5,", "\"row\":5,"));
    world.done(OFFLINE);
}

#[test]
fn a_journal_of_an_earlier_layout_is_refused_and_named_as_that() {
    let world = planned();
    let line = "{\"seq\":1,\"at\":\"2026-01-01T00:00:00Z\",\"ev\":\"header\",\"v\":1,\"plan\":\"x\",\"org\":\"y\",\"tool\":\"rosterdiff 0.1.0\"}\n";
    world.write("hr.plan/journal.jsonl", line);
    for line in ["apply hr.plan --yes", "status hr.plan", OFFLINE] {
        let ran = world.run(line);
        assert_eq!(ran.code, Some(8), "{ran:?}");
        assert!(ran.err.contains("layout 1, this program reads 3 to 4") && ran.err.contains("hint: "), "{ran:?}");
    }
    assert_eq!(world.n_posts(), 0);
}

#[test]
fn inputs_and_strangers_in_the_directory_are_told_for_what_they_are() {
    let world = finished();
    world.write("hr.plan/notes.txt", "remember the milk");
    let ran = world.done(OFFLINE);
    assert_eq!(ran.json()["not_checked"], Value::from(vec!["notes.txt"]));
    assert!(ran.err.contains("notes.txt: not part of the evidence"), "{ran:?}");
    // Found beside the directory, from wherever one looks.
    let away = command(Path::new("/"), NOWHERE, "verify --offline --json").arg(world.path("hr.plan")).output();
    assert_eq!(Ran::of(away.unwrap()).json()["files_checked"], 17);
    let roster = world.read("hr.csv");
    world.write("hr.csv", [&roster[..], b"Eve,eve@example.com,X\n"].concat());
    assert_eq!(assert_told(&world, "hr.csv", "edited since").code, Some(10));
    fs::remove_file(world.path("hr.csv")).unwrap();
    let ran = world.done(OFFLINE);
    assert_eq!((&ran.json()["files_checked"], &ran.json()["altered"]), (&16.into(), &Value::Array(vec![])));
    assert!(ran.err.contains("the roster is not here"), "{ran:?}");
}

#[test]
fn what_is_no_file_any_more_is_a_finding_and_nobody_waits_for_it() {
    for (name, code) in
        [("new.csv", 10), ("suspects.csv", 10), ("result.parquet", 10), ("manifest.json", 10), (journal::FILE, 8)]
    {
        let world = finished();
        let path = world.path("hr.plan").join(name);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(assert_told(&world, name, "no file any more").code, Some(code), "{name}");
        fs::remove_dir(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_eq!(assert_told(&world, name, "no file any more").code, Some(code), "{name}");
    }
}

#[test]
fn offline_needs_no_credentials_no_network_and_a_plan() {
    let world = finished();
    let mut command = command(world.dir.path(), NOWHERE, OFFLINE);
    let ran = Ran::of(command.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(world.run("verify hr.plan --offline --tokens 2").code, Some(2));
    fs::create_dir(world.path("empty")).unwrap();
    for (dir, named) in [("empty", "holds no plan"), ("nowhere", "nowhere")] {
        let ran = world.run(&format!("verify {dir} --offline"));
        assert!(ran.code == Some(3) && ran.err.contains(named) && ran.err.contains("hint: "), "{ran:?}");
    }
}

#[test]
fn a_run_that_ends_early_is_closed_as_it_stands() {
    let world = World::planned(Settings { body_octets_max: 2_000, ..fast() }, &people(3));
    let mut n_creates = 0;
    world.server.with_org(|org| {
        org.before_each(move |org, request, _| {
            n_creates += u64::from(request.path == "/api/v2/users" && !request.body.is_empty());
            if n_creates == 2 {
                org.settings_mut().body_octets_max = 1;
            }
        });
    });
    assert_eq!(world.run("apply hr.plan --yes -q").code, Some(1));
    let refused: PathBuf = world.path("hr.plan/refused.csv");
    assert!(!table(&fs::read(refused).unwrap(), b',').is_empty());
    assert_eq!(world.done(OFFLINE).json()["closed"], true);
}
