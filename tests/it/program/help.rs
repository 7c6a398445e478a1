//! Help that teaches: every command shows how it is used, and what it shows works.

use std::path::Path;
use std::process::Command;

use super::readme::run_line;
use super::world::{World, fast};
use crate::support::{Ran, data, run, scratch};

/// The commands that there are.
fn commands() -> Vec<String> {
    let dir = scratch();
    let help = run(dir.path(), "--help").out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let named = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    named.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

fn help(command: &str) -> String {
    let ran = run(scratch().path(), &format!("{command} --help"));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{command}");
    ran.out
}

/// The examples of a help text.
fn examples(help: &str) -> Vec<&str> {
    help.lines().filter(|line| line.starts_with("  rosterdiff ")).map(str::trim_start).collect()
}

/// A world in which every example can be run: roster, snapshot and a plan that is not applied yet.
fn world() -> World {
    let world = World::sample(fast());
    std::fs::copy(data("org.csv"), world.path("org.csv")).unwrap();
    world.done("snapshot -o org.parquet -q");
    world
}

#[test]
fn every_example_of_every_help_text_does_what_it_says() {
    let commands = commands();
    assert!(commands.len() >= 13, "{commands:?}");
    for command in &commands {
        let text = help(command);
        let examples = examples(&text);
        assert!(!examples.is_empty(), "{command} shows no example:\n{text}");
        let world = world();
        if ["apply", "rollback", "status", "verify", "doctor", "report"].contains(&command.as_str()) {
            world.done("plan hr.csv --snapshot org.parquet -o hr.plan -q");
        }
        if ["rollback", "verify", "report"].contains(&command.as_str()) {
            world.done("apply hr.plan --yes -q");
        }
        for example in examples {
            assert!(example.starts_with(&format!("rosterdiff {command}")), "{command} shows {example}");
            let ran = run_line(&world, example);
            assert_eq!(ran.code, Some(0), "{example}: {ran:?}");
        }
    }
}

#[test]
fn the_first_help_text_shows_the_way_and_the_way_can_be_gone() {
    let text = run(scratch().path(), "--help").out;
    let steps = examples(&text);
    let first: Vec<&str> = steps.iter().map(|step| step.split(' ').nth(1).unwrap()).collect();
    assert_eq!(first, ["demo", "snapshot", "plan", "apply", "verify"]);
    assert!(text.contains("Exit codes:"), "{text}");
    let world = World::sample(fast());
    for step in steps {
        let ran = run_line(&world, step);
        assert_eq!(ran.code, Some(0), "{step}: {ran:?}");
    }
}

#[test]
fn what_every_command_takes_comes_last_and_the_short_help_is_short() {
    for command in commands() {
        let long = help(&command);
        let short = run(scratch().path(), &format!("{command} -h")).out;
        assert!(short.lines().count() < long.lines().count(), "{command}");
        let headings = long.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ') && !line.contains(' '));
        assert!(headings.count() > 0, "{command}");
        let own = long.split("Output and settings:").next().unwrap();
        for flag in ["--json", "--quiet", "--verbose", "--config", "--no-config"] {
            assert!(
                !own.lines().any(|line| line.trim_start().starts_with(flag)),
                "{command}: {flag} is among its own\n{long}"
            );
        }
        assert!(long.lines().all(|line| line.chars().count() <= 110), "{command}:\n{long}");
    }
    let plan = help("plan");
    let at = |heading: &str| plan.find(heading).unwrap_or_else(|| panic!("{heading}\n{plan}"));
    assert!(at("Options:") < at("Reading the roster:") && at("Reading the roster:") < at("Connection:"));
    assert!(at("Connection:") < at("Output and settings:") && at("Output and settings:") < at("Examples:"));
}

#[test]
fn a_usage_line_names_nothing_that_the_environment_says() {
    let dir = scratch();
    for line in ["apply", "snapshot --nope", "plan", "doctor --nope", "verify"] {
        let mut command = crate::support::program(dir.path(), "http://127.0.0.1:9");
        command.env("ROSTERDIFF_LOGIN_URL", "http://127.0.0.1:9").env("ROSTERDIFF_CA_FILE", "x.pem");
        let ran = Ran::of(command.args(line.split(' ')).output().unwrap());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(!ran.err.contains("api-url") && !ran.err.contains("ca-file"), "{line}: {ran:?}");
    }
    let mut command = crate::support::program(dir.path(), "http://127.0.0.1:9");
    let ran = Ran::of(command.args(["apply", "--help"]).output().unwrap());
    assert!(ran.out.contains("Usage: rosterdiff apply [OPTIONS] <DIR>\n"), "{}", ran.out);
}

#[test]
fn nothing_at_all_is_answered_with_what_there_is() {
    let ran = run(scratch().path(), "");
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("Commands:") && ran.err.contains("rosterdiff demo"), "{}", ran.err);
}

/// What a real bash proposes behind the last of `words`.
fn proposed(script: &Path, words: &[&str]) -> Vec<String> {
    let text = format!(
        "source '{}'; COMP_WORDS=({}); COMP_CWORD={}; {} rosterdiff '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words.join(" "),
        words.len() - 1,
        "$(complete -p rosterdiff | sed 's/.*-F \\([^ ]*\\).*/\\1/')",
        words[words.len() - 1],
        words[words.len() - 2],
    );
    let output = Command::new("bash").args(["--norc", "-c", &text]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_words() {
    let dir = scratch();
    let ran = run(dir.path(), "completions bash");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let script = dir.path().join("rosterdiff.bash");
    std::fs::write(&script, &ran.out).unwrap();
    assert!(Command::new("bash").arg("-n").arg(&script).status().unwrap().success());
    assert_eq!(proposed(&script, &["rosterdiff", "sn"]), ["snapshot"]);
    assert_eq!(proposed(&script, &["rosterdiff", "plan", "--max"]), ["--max-creates"]);
    assert_eq!(proposed(&script, &["rosterdiff", "diff", "--keep", "l"]), ["last"]);
    assert_eq!(proposed(&script, &["rosterdiff", "completions", "el"]), ["elvish"]);
}

#[test]
fn other_shells_get_a_script_of_their_own_that_they_accept_where_they_are_installed() {
    let dir = scratch();
    let mut seen = Vec::new();
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        let script = run(dir.path(), &format!("completions {shell}")).out;
        assert!(script.contains("rosterdiff") && script.contains("snapshot") && !seen.contains(&script), "{shell}");
        let path = dir.path().join(shell);
        std::fs::write(&path, &script).unwrap();
        if let Ok(status) = Command::new(shell).arg("-n").arg(&path).status() {
            assert!(status.success() || shell == "elvish", "{shell}");
        }
        seen.push(script);
    }
}
