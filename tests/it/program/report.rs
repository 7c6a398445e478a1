//! `report` from outside: one page from a directory alone, whatever became of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicI64, Ordering};

use rosterdiff::apply::Outcome;
use rosterdiff::apply::journal::Journal;
use rosterdiff::apply::ledger::{Binding, Event, Said};
use rosterdiff::files::manifest::{Digest, Manifest};
use rosterdiff::number::Number;
use rosterdiff::sim::{Org, State};

use super::world::{NOWHERE, World, command, contents, fast, people};
use crate::support::{Ran, data};

const REPORT: &str = "report hr.plan --json";

/// Makes a report with nobody to talk to, and reads it.
fn page(world: &World, line: &str) -> String {
    let ran = Ran::of(command(world.dir.path(), NOWHERE, line).output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let name = if line.contains("--mask") { "report-masked.html" } else { "report.html" };
    let page = String::from_utf8(world.read(&format!("hr.plan/{name}"))).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    for elsewhere in ["http:", "https:", " src=\"", "@import", "<link", "fetch("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    page
}

/// What a page says, without its markup.
fn text(page: &str) -> String {
    let body = &page[page.find("<body>").unwrap()..page.rfind("<script").unwrap()];
    let mut text = String::new();
    for part in body.split('<') {
        text += part.split_once('>').map_or(part, |(_, said)| said);
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&amp;", "&")
}

#[track_caller]
fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word} is not in {said:.4000}");
    }
}

#[test]
fn a_dry_run_says_so_and_its_sums_are_those_of_the_manifest() {
    let world = World::sample(fast());
    world.plan();
    let before = contents(&world.path("hr.plan"));
    let ran = world.done("report hr.plan");
    assert_eq!(ran.out, "");
    assert_says(&ran.err, &["DRY RUN: 693 people of 2,000 rows would be created.", "Report: hr.plan/report.html"]);
    let said = text(&page(&world, REPORT));
    let plan = Manifest::read(&world.path("hr.plan")).unwrap();
    let counts = plan.counts;
    let sum = format!(
        "{} rows = {} new + {} present + {} deleted + {} duplicate + {} invalid",
        Number(counts.rows),
        Number(counts.new),
        Number(counts.present),
        Number(counts.deleted),
        Number(counts.duplicate),
        Number(counts.invalid)
    );
    assert_says(
        &said,
        &["DRY RUN", "nothing was sent", &sum, "rosterdiff apply hr.plan", "✓ Proven", "No run has begun"],
    );
    assert_says(&said, &["A blank or a line break inside the address", "differs by dots or a plus sign", "xn--"]);
    let digests =
        [Digest::of_file(&world.path("hr.plan/manifest.json")).unwrap().blake3, plan.plan_digest().to_owned()];
    assert_says(&said, &[&digests[0], &digests[1], &plan.roster.digest.blake3, &plan.snapshot.digest.blake3]);
    // The default path, nobody else's to read, and no more than a page beside the plan.
    let path = world.path("hr.plan/report.html");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut after = contents(&world.path("hr.plan"));
    assert!(after.remove(&path).is_some());
    assert_eq!(after, before);
}

#[test]
fn a_report_is_no_evidence_and_in_nobodys_way() {
    let world = World::planned(fast(), &people(3));
    page(&world, REPORT);
    let verified = world.done("verify hr.plan --offline");
    assert_says(&verified.err, &["report.html: made of the others by `rosterdiff report`; nothing relies on it"]);
    world.done("plan hr.csv --snapshot org.parquet -o hr.plan --overwrite -q");
    assert!(!world.path("hr.plan/report.html").exists(), "it was of the plan that is gone");
    world.done("apply hr.plan --yes -q");
    page(&world, REPORT);
    let verified = world.done("verify hr.plan --offline --json").json();
    assert_eq!(verified["altered"].as_array().unwrap().len(), 0);
    // Nothing of a plan is replaced by a page about it.
    for name in ["plan.parquet", "manifest.json", "journal.jsonl", "created.csv", "new.csv"] {
        let before = world.read(&format!("hr.plan/{name}"));
        let ran = world.run(&format!("report hr.plan -o hr.plan/{name}"));
        assert_eq!((ran.code, world.read(&format!("hr.plan/{name}"))), (Some(3), before), "{ran:?}");
    }
    let elsewhere = world.done("report hr.plan -o page.html --json").json();
    assert_eq!((&elsewhere["path"], &elsewhere["created"]), (&"page.html".into(), &3.into()));
}

