//! What is said of a command line that cannot be meant: clap knows what is wrong with it, the words are ours.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error as Clap};

use super::Cli;
use crate::error::{Error, Kind};

/// The flag that takes any number of values, and so the roster too.
const AFTER: &str = "--after";

/// Why there is nothing to do.
#[derive(Debug)]
pub enum Stop {
    /// All is said: the exit code.
    Told(u8),
    /// The command line is wrong.
    Wrong(Error),
}

impl Stop {
    pub(super) fn of(error: Clap) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Self::Told(if error.print().is_ok() { 0 } else { Kind::File.exit_code() })
            }
            // Nothing at all was typed: everything there is, on stderr.
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if error.print().is_ok() => {
                Self::Told(Kind::Usage.exit_code())
            }
            _ => Self::Wrong(wrong(&error)),
        }
    }
}

/// One piece of what clap knows, as it is typed.
fn piece(error: &Clap, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(all) => Some(listed(all, "and")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        ContextValue::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// `a, b and c`.
fn listed(all: &[String], last: &str) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

/// The command that was typed, as the usage begins.
fn command(error: &Clap) -> String {
    let usage = piece(error, ContextKind::Usage).unwrap_or_default();
    let words = usage.trim_start_matches("Usage:").split_whitespace();
    let mut words: Vec<String> =
        words.take(2).filter(|word| !word.starts_with(['<', '[', '-'])).map(str::to_owned).collect();
    if words.is_empty() {
        // Of a wrong value clap does not tell the command.
        let known = |word: &String| Cli::command().find_subcommand(word).is_some();
        words.push("rosterdiff".to_owned());
        words.extend(std::env::args_os().skip(1).filter_map(|arg| arg.into_string().ok()).find(known));
    }
    words.join(" ")
}

/// Why a value is refused, in words that stand behind it.
pub(super) fn reason(error: &Clap) -> String {
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(known)) if !known.is_empty() => format!("it is one of {}", listed(known, "or")),
        _ => std::error::Error::source(error).map_or_else(|| "cannot be used".to_owned(), ToString::to_string),
    }
}

/// A value of a flag in quotes, if it is one that can be shown.
fn refused(error: &Clap) -> String {
    let value = piece(error, ContextKind::InvalidValue).unwrap_or_default();
    let arg = piece(error, ContextKind::InvalidArg).unwrap_or_default();
    let arg = arg.split([' ', '[']).next().unwrap_or_default().trim_matches(['<', '>', '.']).to_owned();
    match (value.is_empty(), error.kind()) {
        (true, _) => format!("{arg} needs a value"),
        (false, ErrorKind::InvalidValue) => format!("{arg} \"{value}\" is not known: {}", reason(error)),
        (false, _) => format!("{arg} \"{value}\": {}", reason(error)),
    }
}

fn wrong(error: &Clap) -> Error {
    let typed = command(error);
    let arg = piece(error, ContextKind::InvalidArg).unwrap_or_default();
    let name = arg.split(['=', ' ']).next().unwrap_or_default();
    let near = [ContextKind::SuggestedArg, ContextKind::SuggestedValue, ContextKind::SuggestedSubcommand];
    let near = near.into_iter().find_map(|kind| piece(error, kind));
    let what = match error.kind() {
        ErrorKind::UnknownArgument if name.starts_with('-') => format!("`{typed}` has no flag {name}"),
        ErrorKind::UnknownArgument => format!("`{typed}` does not take \"{name}\" as well"),
        ErrorKind::InvalidSubcommand => {
            let name = piece(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("there is no command \"{name}\"")
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "no command was given".to_owned()
        }
        ErrorKind::MissingRequiredArgument => format!("`{typed}` needs {arg}"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => refused(error),
        ErrorKind::ArgumentConflict => match piece(error, ContextKind::PriorArg) {
            Some(prior) if prior != arg => {
                let prior = prior.split(' ').next().unwrap_or_default();
                format!("{name} and {prior} cannot be said together")
            }
            _ => format!("{name} can be said only once"),
        },
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues => format!("{arg} takes no value of that kind"),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        _ => "the command line cannot be read".to_owned(),
    };
    let near = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
    Error::new(Kind::Usage, what).hint(format!("{near}{}", way(error, &typed)))
}

/// What to type.
fn way(error: &Clap, typed: &str) -> String {
    let usage = piece(error, ContextKind::Usage).unwrap_or_default();
    let usage = usage.trim_start_matches("Usage:").trim();
    match error.kind() {
        ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::InvalidSubcommand => {
            "`rosterdiff --help` lists the commands; `rosterdiff demo` shows what they do".to_owned()
        }
        ErrorKind::MissingRequiredArgument if typed.ends_with(" plan") && std::env::args().any(|arg| arg == AFTER) => {
            format!(
                "{AFTER} takes all names behind it: put the roster first, as in `{typed} hr.csv {AFTER} earlier.plan`"
            )
        }
        ErrorKind::MissingRequiredArgument if !usage.is_empty() => {
            let is_dir = piece(error, ContextKind::InvalidArg).is_some_and(|arg| arg.contains("<DIR>"));
            let dir = if is_dir { "; DIR is what `rosterdiff plan` has written, such as hr.plan" } else { "" };
            format!("write it as `{usage}`{dir}; `{typed} --help` shows examples")
        }
        _ => format!("`{typed} --help` shows what can be said, with examples"),
    }
}
