//! What the README and the manual show, run as it stands there by a shell: exit codes and every line of output.
//!
//! Blocks marked `console` are commands behind `$ `, each with the lines that it prints; blocks marked `sh` are run whole. Each
//! recipe of the cookbook has an organisation and a directory of its own (`recipe`); everything else shares one, in order.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use rosterdiff::sim::Settings;

use super::world::{World, fast};
use crate::support::{Ran, data, program};

/// What the words of a block mean here: the program that is under test, and nothing that builds, installs or tests it again.
const PRELUDE: &str = r#"
rosterdiff() { "$ROSTERDIFF" "$@"; }
cargo() { [ "$1" != run ] || { while [ "$1" != -- ]; do shift; done; shift; rosterdiff "$@"; }; }
"#;

const PROMPT: &str = "$ ";

/// A fenced block.
#[derive(Debug)]
struct Block {
    /// The page and the heading that it stands under.
    under: String,
    is_script: bool,
    text: String,
}

/// A command of a `console` block, with what the page says of it.
#[derive(Debug)]
struct Shown {
    line: String,
    /// From a trailing `# exit N`.
    code: i32,
    /// Lines below the command.
    output: Vec<String>,
}

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The blocks of a page that can be run, in order.
fn blocks(text: &str) -> Vec<Block> {
    let (mut found, mut under, mut open) = (Vec::new(), String::new(), None::<Block>);
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => {
                assert!(["sh", "console"].contains(&kind), "nobody runs this block: {line}, under {under}");
                open = Some(Block { under: under.clone(), is_script: kind == "sh", text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) if line.starts_with('#') => under = line.trim_start_matches(['#', ' ']).to_owned(),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block stays open under {under}");
    found
}

/// The commands of a `console` block.
fn commands(text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(command) = line.strip_prefix(PROMPT) {
            let (line, code) = match command.split_once(" # exit ") {
                Some((line, code)) => (line, code.trim().parse().unwrap()),
                None => (command, 0),
            };
            found.push(Shown { line: line.to_owned(), code, output: Vec::new() });
        } else {
            found.last_mut().unwrap_or_else(|| panic!("output without a command: {line}")).output.push(line.to_owned());
        }
    }
    found
}

/// A shell in the world's directory that knows the program by its name.
fn shell(world: &World, script: &str) -> Command {
    let program = program(world.dir.path(), &world.server.base_url());
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("{PRELUDE}\n{script}")]).current_dir(world.dir.path()).stdin(Stdio::null());
    shell
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("ROSTERDIFF", program.get_program());
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // The demo makes a directory where temporary ones go.
    shell.env("TMPDIR", world.dir.path());
    shell
}

/// Starts the simulator on a free port, waits until it is ready and stops it.
fn simulate(world: &World, line: &str) -> Ran {
    let asked = line.split("127.0.0.1:").nth(1).map(|rest| rest.split(' ').next().unwrap()).unwrap_or("0");
    let line = line.replace(&format!("127.0.0.1:{asked}"), "127.0.0.1:0");
    let mut child = shell(world, &line.replace("rosterdiff ", "exec \"$ROSTERDIFF\" "))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
    let port = ready.trim().rsplit(':').next().unwrap_or_default();
    assert!(port.parse::<u16>().is_ok(), "not ready: {ready:?}");
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let mut ran = Ran::of(child.wait_with_output().unwrap());
    // The port is any free one here; where it stands on the page it is the one that was asked for.
    ran.out = ready.replace(&format!(":{port}"), &format!(":{asked}"));
    ran
}

/// Runs one command line of `rosterdiff`, or of the shell.
pub fn run_line(world: &World, line: &str) -> Ran {
    match line.starts_with("rosterdiff simulate") {
        true => simulate(world, line),
        false => Ran::of(shell(world, line).output().unwrap()),
    }
}

/// Runs a block and holds what came of it against what the page shows.
fn run(world: &World, block: &Block) {
    if block.is_script {
        let ran = Ran::of(shell(world, &format!("set -euo pipefail\n{}", block.text)).output().unwrap());
        assert_eq!(ran.code, Some(0), "{}: {}\n{ran:?}", block.under, block.text);
        return;
    }
    for shown in commands(&block.text) {
        let ran = run_line(world, &shown.line);
        assert_eq!(ran.code, Some(shown.code), "{}: {shown:?}: {ran:?}", block.under);
        let mut told = ran.err.lines().chain(ran.out.lines());
        for line in &shown.output {
            assert!(told.any(|found| found == line), "{}: another output than {line:?}: {ran:?}", block.under);
        }
    }
}

