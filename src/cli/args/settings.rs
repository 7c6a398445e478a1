//! Settings of a file, as clap sees them: each is checked by the parser of its flag, and what neither a flag nor the
//! environment says is taken as the flag's own default. So there is one list of what a value may be.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command as Clap, CommandFactory, FromArgMatches};

use super::wrong::{Stop, reason};
use super::{Cli, Command};
use crate::cli::config::{Entry, Use};

/// Commands that take settings from a file.
const TAKING: [&str; 8] = ["snapshot", "diff", "audit", "plan", "apply", "rollback", "verify", "doctor"];

/// Flags that are no defaults: those that may be said several times, which [`super::Reading::take`] knows, and the profile,
/// which comes behind credentials of the environment.
const APART: [&str; 4] = ["map", "default", "domain-alias", "profile"];

impl Command {
    /// Whether settings from a file mean anything to it.
    #[must_use]
    pub const fn takes_settings(&mut self) -> bool {
        self.reading().is_some() || self.connection().is_some()
    }
}

/// What was typed.
///
/// # Errors
/// What there is to say instead: a help text that was asked for, or what is wrong with it.
pub fn parse() -> Result<Cli, Stop> {
    let matches = Cli::command().try_get_matches().map_err(Stop::of)?;
    Cli::from_arg_matches(&matches).map_err(Stop::of)
}

/// What was typed, and from a file what was not; and for each entry what came of it.
///
/// # Errors
/// As [`parse`].
pub fn parse_with(entries: &[Entry]) -> Result<(Cli, Vec<Use>), Stop> {
    let all = TAKING.iter().fold(Cli::command(), |all, name| {
        all.mut_subcommand(name, |command| entries.iter().fold(command, |command, entry| with(command, name, entry)))
    });
    let matches = all.clone().try_get_matches().map_err(Stop::of)?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(Stop::of)?;
    let typed = matches.subcommand().map(|(name, typed)| (all.find_subcommand(name), typed));
    let uses = entries.iter().map(|entry| match typed {
        Some((Some(command), typed)) => taken(&mut cli.command, command, typed, entry),
        _ => Use::Idle,
    });
    let uses = uses.collect();
    Ok((cli, uses))
}

/// A command of which one flag has another default.
fn with(command: Clap, name: &str, entry: &Entry) -> Clap {
    let value = entry.value.clone();
    match id(&command, entry.flag) {
        Some(id) if entry.is_default_of(name) && !APART.contains(&entry.flag) => {
            command.mut_arg(id, |arg| arg.default_value(value))
        }
        _ => command,
    }
}

fn id(command: &Clap, flag: &str) -> Option<String> {
    flagged(command, flag).map(|arg| arg.get_id().to_string())
}

fn flagged<'c>(command: &'c Clap, flag: &str) -> Option<&'c Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(flag))
}

fn taken(typed: &mut Command, command: &Clap, matches: &ArgMatches, entry: &Entry) -> Use {
    if let Some(filed) = typed.connection()
        && let Some(slot) = match entry.flag {
            "region" => Some(&mut filed.filed.region),
            "profile" => Some(&mut filed.filed.profile),
            _ => None,
        }
    {
        *slot = Some(entry.value.clone());
        return if entry.flag == "profile" && filed.profile.is_some() { Use::Passed } else { Use::Taken };
    }
    if let Some(taken) = typed.reading().and_then(|reading| reading.take(entry.flag, &entry.value)) {
        // Whether it can be meant was asked when the file was read.
        return if taken == Ok(true) { Use::Taken } else { Use::Passed };
    }
    match id(command, entry.flag).filter(|_| entry.is_default_of(command.get_name())) {
        Some(id) if matches.value_source(&id) == Some(ValueSource::DefaultValue) => Use::Taken,
        Some(_) => Use::Passed,
        None => Use::Idle,
    }
}

/// Asks the parser of a flag whether it would take a value.
///
/// # Errors
/// Why not, in words that begin behind the value.
pub fn check(flag: &'static str, value: &str) -> Result<(), String> {
    let all = Cli::command();
    let Some(arg) = all.get_subcommands().find_map(|command| flagged(command, flag)) else { return Ok(()) };
    if !arg.get_action().takes_values() {
        return Ok(());
    }
    // Alone, so that nothing but this value can be wrong.
    let alone = Arg::new("value").long(flag).value_parser(arg.get_value_parser().clone()).allow_hyphen_values(true);
    let typed = Clap::new("one").arg(alone).try_get_matches_from(["one".to_owned(), format!("--{flag}={value}")]);
    typed.map(drop).map_err(|error| reason(&error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn clap_finds_nothing_wrong_with_the_commands() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_value_is_checked_by_the_parser_of_its_flag() {
        for (flag, value) in [("keep", "last"), ("max-creates", "5%"), ("tokens", "4"), ("fold-plus", "true")] {
            assert_eq!(check(flag, value), Ok(()), "{flag}");
        }
        for (flag, value, why) in [
            ("keep", "newest", "first, last or none"),
            ("tokens", "51", "from 1 to 50"),
            ("delimiter", "x", "cannot part them"),
            ("age-max", "0", "1 or more"),
            ("encoding", "latin", "utf-16le"),
        ] {
            let told = check(flag, value).unwrap_err();
            assert!(told.contains(why), "{flag}: {told}");
        }
    }

    #[test]
    fn the_commands_that_take_settings_are_those_that_have_a_flag_for_one() {
        for command in Cli::command().get_subcommands() {
            let has_any = ["keep", "tokens"].iter().any(|flag| id(command, flag).is_some());
            let name = command.get_name();
            assert_eq!(TAKING.contains(&name), has_any && name != "init", "{name}");
        }
    }
}
