//! What an error looks like, whole: command, exit code, stdout and stderr of each class of bad input and broken world, one
//! file each in `tests/golden/`. Whoever changes a word sees it there, as the person at the terminal would.
//!
//! `GOLDEN=write cargo test --release --test it golden` writes the files again; read the difference before it is kept.
//! The directory of a case is `DIR`, a port `PORT`, a process `PID`; nothing else is replaced.

mod cases;
mod worlds;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::world::{World, command};
use crate::support::Ran;

/// A class of errors.
struct Case {
    name: &'static str,
    /// What is typed behind `rosterdiff`, split at blanks.
    line: &'static str,
    /// The exit code that it has to end with.
    code: i32,
    /// What else the environment says; an empty value takes a variable away.
    env: &'static [(&'static str, &'static str)],
    /// What is there before.
    world: fn() -> World,
}

fn case(name: &'static str, code: i32, world: fn() -> World, line: &'static str) -> Case {
    Case { name, line, code, env: &[], world }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"))
}

/// The command of a case, in its world.
fn typed(case: &Case, world: &World) -> Command {
    let mut typed = command(world.dir.path(), &world.server.base_url(), case.line);
    for (name, value) in case.env {
        let value = value.replace("DIR", &world.dir.path().display().to_string());
        if value.is_empty() {
            typed.env_remove(name)
        } else {
            typed.env(name, value)
        };
    }
    typed
}

fn text(case: &Case, ran: &Ran, world: &World) -> String {
    let env: String = case.env.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    let told = format!(
        "$ {env}rosterdiff {}\nexit {}\n--- stdout\n{}--- stderr\n{}",
        case.line,
        ran.code.unwrap(),
        ran.out,
        ran.err
    );
    let port = world.server.base_url().rsplit(':').next().unwrap().to_owned();
    let told = told.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:PORT");
    let told = told.replace(&world.dir.path().display().to_string(), "DIR");
    match told.split_once("error: process ") {
        Some((before, behind)) => {
            format!("{before}error: process PID{}", behind.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => told,
    }
}

fn check(case: &Case) -> Result<(), String> {
    let world = (case.world)();
    let ran = Ran::of(typed(case, &world).output().unwrap());
    let found = text(case, &ran, &world);
    if ran.code != Some(case.code) {
        return Err(format!("{} ends with {:?}, not {}:\n{found}", case.name, ran.code, case.code));
    }
    let typed_dir = case.env.iter().any(|(_, value)| value.contains("DIR"));
    if !typed_dir && ran.err.contains(&world.dir.path().display().to_string()) {
        return Err(format!("{} tells a path that nobody typed:\n{}", case.name, ran.err));
    }
    let path = golden(case.name);
    if std::env::var_os("GOLDEN").is_some_and(|word| word == "write") {
        std::fs::write(&path, &found).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if kept == found { Ok(()) } else { Err(format!("{}: kept\n{kept}\nfound\n{found}", path.display())) }
}

fn all_hold(cases: Vec<Case>) {
    let wrong: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(wrong.is_empty(), "{} of {} are not as kept:\n\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

#[test]
fn errors_about_what_was_typed_are_as_kept() {
    all_hold(cases::typing());
}

#[test]
fn errors_about_a_file_of_settings_are_as_kept() {
    all_hold(cases::settings());
}

#[test]
fn errors_about_rosters_and_other_files_are_as_kept() {
    all_hold(cases::files());
}

#[test]
fn errors_about_the_way_to_the_service_are_as_kept() {
    all_hold(cases::connection());
}

#[test]
fn errors_about_plans_and_runs_are_as_kept() {
    all_hold(cases::plans());
}

#[test]
fn every_error_that_is_kept_names_a_cause_and_a_way_out_and_nobody() {
    let mut cases = cases::typing();
    for more in [cases::settings(), cases::files(), cases::connection(), cases::plans()] {
        cases.extend(more);
    }
    let names: BTreeSet<String> = cases.iter().map(|case| format!("{}.txt", case.name)).collect();
    assert_eq!(names.len(), cases.len(), "a name is there twice");
    let kept = std::fs::read_dir(golden("x").parent().unwrap()).unwrap();
    let kept: BTreeSet<String> = kept.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(kept, names, "files and cases");
    for name in kept {
        let text = std::fs::read_to_string(golden(name.trim_end_matches(".txt"))).unwrap();
        let (head, err) = text.split_once("--- stderr\n").unwrap();
        let errors: Vec<&str> = err.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{name}: one error\n{text}");
        assert!(err.lines().any(|line| line.starts_with("hint: ")), "{name}: no way out\n{text}");
        assert!(!errors[0].starts_with("error: rosterdiff has a fault"), "{name}");
        let code: i32 = head.lines().find_map(|line| line.strip_prefix("exit ")).unwrap().parse().unwrap();
        assert!((2..=10).contains(&code), "{name}");
        let told = &text[text.find('\n').unwrap()..];
        for word in [
            "@hr.example",
            "@example.com",
            "canary",
            "demo-secret",
            "Lovelace",
            "Os {",
            "Error {",
            "Kind::",
            "Some(",
            "None",
            "/.tmp",
            "u32",
            "u64",
            "f64",
            "usize",
            "invalid type",
            "(os error",
            "clap",
            "serde",
            "/tmp/",
            "\u{1b}",
        ] {
            let is_flag = word == "canary" && told.contains("--canary") && !told.contains("canary-");
            assert!(!told.contains(word) || is_flag, "{name} tells {word:?}\n{text}");
        }
    }
}