/// The sample: organisation, roster as `hr.csv`, and the folder `data` of the repository.
fn sample() -> World {
    let world = World::sample(fast());
    std::fs::create_dir(world.path("data")).unwrap();
    for name in ["roster.csv", "org.csv"] {
        std::fs::copy(data(name), world.path("data").join(name)).unwrap();
    }
    world
}

/// Headings of the cookbook.
fn recipes(text: &str) -> Vec<String> {
    let cookbook = text.split("\n## ").find(|section| section.starts_with("Cookbook\n")).unwrap();
    cookbook.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect()
}

/// The organisation and the files that a recipe begins with.
fn recipe() -> World {
    // No title may be longer than this.
    let world = World::sample(Settings { text_chars_max: Some(60), ..fast() });
    let roster = std::fs::read_to_string(data("roster.csv")).unwrap();
    let row = |name: &str, title: &str| format!("9,{name},Wrobel,{name}.wrobel@example.com,,Quality,\"{title}\",,,\n");
    let october = roster.clone() + &row("Tomasz", "Agent (second line, nights and weekends, until further notice)");
    world.write("november.csv", roster + &row("Tomasz", "Agent") + &row("Maria", "Agent"));
    world.write("october.csv", october);
    let moved = ["gokhan.akgun", "nana.mensah", "zofia.wrobel"];
    let moved = moved.map(|who| format!("{who}@acquired.example,{who}\n")).concat();
    world.write("acquired.csv", format!("email,name\n{moved}"));
    world
}

#[test]
fn every_block_of_the_readme_does_what_the_readme_shows() {
    let text = page("README.md");
    let (world, recipes, blocks) = (sample(), recipes(&text), blocks(&text));
    assert!(blocks.len() >= 8 && recipes.len() >= 5, "the README shows too little: {recipes:?}");
    for block in blocks.iter().filter(|block| !recipes.contains(&block.under)) {
        run(&world, block);
    }
    for heading in &recipes {
        let own: Vec<&Block> = blocks.iter().filter(|block| block.under == *heading).collect();
        assert!(!own.is_empty(), "{heading} shows nothing");
        let world = recipe();
        own.into_iter().for_each(|block| run(&world, block));
    }
}

#[test]
fn the_nightly_script_sees_who_came_since_the_last_night() {
    let (world, heading) = (recipe(), "Every night, without anybody looking");
    let all = blocks(&page("README.md"));
    let script = &all.iter().find(|block| block.under == heading && block.is_script).unwrap().text;
    let night = |n: u32| Ran::of(shell(&world, &format!("date() {{ echo night-{n}; }}\n{script}")).output().unwrap());
    let told = night(1);
    assert!(told.code == Some(0) && told.out.contains("all new rows of night-1.plan have a user"), "{told:?}");
    let roster = String::from_utf8(world.read("hr.csv")).unwrap();
    world.write("hr.csv", roster + "9,Zofia,Wrobel,zofia.wrobel@example.com,,Quality,Agent,,,\n");
    // The same night goes on with its plan, the next one has its own.
    for (n, n_found) in [(1, 0), (2, 1)] {
        assert_eq!(night(n).code, Some(0));
        let found = world.server.with_org(|org| org.users_with("zofia.wrobel@example.com").len());
        assert_eq!(found, n_found, "night {n}");
    }
}

#[test]
fn every_block_of_the_manual_does_what_the_manual_shows() {
    let (world, blocks) = (sample(), blocks(&page("src/cli/manual.md")));
    assert!(blocks.len() >= 3, "the manual shows too little");
    blocks.iter().for_each(|block| run(&world, block));
}

#[test]
fn every_command_that_the_readme_lists_has_a_help_text_and_no_other_exists() {
    let text = page("README.md");
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
fn a_block_is_found_under_its_heading_with_what_it_prints_and_its_exit_code() {
    let found = blocks("# A\n```sh\ntrue\n```\n## B\n```console\n$ rosterdiff diff a # exit 9\nb\n\n$ c\n```\n");
    assert_eq!((found[0].under.as_str(), found[0].is_script, found[0].text.as_str()), ("A", true, "true\n"));
    let shown = commands(&found[1].text);
    assert_eq!(
        (shown[0].line.as_str(), shown[0].code, &shown[0].output[..]),
        ("rosterdiff diff a", 9, &["b".to_owned()][..])
    );
    assert_eq!((shown[1].line.as_str(), shown[1].code), ("c", 0));
}