#[test]
fn a_finished_run_a_rolled_back_one_and_a_restored_one_are_told_as_they_are() {
    let mut org = Org::new(fast());
    org.seed_csv("email,state,name\ncyd@hr.example,deleted,Cyd\nsomebody@hr.example,active,S").unwrap();
    let world = World::of(org);
    world.write("hr.csv", people(30) + "Cyd,cyd@hr.example,X\n");
    world.done("plan hr.csv -o hr.plan --restore-deleted -q");
    world.server.with_org(|org| org.stranger_creates("person3@hr.example", State::Active, org.now()));
    world.done("apply hr.plan --yes -q --settle 1");
    let said = text(&page(&world, REPORT));
    assert_says(&said, &["29 of 30 new people were created", "1 taken", "1 deleted = 1 restored"]);
    assert_says(&said, &["DONE", "rosterdiff verify hr.plan", "came to its end", "Held by deleted users"]);
    world.done("rollback hr.plan --yes -q");
    let said = text(&page(&world, REPORT));
    assert_says(&said, &["ROLLED BACK", "29 of 29 created users were deleted again", "29 removed", "deleted again"]);
}

#[test]
fn a_run_that_was_cut_off_is_told_and_so_is_how_it_went_on() {
    let world = World::planned(fast(), &people(40));
    world.done("apply hr.plan --yes -q");
    let journal = String::from_utf8(world.read("hr.plan/journal.jsonl")).unwrap();
    // As a crash leaves it: some lines, half of one, no results.
    let kept: Vec<&str> = journal.split_inclusive('\n').take(21).collect();
    world.write("hr.plan/journal.jsonl", kept.concat() + "{\"seq\":22,\"at");
    for name in ["result.parquet", "created.csv", "taken.csv", "refused.csv", "unknown.csv", "unprocessed.csv"] {
        std::fs::remove_file(world.path(&format!("hr.plan/{name}"))).unwrap();
    }
    let said = text(&page(&world, REPORT));
    assert_says(
        &said,
        &["CUT OFF", "the run was cut off", "rosterdiff apply hr.plan", "The run has not written its files"],
    );
    let object = Ran::of(command(world.dir.path(), NOWHERE, "status hr.plan --json").output().unwrap()).json();
    let created = object["created"].as_u64().unwrap();
    assert!(created > 0 && created < 40, "{object}");
    assert_says(&said, &[&format!("40 new = {created} created")]);
    world.done("apply hr.plan --yes -q --settle 1");
    let said = text(&page(&world, REPORT));
    assert_says(&said, &["was cut off", "came to its end", "The time between runs is left out"]);
}

#[test]
fn a_damaged_directory_has_the_error_of_status_and_no_page() {
    let world = World::planned(fast(), &people(20));
    world.done("apply hr.plan --yes -q");
    let flip = |name: &str, at: usize| {
        let mut bytes = world.read(&format!("hr.plan/{name}"));
        bytes[at] ^= 1;
        world.write(&format!("hr.plan/{name}"), bytes);
    };
    for (name, at, code) in
        [("journal.jsonl", 400, 8), ("invalid.csv", 1, 4), ("manifest.json", 40, 4), ("plan.parquet", 99, 4)]
    {
        flip(name, at);
        let [status, report] = ["status hr.plan", "report hr.plan"].map(|line| world.run(line));
        assert_eq!((report.code, &report.err), (Some(code), &status.err), "{name}: {report:?}");
        assert!(!world.path("hr.plan/report.html").exists(), "{name}");
        flip(name, at);
    }
    page(&world, REPORT);
    std::fs::remove_file(world.path("hr.plan/journal.jsonl")).unwrap();
    let before = world.read("hr.plan/report.html");
    assert_eq!((world.run("report hr.plan").code, world.read("hr.plan/report.html")), (Some(8), before));
}

