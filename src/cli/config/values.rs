//! From what stands in the file to flags that were not typed; and what is said of what cannot be meant.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::keys::{KEYS, Key, SECTIONS, Shape};
use super::near::nearest;
use super::{Entry, NAME};
use crate::error::{Error, Kind, Result};

/// Where something stands.
pub(super) struct Place<'a> {
    pub name: &'a str,
    /// The line of a byte.
    pub line_of: &'a dyn Fn(usize) -> usize,
}

impl Place<'_> {
    fn refused(&self, line: usize, what: impl std::fmt::Display, hint: impl Into<String>) -> Error {
        Error::new(Kind::Usage, format!("{}, line {line}: {what}", self.name)).hint(hint)
    }
}

type Name<'t> = Spanned<DeString<'t>>;
type Found<'t> = Spanned<DeValue<'t>>;

/// The entries of a table in the order of their lines.
fn in_order<'t, 'v>(table: &'t DeTable<'v>) -> Vec<(&'t Name<'v>, &'t Found<'v>)> {
    let mut all: Vec<_> = table.iter().collect();
    all.sort_by_key(|(name, _)| name.span().start);
    all
}

/// All settings of a file.
pub(super) fn entries(table: &DeTable<'_>, at: &Place<'_>) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (name, value) in in_order(table) {
        let (section, line) = (name.get_ref().as_ref(), (at.line_of)(name.span().start));
        match value.get_ref() {
            DeValue::Table(inner) if SECTIONS.iter().any(|(known, _)| *known == section) => {
                for (name, value) in in_order(inner) {
                    let line = (at.line_of)(name.span().start);
                    let name = name.get_ref().as_ref();
                    let key = Key::find(section, name).ok_or_else(|| unknown_key(at, line, section, name))?;
                    entries.extend(of_key(key, value.get_ref(), line, at)?);
                }
            }
            DeValue::Table(_) => return Err(unknown_section(at, line, section)),
            _ => return Err(unknown_key(at, line, "", section)),
        }
    }
    Ok(entries)
}

fn of_key(key: &'static Key, value: &DeValue<'_>, line: usize, at: &Place<'_>) -> Result<Vec<Entry>> {
    let entry =
        |key_name: String, value: String, line| Entry { key: key_name, flag: key.flag, value, line, only: key.only() };
    let name = format!("{}.{}", key.section, key.name);
    let wrong = |value| at.refused(line, format!("{name} is {}; {}", kind(value), wants(key)), example(key));
    let one = |value: String| Ok(vec![entry(name.clone(), value, line)]);
    match (key.shape, value) {
        (Shape::Text, DeValue::String(text)) if key.section == "defaults" => one(format!("{}={text}", key.name)),
        (Shape::Text, DeValue::String(text)) => one(text.to_string()),
        (Shape::Limit, DeValue::String(text)) => one(text.to_string()),
        (Shape::Text, DeValue::Integer(_)) if key.name == "sheet" => one(digits(value).ok_or_else(|| wrong(value))?),
        (Shape::Number | Shape::Limit, DeValue::Integer(_)) => one(digits(value).ok_or_else(|| wrong(value))?),
        (Shape::Switch, DeValue::Boolean(true)) => one("true".to_owned()),
        // What is off is off by itself, too.
        (Shape::Switch, DeValue::Boolean(false)) => Ok(Vec::new()),
        (Shape::Columns | Shape::Pairs, DeValue::Table(table)) => {
            let pairs = in_order(table).into_iter().map(|(field, value)| {
                let (line, mut field) = ((at.line_of)(field.span().start), field.get_ref().to_string());
                let text = if key.shape == Shape::Pairs {
                    text(value)
                } else {
                    field = field.replace('_', "-");
                    columns(&field, value, line, at)?
                };
                let text = text.ok_or_else(|| {
                    let found = kind(value.get_ref());
                    at.refused(line, format!("{name}.{field} is {found}; {}", wants(key)), example(key))
                })?;
                Ok(entry(format!("{name}.{field}"), format!("{field}={text}"), line))
            });
            pairs.collect()
        }
        _ => Err(wrong(value)),
    }
}

fn text(value: &Found<'_>) -> Option<String> {
    value.get_ref().as_str().map(str::to_owned)
}

