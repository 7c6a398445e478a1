//! Inputs that nobody wrote: `cargo bench --bench fuzz -- scanner --seconds 60 --seed 1`.
//!
//! `--all` takes every target in turn. A failure is printed with its seed and kept as a file; `--case FILE` runs that
//! input once more. The targets and their laws are in `tests/fuzz/`, and `cargo test` runs some thousands of inputs each.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[path = "../tests/simulation/splitmix.rs"]
mod splitmix;
#[path = "../tests/fuzz/mod.rs"]
mod targets;

use targets::TARGETS;
use targets::engine::{Failure, Fuzzer, Target, outcome, shown, smaller};

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The input that is running, and since when.
type Current = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

struct Wish {
    targets: Vec<Target>,
    seconds: u64,
    seed: u64,
    case: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Some(wish) = wish() else {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("usage: TARGET|--all [--seconds N] [--seed N] [--case FILE], TARGET one of {}", names.join(", "));
        return ExitCode::from(2);
    };
    if let Some(path) = wish.case {
        let case = std::fs::read(path).unwrap();
        wish.targets.iter().for_each(|target| println!("{}: signature {:016x}", target.name, (target.run)(&case)));
        return ExitCode::SUCCESS;
    }
    silence();
    for target in wish.targets {
        if let Err(failure) = run(target, wish.seed, Duration::from_secs(wish.seconds)) {
            tell_panics();
            tell(target, wish.seed, &smaller(target, failure));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn wish() -> Option<Wish> {
    let mut wish = Wish { targets: Vec::new(), seconds: 60, seed: 1, case: None };
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--all" => wish.targets = TARGETS.to_vec(),
            "--seconds" => wish.seconds = words.next()?.parse().ok()?,
            "--seed" => wish.seed = words.next()?.parse().ok()?,
            "--case" => wish.case = Some(words.next()?.into()),
            name => wish.targets.push(*TARGETS.iter().find(|target| target.name == name)?),
        }
    }
    Some(wish).filter(|wish| !wish.targets.is_empty())
}

/// Where panics came from, and how often. A panic is what is looked for: nothing is printed of each.
static PLACES: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

fn silence() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        *PLACES.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default() += 1;
    }));
}

/// Tells of the panics since the last time.
fn tell_panics() {
    for (place, n) in std::mem::take(&mut *PLACES.lock().unwrap_or_else(PoisonError::into_inner)) {
        println!("  {n} panics at {place}");
    }
}

fn run(target: Target, seed: u64, time: Duration) -> Result<(), Failure> {
    let begun = Instant::now();
    let current = Current::default();
    watch(target, seed, Arc::clone(&current));
    let mut fuzzer = Fuzzer::new(target, seed)?;
    while begun.elapsed() < time {
        let input = fuzzer.next();
        *current.lock().unwrap() = Some((Instant::now(), input.clone()));
        if target.is_foreign {
            std::fs::write(place(target, "running"), &input).unwrap();
        }
        let run = fuzzer.run(input);
        *current.lock().unwrap() = None;
        run?;
    }
    let (n, seconds) = (fuzzer.n, begun.elapsed().as_secs_f64());
    let (each, known) = (n as f64 / seconds, fuzzer.corpus.len());
    println!("{}: seed {seed}, {n} executions in {seconds:.0} s, {each:.0} a second, corpus {known}", target.name);
    tell_panics();
    Ok(())
}

/// Ends the program if an input takes too long.
fn watch(target: Target, seed: u64, current: Current) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let now = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((_, case)) = now.filter(|(begun, _)| begun.elapsed() > PATIENCE) {
                tell(target, seed, &Failure { case, words: format!("no end after {PATIENCE:?}") });
                std::process::exit(1);
            }
        }
    });
}

fn place(target: Target, word: &str) -> PathBuf {
    std::env::temp_dir().join(format!("rosterdiff-fuzz-{}-{}.{word}", target.name, std::process::id()))
}

fn tell(target: Target, seed: u64, failure: &Failure) {
    let path = place(target, "case");
    std::fs::write(&path, &failure.case).unwrap();
    println!("{}: seed {seed} broke a law: {}", target.name, failure.words);
    println!("{} bytes: {}", failure.case.len(), shown(&failure.case[..failure.case.len().min(4_000)]));
    println!("again: cargo bench --bench fuzz -- {} --case {}", target.name, Path::new(&path).display());
    if let Ok(signature) = outcome(target, &failure.case) {
        println!("it does not fail every time: alone it gives {signature:016x}");
    }
}
