//! The sample of `data/`, whose expected verdicts were written by construction, not by this program.

use std::collections::HashMap;

use rosterdiff::files::export;
use rosterdiff::files::table::{Picks, Source};
use rosterdiff::lanes::Effort;
use rosterdiff::plan::{Keep, Plan};
use rosterdiff::roster::Opening;

use crate::support::data;

struct Expected {
    cells: HashMap<String, String>,
}

impl Expected {
    fn cell(&self, name: &str) -> Option<&str> {
        self.cells.get(name).map(String::as_str).filter(|cell| !cell.is_empty())
    }
}

fn expected() -> Vec<Expected> {
    let mut reader = csv::Reader::from_path(data("expected.csv")).unwrap();
    reader.deserialize().map(|row| Expected { cells: row.unwrap() }).collect()
}

fn plan() -> Plan {
    let source = Source::open(&data("roster.csv")).unwrap();
    let roster = export::read_roster(&source, Opening::default(), &Picks::default(), &[]).unwrap().roster;
    let (snapshot, _) = export::read_snapshot(&data("org.csv"), true, Effort::default()).unwrap();
    Plan::build(&roster, &snapshot, Keep::First).unwrap()
}

/// Codes of an address that cannot be used are finer than the sample's classes.
fn class(reason: &str) -> &str {
    match reason {
        "email.missing" => reason,
        _ if reason.starts_with("email.") => "email.malformed",
        _ => reason,
    }
}

#[test]
fn every_row_of_the_sample_has_its_expected_verdict() {
    let plan = plan();
    let frame = plan.frame();
    let text = |name: &str, at: usize| frame.column(name).unwrap().str().unwrap().get(at).map(str::to_owned);
    let expected = expected();
    assert_eq!(expected.len(), frame.height());
    for (at, row) in expected.iter().enumerate() {
        let why = row.cell("why").unwrap_or_default();
        let number = at + 1;
        let verdict = text("verdict", at).unwrap();
        assert_eq!(Some(verdict.as_str()), row.cell("verdict"), "row {number}: {why}");
        let first = frame.column("first_row").unwrap().u32().unwrap().get(at).map(|n| n.to_string());
        assert_eq!(first.as_deref(), row.cell("first_row"), "row {number}: {why}");
        if verdict == "present" || verdict == "deleted" {
            assert_eq!(text("user_id", at).as_deref(), row.cell("user_id"), "row {number}: {why}");
            assert_eq!(text("user_state", at).as_deref(), row.cell("user_state"), "row {number}: {why}");
        }
        if verdict == "invalid" {
            let reason = text("reason", at).unwrap();
            assert_eq!(Some(class(&reason)), row.cell("reason_class"), "row {number}: {why}");
        }
    }
}

#[test]
fn a_trim_and_lower_case_join_would_get_some_of_the_sample_wrong() {
    // What makes the sample worth having: rules beyond trim and lower case decide rows of it.
    let plan = plan();
    let rules = plan.frame().column("rules").unwrap().str().unwrap().clone();
    let verdicts = plan.frame().column("verdict").unwrap().str().unwrap().clone();
    for rule in ["invisible", "nfkc", "mailto", "angle", "idna", "dot"] {
        let hits = rules.iter().zip(verdicts.iter()).filter(|(r, v)| {
            r.is_some_and(|r| r.split('+').any(|x| x == rule)) && matches!(v, Some("present" | "deleted"))
        });
        assert!(hits.count() > 0, "no match needed {rule}");
    }
}