/// A column, or several: names in quotes, numbers for a file without a header.
fn columns(field: &str, value: &Found<'_>, line: usize, at: &Place<'_>) -> Result<Option<String>> {
    if !crate::roster::FIELDS.contains(&field) {
        let near = nearest(field, crate::roster::FIELDS.into_iter());
        let near = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
        let hint = format!("{near}fields are {}", crate::roster::FIELDS.join(", "));
        return Err(at.refused(line, format!("roster.map does not know the field \"{field}\""), hint));
    }
    let one = |value: &DeValue<'_>| digits(value).or_else(|| value.as_str().map(str::to_owned));
    Ok(match value.get_ref() {
        DeValue::Array(all) => {
            let all: Option<Vec<String>> = all.iter().map(|value| one(value.get_ref())).collect();
            all.filter(|all| !all.is_empty()).map(|all| crate::roster::joined(&all))
        }
        value => one(value),
    })
}

/// A whole number as it would be typed.
fn digits(value: &DeValue<'_>) -> Option<String> {
    let number = value.as_integer()?;
    i128::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string())
}

const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a decimal point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

const fn wants(key: &Key) -> &'static str {
    match key.shape {
        Shape::Text => "it wants text in quotes",
        Shape::Number => "it wants a whole number, without quotes",
        Shape::Limit => "it wants a whole number, or a share in quotes",
        Shape::Switch => "it wants true or false, without quotes",
        Shape::Columns => "it wants columns by field, each a name in quotes or a list of names",
        Shape::Pairs => "it wants pairs of an old and a new domain, each in quotes",
    }
}

fn example(key: &Key) -> String {
    format!("write it as {} = {}", key.name, key.example)
}

fn unknown_section(at: &Place<'_>, line: usize, section: &str) -> Error {
    if let Some(error) = forbidden(at, line, section) {
        return error;
    }
    let known: Vec<String> = SECTIONS.iter().map(|(name, _)| format!("[{name}]")).collect();
    let near = nearest(section, SECTIONS.iter().map(|(name, _)| *name));
    let near = near.map(|near| format!("did you mean [{near}]? ")).unwrap_or_default();
    at.refused(line, format!("there is no section [{section}]"), format!("{near}sections are {}", known.join(", ")))
}

fn unknown_key(at: &Place<'_>, line: usize, section: &str, name: &str) -> Error {
    if let Some(error) = forbidden(at, line, name) {
        return error;
    }
    let here = || KEYS.iter().filter(|key| key.section == section).map(|key| key.name);
    let home = KEYS.iter().find(|key| key.name == name);
    let hint = match (home, nearest(name, here()), nearest(name, KEYS.iter().map(|key| key.name))) {
        (Some(key), _, _) => format!("{name} belongs under [{}]", key.section),
        (None, Some(near), _) => format!("did you mean {near}?"),
        (None, None, Some(near)) => {
            format!("did you mean {near}? `rosterdiff init ROSTER` writes a file with every setting")
        }
        (None, None, None) => format!("`rosterdiff init ROSTER` writes a {NAME} with every setting there is"),
    };
    let place = if section.is_empty() { String::new() } else { format!(" in [{section}]") };
    at.refused(line, format!("there is no setting \"{name}\"{place}"), hint)
}

/// What no file may say: it would do so in every later run, whoever looks.
fn forbidden(at: &Place<'_>, line: usize, name: &str) -> Option<Error> {
    let word = name.to_lowercase().replace('-', "_");
    let is_secret = ["secret", "password", "access_token", "client_id", "client_credentials", "oauth"]
        .iter()
        .any(|part| word.contains(part))
        || word == "token";
    if is_secret {
        let what = format!("{name} cannot stand in a file of settings: such files are copied and shared");
        return Some(at.refused(
            line,
            what,
            "take it out, and if anybody has seen it make another; credentials are set as GENESYSCLOUD_OAUTHCLIENT_ID and \
             GENESYSCLOUD_OAUTHCLIENT_SECRET, or in a profile of ~/.gc/config.toml",
        ));
    }
    let (command, is_danger) = match word.as_str() {
        "restore_deleted" => ("plan", true),
        "overwrite" => ("plan", true),
        "adopted" => ("rollback", true),
        "yes" => ("apply", true),
        word => ("apply", word.starts_with("accept")),
    };
    is_danger.then(|| {
        let what = format!(
            "{name} cannot stand in a file: it accepts a danger, and the next run would accept it with nobody looking"
        );
        let flag = word.replace('_', "-");
        at.refused(line, what, format!("look, and then type it: rosterdiff {command} … --{flag}"))
    })
}
