//! The text of a file of settings.
//!
//! `# words` are for people, `#key = value` is a setting that sleeps: what is built in, what was found and would be found
//! again, or an example. Each is valid once its `#` is gone.

use std::path::Path;

use super::Look;
use crate::cli::args::{DefaultField, KeepWord, Reading};
use crate::cli::config::{KEYS, Key, NAME, SECTIONS, Shape};
use crate::files::table::Found;
use crate::roster::FIELDS;

/// Columns that are named where nothing was made of them.
const UNUSED_MAX: usize = 40;

pub(super) fn text(roster: &Path, look: &Look, reading: &Reading) -> String {
    let name = roster.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned());
    let mut page = format!(
        "# Settings of rosterdiff, made by `rosterdiff init` from {}.\n\
         # Read where it lies in the current directory as {NAME}, or named with --config.\n\
         # A flag wins over the environment, and that over this file.\n\
         # Behind #key there is what is built in, what is found by itself, or an example: take the # away to set it.\n",
        quoted(&name)
    );
    for (section, about) in SECTIONS {
        page += &format!("\n# {about}\n[{section}]\n");
        for key in KEYS.iter().filter(|key| key.section == section) {
            if key.shape == Shape::Columns {
                page += &columns(key, look, reading);
            } else {
                page += &setting(key, look, reading);
            }
        }
    }
    page
}

/// A setting with a line that says what it does.
fn setting(key: &Key, look: &Look, reading: &Reading) -> String {
    let (sleeps, value) = match (said(key, reading), found(key, look)) {
        (Some(said), _) => ("", said),
        (None, Some(found)) => ("#", found),
        (None, None) => ("#", key.example.to_owned()),
    };
    format!("# {}\n{sleeps}{} = {value}\n", key.about, key.name)
}

/// What a flag said.
fn said(key: &Key, reading: &Reading) -> Option<String> {
    let on = |is_on: bool| is_on.then(|| "true".to_owned());
    let default = |wanted: DefaultField| {
        let found = reading.defaults.iter().rev().find(|(field, _)| *field == wanted);
        found.map(|(_, value)| quoted(value))
    };
    match (key.section, key.name) {
        (_, "delimiter") => reading.delimiter.map(delimiter),
        (_, "encoding") => reading.encoding.map(|encoding| quoted(encoding.as_str())),
        (_, "sheet") => reading.sheet.as_deref().map(quoted),
        (_, "no_header") => on(reading.no_header),
        (_, "threads") => reading.threads.map(|n| n.to_string()),
        (_, "keep") => match reading.keep {
            KeepWord::First => None,
            KeepWord::Last => Some(quoted("last")),
            KeepWord::None => Some(quoted("none")),
        },
        (_, "fold_plus") => on(reading.fold_plus),
        (_, "fold_gmail_dots") => on(reading.fold_gmail_dots),
        (_, "domain_alias") => {
            let pairs: Vec<String> =
                reading.aliases.iter().map(|(old, new)| format!("{} = {}", quoted(old), quoted(new))).collect();
            (!pairs.is_empty()).then(|| format!("{{ {} }}", pairs.join(", ")))
        }
        ("defaults", "department") => default(DefaultField::Department),
        ("defaults", "title") => default(DefaultField::Title),
        ("defaults", "division") => default(DefaultField::Division),
        _ => None,
    }
}

/// What shows in the file by itself.
fn found(key: &Key, look: &Look) -> Option<String> {
    match (key.name, &look.found) {
        ("delimiter", Found::Text(_)) => Some(delimiter(look.delimiter)),
        ("encoding", Found::Text(encoding)) => Some(quoted(encoding.as_str())),
        ("sheet", Found::Workbook(name)) => Some(quoted(name)),
        _ => None,
    }
}

fn delimiter(byte: u8) -> String {
    if byte == b'\t' { quoted("tab") } else { quoted(&char::from(byte).to_string()) }
}

