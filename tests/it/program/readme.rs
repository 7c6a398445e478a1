//! The README's commands, run as they stand there: exit codes and every line of output that it shows.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::world::{World, fast};
use crate::support::{Ran, data};

const PROMPT: &str = "$ rosterdiff ";

/// A command of a `console` block, with what the README says of it.
#[derive(Debug)]
pub struct Shown {
    args: Vec<String>,
    /// File behind `>`.
    redirect: Option<String>,
    /// From a trailing `# exit N`.
    code: i32,
    /// Lines below the command.
    output: Vec<String>,
}

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// Splits as a shell would, as far as blanks and quotes go.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    assert_eq!(quote, None, "a quote stays open: {line}");
    words.extend(word);
    words
}

pub fn parse(line: &str) -> Shown {
    let (line, code) = match line.split_once(" # exit ") {
        Some((line, code)) => (line, code.trim().parse().unwrap()),
        None => (line, 0),
    };
    let mut args = words(line);
    let redirect = args.iter().position(|word| word == ">").map(|at| args.split_off(at).swap_remove(1));
    Shown { args, redirect, code, output: Vec::new() }
}

/// The commands of all `console` blocks, in order.
fn commands(text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix(PROMPT).filter(|_| inside) {
            found.push(parse(command));
        } else if inside && !line.is_empty() {
            found.last_mut().unwrap_or_else(|| panic!("output without a command: {line}")).output.push(line.to_owned());
        }
    }
    found
}

/// Runs one command; what it told and printed, each line once.
pub fn run_shown(world: &World, shown: &Shown) -> Ran {
    let mut command = world.command("");
    command.args(&shown.args);
    if shown.args[0] == "demo" && !shown.args.iter().any(|word| word == "--dir") {
        command.args(["--dir", "demo"]);
    }
    let mut ran = Ran::of(command.output().unwrap());
    if let Some(file) = &shown.redirect {
        world.write(file, std::mem::take(&mut ran.out));
    }
    ran
}

/// Starts the simulator on a free port, waits until it is ready and stops it.
pub fn simulate(world: &World, shown: &Shown) -> Ran {
    let mut args = shown.args.clone();
    if let Some(at) = args.iter().position(|word| word == "--listen") {
        args[at + 1] = "127.0.0.1:0".to_owned();
    }
    let mut command = world.command("");
    let mut child = command.args(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    let port = ready.trim().rsplit(':').next().unwrap_or_default();
    assert!(port.parse::<u16>().is_ok(), "not ready: {ready:?}");
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let mut ran = Ran::of(child.wait_with_output().unwrap());
    // The port is any free one here; where it stands in the README it is the one that was asked for.
    let asked = shown.args.iter().find_map(|word| word.strip_prefix("127.0.0.1:")).unwrap_or(port);
    ran.out = ready.replace(&format!(":{port}"), &format!(":{asked}"));
    ran
}

#[test]
fn every_command_of_the_readme_does_what_the_readme_shows() {
    let world = World::sample(fast());
    std::fs::create_dir(world.path("data")).unwrap();
    for name in ["roster.csv", "org.csv"] {
        std::fs::copy(data(name), world.path("data").join(name)).unwrap();
    }
    let commands = commands(&readme());
    assert!(commands.len() >= 5, "the README shows too little: {commands:?}");
    for shown in &commands {
        let ran = if shown.args[0] == "simulate" { simulate(&world, shown) } else { run_shown(&world, shown) };
        assert_eq!(ran.code, Some(shown.code), "{shown:?}: {ran:?}");
        let mut told = ran.err.lines().chain(ran.out.lines());
        for line in &shown.output {
            assert!(told.any(|found| found == line), "the README shows another output than {line:?}: {ran:?}");
        }
    }
}

#[test]
fn every_command_that_the_readme_lists_has_a_help_text_and_no_other_exists() {
    let text = readme();
    let section = text.split("\n## ").find(|section| section.starts_with("Commands\n")).unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let names = cells.flat_map(|cell| cell.split('·')).map(|name| name.trim_matches(['`', ' ']));
    let mut listed: Vec<&str> = names.map(|name| name.split(' ').next().unwrap().trim_end_matches('`')).collect();
    listed.sort_unstable();

    let world = World::new(fast());
    for name in &listed {
        assert!(world.done(&format!("{name} --help")).out.contains("Usage: rosterdiff "), "{name}");
    }
    let help = world.done("--help").out;
    let known = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let mut known: Vec<&str> = known
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    known.sort_unstable();
    assert_eq!(known, listed);
}

#[test]
fn a_command_line_is_split_as_a_shell_would() {
    let shown = parse("diff 'a b.csv' --map name=\"First Name\"+\"Last Name\" > new.csv # exit 9");
    assert_eq!(shown.args, ["diff", "a b.csv", "--map", "name=First Name+Last Name"]);
    assert_eq!((shown.redirect.as_deref(), shown.code), (Some("new.csv"), 9));
    assert_eq!(words("a  '' b"), ["a", "", "b"]);
}
