//! Stories that nobody wrote: `cargo bench --bench simulation -- --seeds 1000000`.
//!
//! `--first N` begins at another seed, `--threads N` uses so many (all by default). The first seed that breaks a law is
//! printed and ends it; `--seed N --tell` tells that story once more, event by event. What a story is stands in
//! `tests/simulation/`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::process::ExitCode;
use std::time::Instant;

// Some of it is for the tests alone.
#[allow(dead_code)]
#[path = "../tests/simulation/mod.rs"]
mod simulation;
#[path = "../tests/simulation/splitmix.rs"]
mod splitmix;

use simulation::many;
use simulation::story::of_seed;

struct Wish {
    first: u64,
    seeds: u64,
    threads: usize,
    tell: bool,
}

fn main() -> ExitCode {
    let Some(wish) = wish() else {
        eprintln!("usage: --seeds N [--first N] [--threads N], or --seed N [--tell]");
        return ExitCode::from(2);
    };
    if wish.seeds == 1 {
        return one(wish.first, wish.tell);
    }
    let begun = Instant::now();
    let seeds = wish.first..wish.first + wish.seeds;
    let (tally, broken) = many::tell(seeds, wish.threads, |seed| of_seed(seed, None, false));
    println!("{tally}");
    println!("{:.0} seeds a second", tally.seeds as f64 / begun.elapsed().as_secs_f64());
    match broken {
        None => ExitCode::SUCCESS,
        Some((seed, told)) => {
            println!("seed {seed} broke a law: {}", told.broken.join("; "));
            println!("again: cargo bench --bench simulation -- --seed {seed} --tell");
            ExitCode::FAILURE
        }
    }
}

fn wish() -> Option<Wish> {
    let mut wish = Wish { first: 1, seeds: 20_000, threads: many::cores(), tell: false };
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => wish.seeds = words.next()?.parse().ok()?,
            "--first" => wish.first = words.next()?.parse().ok()?,
            "--threads" => wish.threads = words.next()?.parse().ok()?,
            "--seed" => (wish.first, wish.seeds) = (words.next()?.parse().ok()?, 1),
            "--tell" => wish.tell = true,
            _ => return None,
        }
    }
    Some(wish)
}

/// Tells one story twice: the same seed has to give the same one.
fn one(seed: u64, tells: bool) -> ExitCode {
    let (told, again) = (of_seed(seed, None, tells), of_seed(seed, None, false));
    told.text.iter().for_each(|text| print!("{text}"));
    println!("{}\ntrace {:016x}, {} events", told.tally, told.trace, told.n_events);
    told.broken.iter().for_each(|law| println!("broken: {law}"));
    if told.trace != again.trace {
        println!("broken: told once more it is another story");
    }
    ExitCode::from(u8::from(!told.broken.is_empty() || told.trace != again.trace))
}