/// Which column was taken for what, and which could have been.
fn columns(map_key: &Key, look: &Look, reading: &Reading) -> String {
    let map = &look.mapping;
    let one = |column: Option<usize>| column.into_iter().collect::<Vec<_>>();
    let taken = [
        if look.question.is_some() { Vec::new() } else { vec![map.email] },
        map.name.clone(),
        one(map.department),
        one(map.title),
        one(map.division),
        one(map.phone),
        one(map.employee_id),
    ];
    let used: Vec<usize> = taken.iter().flatten().copied().chain(map.name_else).collect();
    let mut page = format!("\n# {}\n[{}.{}]\n", map_key.about, map_key.section, map_key.name);
    for (field, columns) in FIELDS.into_iter().zip(&taken) {
        page += &match (columns.is_empty(), &look.question) {
            (false, _) => taken_line(field, columns, look, reading),
            (true, Some((candidates, _))) if field == "email" => {
                let names = listed(candidates, look);
                format!("# email: which of {names} is the key? Take the # away from one line.\n")
                    + &sleeping(field, candidates, look)
            }
            (true, _) if is_left_out(field, reading) => format!("{} = \"\"\n", key(field)),
            (true, _) => open_lines(field, &used, look, reading),
        };
    }
    let unused: Vec<usize> = (0..look.header.len()).filter(|at| !used.contains(at)).take(UNUSED_MAX).collect();
    if !unused.is_empty() && !reading.no_header {
        page += &format!("# Not taken for anything: {}.\n", listed(&unused, look));
    }
    page
}

fn is_left_out(field: &str, reading: &Reading) -> bool {
    let wish = reading.maps.iter().rev().find(|wanted| wanted.field == field);
    wish.is_some_and(|wanted| wanted.column.trim().is_empty())
}

/// A field with its columns. It sleeps where awake it would say less than what is found by itself.
fn taken_line(field: &str, columns: &[usize], look: &Look, reading: &Reading) -> String {
    if reading.no_header {
        // Of Genesys' template more is known than the numbers of its columns.
        let sleeps = if reading.maps.is_empty() { "#" } else { "" };
        let numbers: Vec<String> = columns.iter().map(|at| (at + 1).to_string()).collect();
        return format!("{sleeps}{} = {}\n", key(field), list(&numbers));
    }
    let value = columns_list(columns, look);
    match look.mapping.name_else.filter(|_| field == "name") {
        Some(spare) => format!(
            "# name: these, and {} where they are empty. Without the # they alone.\n#name = {value}\n",
            listed(&[spare], look)
        ),
        None => format!("{} = {value}\n", key(field)),
    }
}

/// A field without a column: what could be it.
fn open_lines(field: &str, used: &[usize], look: &Look, reading: &Reading) -> String {
    if field == "name" && !reading.no_header {
        let names = crate::roster::name_candidates(&look.header);
        if !names.is_empty() {
            return "# name: nothing tells which of these it is. Take the # away from one line.\n".to_owned()
                + &names
                    .iter()
                    .map(|columns| format!("#name = {}\n", columns_list(columns, look)))
                    .collect::<String>();
        }
    }
    let kin = if reading.no_header { Vec::new() } else { crate::roster::kin(&look.header, field, used) };
    if kin.is_empty() {
        return format!("# {field}: no column was taken.\n#{} = \"\"\n", key(field));
    }
    format!("# {field}: none of {} was taken.\n", listed(&kin, look)) + &sleeping(field, &kin, look)
}

fn sleeping(field: &str, columns: &[usize], look: &Look) -> String {
    columns.iter().map(|at| format!("#{} = {}\n", key(field), quoted(&look.header[*at]))).collect()
}

/// A field as settings are spelt.
fn key(field: &str) -> String {
    field.replace('-', "_")
}

fn listed(columns: &[usize], look: &Look) -> String {
    columns.iter().map(|at| quoted(&look.header[*at])).collect::<Vec<_>>().join(", ")
}

/// Columns as a setting takes them.
fn columns_list(columns: &[usize], look: &Look) -> String {
    list(&columns.iter().map(|at| quoted(&look.header[*at])).collect::<Vec<_>>())
}

fn list(values: &[String]) -> String {
    if let [one] = values { one.clone() } else { format!("[{}]", values.join(", ")) }
}

/// A text as TOML writes it, on one line whatever stands in it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            c if c.is_control() => quoted += &format!("\\u{:04X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