#[test]
fn nothing_in_a_cell_is_markup_and_nothing_is_too_long() {
    let evil = "</script><img src=x onerror=alert(1)>";
    let long = "y".repeat(10_000);
    let mut roster = "Name,Email,Department\n".to_owned();
    for (n, name) in [evil, &long, "\u{202e}turned", "'><svg onload=x>", "👩🏽‍🔬 דן", "<!--"].into_iter().enumerate()
    {
        writeln!(roster, "\"{name}\",hostile{n}@hr.example,X").unwrap();
        writeln!(roster, "\"{name}\",hostile{n}@hr.example,X").unwrap();
        writeln!(roster, "Bad,\"{name}\",X").unwrap();
    }
    roster += "Nul,nul\0@hr.example,X\n";
    let world = World::planned(fast(), &roster);
    world.done("apply hr.plan --yes -q");
    let page = page(&world, REPORT);
    assert!(!page.contains("<img") && !page.contains("<svg onload") && !page.contains("<!--") && !page.contains('\0'));
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(page.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"));
    assert_says(
        &page,
        &["<bdi>\u{202e}turned</bdi>", "<i>… 10,000 characters</i>", "<bdi>👩🏽‍🔬 דן</bdi>", "nul\u{fffd}@"],
    );
    assert!(page.len() < 200_000, "{}", page.len());
    // Everybody who was created is called by this name or another, and nobody is missing.
    assert_says(&text(&page), &[evil, "All 6 new people are in the organisation"]);
}

/// Words of the tables and the head of a page.
fn words(page: &str) -> BTreeSet<String> {
    let said = text(page).to_lowercase();
    said.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
}

#[test]
fn of_a_masked_page_nobody_can_be_told() {
    let world = World::sample(fast());
    world.plan();
    world.done("apply hr.plan --yes -q");
    let open = page(&world, REPORT);
    assert!(open.contains("nandini.banerjee@emea.example.com"));
    let masked = page(&world, "report hr.plan --mask --json");
    assert!(masked.contains("<title>MASKED · "));
    assert_says(&masked, &["p0001@emea.example.com", "(hidden)", ">hr.csv<"]);
    let everything = masked.to_lowercase();
    let own = words(&page(&World::planned(fast(), &people(1)), REPORT));
    let found = words(&masked);
    let (mut n_addresses, mut n_names) = (0, 0);
    for (file, addresses, names) in [
        ("roster.csv", &["Work Email", "Personal Email", "Manager Email"][..], &["First Name", "Last Name"][..]),
        ("org.csv", &["email", "username"], &["name"]),
    ] {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(data(file)).unwrap();
        let header = reader.headers().unwrap().clone();
        let cell = |row: &csv::StringRecord, name: &str| {
            row.get(header.iter().position(|head| head == name).unwrap()).unwrap_or_default().trim().to_lowercase()
        };
        for row in reader.records().map(Result::unwrap) {
            for local in addresses.iter().filter_map(|name| Some(cell(&row, name).split_once('@')?.0.to_owned())) {
                n_addresses += usize::from(local.len() >= 5);
                assert!(local.len() < 5 || !everything.contains(&format!("{local}@")), "{local}");
            }
            for word in
                names.iter().flat_map(|name| cell(&row, name).split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            {
                n_names += 1;
                let is_seen = found.contains(&word) && !own.contains(&word);
                assert!(!is_seen || word.chars().count() < 4, "{word}");
            }
        }
    }
    assert!(n_addresses > 3_000 && n_names > 3_000, "{n_addresses}, {n_names}");
    // One address is one word in the whole page, and the domains stay.
    assert!(open.matches("@emea.example.com").count() <= masked.matches("@emea.example.com").count() + 5);
}

static NOW: AtomicI64 = AtomicI64::new(0);

fn clock() -> String {
    jiff::Timestamp::from_second(NOW.load(Ordering::Relaxed)).unwrap().to_string()
}

/// A night of 50,000 rows at 300 a minute in two runs, as a journal tells it.
fn night(world: &World, n_rows: u32) {
    let dir = world.path("hr.plan");
    let manifest = Manifest::read(&dir).unwrap();
    let digest = Digest::of_file(&dir.join("manifest.json")).unwrap().blake3;
    let to =
        Binding { plan: manifest.plan_digest().to_owned(), manifest: digest, org: manifest.organisation_id.unwrap() };
    NOW.store(1_800_000_000, Ordering::Relaxed);
    let begin = || Journal::open(&dir, &to, clock, || Ok(())).unwrap().0;
    let mut journal = begin();
    let say = |journal: &Journal, event: Event| journal.record(event, false).unwrap();
    for (row, n) in (1..=n_rows).zip(0_u32..) {
        if n == n_rows / 2 {
            say(&journal, Event::Throttled { n: 7 });
            say(&journal, Event::Wait { why: "creates".to_owned() });
            NOW.fetch_add(900, Ordering::Relaxed);
            say(&journal, Event::Resumed { why: "creates".to_owned() });
            drop(journal);
            NOW.fetch_add(30_000, Ordering::Relaxed);
            journal = begin();
        }
        if n % (n_rows / 2) == 0 {
            say(&journal, Event::Pace { allowed: 300, window_ms: 60_000, tokens: 2, per_min: None });
        }
        NOW.fetch_add(i64::from(n % 5 == 0), Ordering::Relaxed);
        say(&journal, Event::Intent { row, att: 1 });
        let reply = Said { http: Some(400), words: Some(format!("no: {row}").into()), ..Said::default() };
        let done = |outcome, reply| Event::Done { row, outcome, id: Some(format!("id-{row}")), state: None, reply };
        match row % 50 {
            1 => say(&journal, Event::Unknown { row, why: "the reply was lost".to_owned() }),
            2 => say(&journal, done(Outcome::Refused, reply)),
            3 => say(&journal, done(Outcome::Taken, Said::default())),
            4 => say(&journal, Event::Unsent { row, why: "throttled".to_owned() }),
            _ => say(&journal, done(Outcome::Created, Said::default())),
        }
    }
    drop(journal);
}

#[test]
fn fifty_thousand_rows_make_a_page_that_can_be_mailed_and_a_night_few_columns() {
    let mut roster = people(50_000);
    for n in 0..3_000 {
        writeln!(roster, "Again {n},person{}@hr.example,X\nBroken {n},broken{n},X", n + 1).unwrap();
        writeln!(roster, "Alike {n},person{}+x@hr.example,X", n + 1).unwrap();
    }
    let world = World::planned(fast(), &roster);
    night(&world, 50_000);
    let page = page(&world, REPORT);
    assert!(page.len() < 2_000_000, "{}", page.len());
    let said = text(&page);
    assert_says(
        &said,
        &["1,000 of 46,000", "1,000 of 3,000", "1,000 of 4,000", "CUT OFF", "46,000 created + 0 adopted"],
    );
    assert_says(&said, &["960 more rows were refused in other words", "was cut off"]);
    assert_says(
        &page,
        &["Allowed: 600 a minute", "7 throttled (429)", "No creates left for 15 min", "8 h 20 min without a run"],
    );
    // Two drawings of it, a column in at most three parts.
    let n_columns = page.matches(" created</title>").count();
    assert!(n_columns > 100 && n_columns <= 2 * 200, "{n_columns}");
}

#[test]
fn a_page_replaces_a_page_and_nothing_else() {
    let world = World::planned(fast(), &people(2));
    world.done("report hr.plan -o page.html");
    world.done("report hr.plan -o page.html");
    world.write("empty.html", "");
    for name in ["hr.csv", "org.parquet", "empty.html", "hr.plan/plan.parquet"] {
        let before = world.read(name);
        let ran = world.run(&format!("report hr.plan -o {name}"));
        assert!(ran.code == Some(3) && ran.err.contains(name) && ran.err.contains("hint: "), "{ran:?}");
        assert_eq!(world.read(name), before, "{name}");
    }
}
