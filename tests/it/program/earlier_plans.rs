//! The directories that `plan --after` is given: whole, of this organisation, each once, in any order; and what is proven
//! of them later.

use std::path::Path;

use rosterdiff::files::manifest::Manifest;
use rosterdiff::sim::Settings;
use serde_json::Value;

use super::waves::{LONG, refused};
use super::world::{World, contents, fast, people};

#[test]
fn another_organisation_is_refused_with_both_ids() {
    let [one, other] = [1, 2].map(|seed| World::planned(Settings { seed, ..fast() }, &people(2)));
    let id = |world: &World| Manifest::read(&world.path("hr.plan")).unwrap().organisation_id.unwrap();
    assert_ne!(id(&one), id(&other));
    let foreign = other.path("hr.plan").display().to_string();
    // Never applied, then applied: it makes no difference.
    for _ in 0..2 {
        let before = contents(one.dir.path());
        let ran = one.run(&format!("plan hr.csv --snapshot org.parquet --after {foreign} -o hr2.plan"));
        assert_eq!(ran.code, Some(4), "{ran:?}");
        assert!([id(&one), id(&other)].iter().all(|id| ran.err.contains(id)) && ran.err.contains("hint: "), "{ran:?}");
        one.write("export.csv", "email\nx@hr.example\n");
        let ran = one.run(&format!("plan hr.csv --snapshot export.csv --after hr.plan {foreign} -o hr2.plan"));
        assert_eq!(ran.code, Some(4), "{ran:?}");
        std::fs::remove_file(one.path("export.csv")).unwrap();
        assert!(contents(one.dir.path()) == before);
        other.done("apply hr.plan --yes -q");
    }
}

#[test]
fn an_earlier_plan_that_is_not_whole_is_refused_and_nothing_is_written() {
    let world = World::planned(fast(), &people(5));
    world.done("apply hr.plan --yes -q");
    world.done("plan hr.csv --snapshot org.parquet -o other.plan -q");
    copy(&world.path("hr.plan"), &world.path("copy.plan"));
    let refused = |what: &str, code: i32, more: &str, words: &str| {
        let before = contents(world.dir.path());
        let ran = world.run(&format!("plan hr.csv --snapshot org.parquet {more}"));
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{what}: {ran:?}");
        assert!(ran.err.contains(words) && ran.err.contains("hint: ") && !ran.err.contains('@'), "{what}: {ran:?}");
        assert!(contents(world.dir.path()) == before, "{what}: something was written");
    };
    refused("twice", 2, "--after hr.plan other.plan ./hr.plan -o hr2.plan", "named twice");
    refused("a copy", 2, "--after hr.plan --after copy.plan -o hr2.plan", "copy.plan and hr.plan are one plan");
    refused("no plan", 3, "--after . -o ../hr2.plan", "");
    refused("its own", 3, "--after other.plan -o other.plan --overwrite", "other.plan");
    refused("inside", 3, "--after hr.plan -o hr.plan/hr2.plan", "hr.plan");
    let with = |file: &str, change: &dyn Fn(&mut Vec<u8>), code: i32| {
        let path = world.path(&format!("hr.plan/{file}"));
        let whole = std::fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        change(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        refused(file, code, "--after hr.plan -o hr2.plan", "hr.plan");
        std::fs::write(&path, whole).unwrap();
    };
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    };
    for (file, code) in [("new.csv", 4), ("plan.parquet", 4), ("journal.jsonl", 8)] {
        with(file, &flip, code);
    }
    with("manifest.json", &|bytes| bytes.push(b' '), 4);
    // Cut at its end, and the results know of more.
    with("journal.jsonl", &|bytes| bytes.truncate(bytes.len() / 2), 8);
    let journal = world.read("hr.plan/journal.jsonl");
    std::fs::remove_file(world.path("hr.plan/journal.jsonl")).unwrap();
    refused("the journal is gone", 8, "--after hr.plan -o hr2.plan", "journal");
    world.write("hr.plan/journal.jsonl", journal);
    world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr2.plan -q");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn the_order_of_the_earlier_plans_changes_no_byte() {
    let world = refused();
    world.write("hr2.csv", LONG.replace("A title", "Some title"));
    world.done("plan hr2.csv -o hr2.plan -q");
    assert_eq!(world.run("apply hr2.plan --yes -q").code, Some(1));
    world.done("snapshot -o org.parquet -q");
    world.done("plan hr1.csv --snapshot org.parquet -o never.plan -q");
    let plan = |dir: &str, after: &str| {
        let ran = world.done(&format!("plan hr1.csv --snapshot org.parquet -o {dir} {after}"));
        let mut files = contents(&world.path(dir));
        files.retain(|path, _| path.is_file() && !path.ends_with("manifest.json"));
        let files: Vec<_> =
            files.into_iter().map(|(path, bytes)| (path.file_name().unwrap().to_owned(), bytes)).collect();
        let mut manifest: Value = serde_json::from_slice(&world.read(&format!("{dir}/manifest.json"))).unwrap();
        let all = manifest.as_object_mut().unwrap();
        all.retain(|key, _| key != "made_at" && key != "seal");
        (files, manifest, ran.err.replace(dir, "DIR"))
    };
    let once = plan("a.plan", "--after hr1.plan hr2.plan never.plan");
    assert!(once.2.contains("After never.plan: it was never applied, so nothing is known from it."), "{}", once.2);
    assert!(once == plan("b.plan", "--after never.plan --after hr2.plan hr1.plan"));
    assert_eq!(once.1["after"].as_array().unwrap().len(), 3);
    assert_eq!(once.1["after"][0]["rows"]["refused"], 3);
    assert!(once.1["outputs"]["again.csv"].is_object());
}

#[test]
fn the_evidence_tells_what_has_become_of_the_earlier_plan_since() {
    let world = World::planned(fast(), &people(3));
    world.done("plan hr.csv --snapshot org.parquet -o other.plan -q");
    world.done("plan hr.csv --snapshot org.parquet --after other.plan -o first.plan -q");
    world.done("apply hr.plan --yes -q");
    world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o second.plan -q");
    let told = |line: &str, code: i32, words: &str| {
        let ran = world.run(&format!("verify {line} --offline"));
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    };
    told("first.plan", 0, "other.plan: the earlier plan, and its journal ends where it did");
    world.done("apply other.plan --yes -q");
    told("first.plan", 0, "other.plan: the earlier plan; its journal has gone on since");
    told("second.plan", 0, "hr.plan: the earlier plan, and its journal ends where it did");
    world.done("rollback hr.plan --yes -q");
    told("second.plan", 0, "hr.plan: the earlier plan; its journal has gone on since");
    std::fs::rename(world.path("hr.plan"), world.path("moved.plan")).unwrap();
    told("second.plan", 0, "hr.plan: the earlier plan is not here");
    copy(&world.path("first.plan"), &world.path("hr.plan"));
    told("second.plan", 10, "hr.plan: altered: not the earlier plan that was asked");
    std::fs::remove_dir_all(world.path("hr.plan")).unwrap();
    copy(&world.path("moved.plan"), &world.path("hr.plan"));
    let text = String::from_utf8(world.read("hr.plan/journal.jsonl")).unwrap();
    let first = text.lines().next().unwrap();
    world.write("hr.plan/journal.jsonl", format!("{first}\n"));
    told("second.plan", 10, "hr.plan: altered: not the earlier plan that was asked");
}
