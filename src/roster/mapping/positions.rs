//! Files without a header: columns by their number, counted from 1.

use super::families::{DIVISION_OURS, TEMPLATES};
use super::{Mapping, Wanted, check_fields, map, single};
use crate::error::{Error, Kind, Result};
use crate::roster::sheet::Sheet;

/// Maps a file without a header and gives its columns names, by which what is written can be read again.
///
/// Without any wish a file as wide as Genesys' template is that template: it is documented without a header.
///
/// # Errors
/// `File` if nothing says which column is the e-mail; `Usage` if a wanted column does not exist.
pub fn map_headerless(sheet: &mut Sheet, wanted: &[Wanted]) -> Result<Mapping> {
    check_fields(wanted)?;
    let width = sheet.header.len();
    if wanted.is_empty()
        && let Some(template) = TEMPLATES.iter().find(|t| t.len() == width)
        && looks_like(sheet, template)?
    {
        sheet.name_columns(template.iter().map(|name| (*name).to_owned()).collect());
        return map(sheet, &[]);
    }
    let chosen = |field: &str| -> Result<Vec<usize>> {
        let wish = wanted.iter().rev().find(|w| w.field == field);
        wish.filter(|w| !w.is_for_none()).map_or_else(|| Ok(Vec::new()), |w| positions(sheet, w))
    };
    let one = |field: &str| -> Result<Option<usize>> {
        let columns = chosen(field)?;
        if columns.is_empty() { Ok(None) } else { single(field, &columns).map(Some) }
    };
    let mapping = Mapping {
        email: one("email")?.ok_or_else(|| no_email(sheet))?,
        name: chosen("name")?,
        name_else: None,
        department: one("department")?,
        title: one("title")?,
        division: one("division")?,
        phone: one("phone")?,
        employee_id: one("employee-id")?,
        family: None,
        is_worker: false,
    };
    sheet.name_columns(names(&mapping, width));
    Ok(mapping)
}

/// Each mapped column gets the name of its field, so that the names map by themselves; the others are numbered.
fn names(mapping: &Mapping, width: usize) -> Vec<String> {
    let mut names: Vec<String> = (1..=width).map(|n| format!("column_{n}")).collect();
    let mut name = |at: usize, name: String| names[at] = name;
    for (field, column) in [
        ("employee id", mapping.employee_id),
        ("phone", mapping.phone),
        (DIVISION_OURS, mapping.division),
        ("title", mapping.title),
        ("department", mapping.department),
    ] {
        column.into_iter().for_each(|at| name(at, field.to_owned()));
    }
    match mapping.name[..] {
        [whole] => name(whole, "name".to_owned()),
        [first, last] => {
            name(first, "first name".to_owned());
            name(last, "last name".to_owned());
        }
        ref parts => parts.iter().zip(1..).for_each(|(at, n)| name(*at, format!("name part {n}"))),
    }
    // Last, so that the key keeps its name even if it serves as something else too.
    name(mapping.email, "email".to_owned());
    names
}

pub(super) fn positions(sheet: &Sheet, wanted: &Wanted) -> Result<Vec<usize>> {
    let width = sheet.header.len();
    let position = |text: &str| {
        let number = text.trim().trim_matches('"').parse::<usize>().ok();
        number.filter(|n| (1..=width).contains(n)).map(|n| n - 1)
    };
    let found: Option<Vec<usize>> = wanted.column.split('+').map(position).collect();
    found.ok_or_else(|| {
        let what = format!("--map {}={}: {} has no such column", wanted.field, wanted.column, sheet.origin);
        Error::new(Kind::Usage, what).hint(format!("without a header columns are numbers from 1 to {width}"))
    })
}

/// In how many records each column holds an `@`.
fn n_addresses(sheet: &Sheet) -> Result<Vec<usize>> {
    let all: Vec<usize> = (0..sheet.header.len()).collect();
    sheet.count(&all, |cell| cell.contains('@'))
}

/// Whether a file may be Genesys' template: every address of its column is one, and there is none where none belongs. A
/// file of the same width that is something else would be read as somebody else.
fn looks_like(sheet: &Sheet, template: &[&str]) -> Result<bool> {
    let n = n_addresses(sheet)?;
    let email = template.iter().position(|name| *name == "email").unwrap_or_default();
    let n_odd = sheet.count(&[email], |cell| !cell.trim().is_empty() && !cell.contains('@'))?;
    let is_free = |(name, n): (&&str, &usize)| ["email", "email_manager"].contains(name) || *n == 0;
    Ok(n[email] > 0 && n_odd == [0] && template.iter().zip(&n).all(is_free))
}

fn no_email(sheet: &Sheet) -> Error {
    let what = format!(
        "{} is read without a header, and nothing says which of its {} columns is the e-mail",
        sheet.origin,
        sheet.header.len()
    );
    let counts = n_addresses(sheet).unwrap_or_default();
    let best = counts.into_iter().enumerate().max_by_key(|(at, n)| (*n, std::cmp::Reverse(*at)));
    Error::new(Kind::File, what).hint(match best {
        Some((at, n)) if n > 0 => format!("column {} holds addresses: say --map email={}", at + 1, at + 1),
        _ => "say --map email=N, counted from 1".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::roster::{Headline, Opening, open_bytes};

    fn headerless(text: &str) -> Sheet {
        let opening = Opening { headline: Headline::Missing, ..Opening::default() };
        open_bytes("hr.csv", text.as_bytes().to_vec(), opening).unwrap()
    }

    fn want(field: &str, column: &str) -> Wanted {
        Wanted { field: field.into(), column: column.into() }
    }

    #[test]
    fn a_file_as_wide_as_the_genesys_template_is_that_template() {
        for (row, phone, division) in [
            ("Ada,ada@example.com,+1,7,Dr,Care,boss@example.com,Berlin,,,Home,\n", 2, Some(10)),
            ("Ada,ada@example.com,+1,Dr,Care,boss@example.com,Berlin,,,\n", 2, None),
        ] {
            let mut sheet = headerless(row);
            let mapping = map_headerless(&mut sheet, &[]).unwrap();
            assert_eq!((mapping.email, mapping.name.as_slice()), (1, &[0][..]));
            assert_eq!((mapping.phone, mapping.division), (Some(phone), division));
            assert_eq!(sheet.header[5], if division.is_some() { "department" } else { "email_manager" });
        }
    }

    #[test]
    fn a_file_of_that_width_with_addresses_elsewhere_or_something_else_in_their_column_is_asked_about() {
        for rows in [
            "Ada,ada@example.com,+1,Dr,Care,boss@example.com,Berlin,,,\n7,Bob,+1,Dr,Care,,Berlin,,,\n",
            "Ada,ada@example.com,+1,Dr,Care,,Berlin,,,ada@home.example\n",
            "Ada,,+1,Dr,Care,boss@example.com,Berlin,,,\n",
        ] {
            let error = map_headerless(&mut headerless(rows), &[]).unwrap_err();
            assert_eq!(error.kind(), Kind::File, "{rows}");
        }
        let sound = "Ada,ada@example.com,+1,Dr,Care,boss@example.com,Berlin,,,\nBob,,+1,Dr,Care,,Berlin,,,\n";
        assert!(map_headerless(&mut headerless(sound), &[]).is_ok());
    }

    #[test]
    fn another_width_needs_to_be_told_and_the_hint_names_a_column_of_addresses() {
        let mut sheet = headerless("1,Ada,ada@example.com\n2,Bob,bob@example.com\n");
        let error = map_headerless(&mut sheet, &[]).unwrap_err();
        assert_eq!(
            (error.kind(), error.hint_text()),
            (Kind::File, Some("column 3 holds addresses: say --map email=3"))
        );
        let strange = "a,b,c,d,e,f,g,h,i,j@example.com\n";
        assert!(map_headerless(&mut headerless(strange), &[]).unwrap_err().hint_text().unwrap().ends_with("email=10"));
    }

    #[test]
    fn a_position_that_does_not_exist_is_wrong_usage() {
        for column in ["0", "4", "Email", "1+4", "-1"] {
            let mut sheet = headerless("1,Ada,ada@example.com\n");
            let error = map_headerless(&mut sheet, &[want("email", "3"), want("name", column)]).unwrap_err();
            assert_eq!((error.kind(), error.hint_text().unwrap().contains("1 to 3")), (Kind::Usage, true), "{column}");
        }
    }

    #[test]
    fn the_names_given_to_columns_map_by_themselves_to_the_same_columns() {
        for name in ["4", "3+4", "4+3", "5+3+4"] {
            let mut sheet = headerless("1;ada@example.com;Ada;Lovelace;Lady;Care;+1;0042\n");
            let mut wanted = vec![want("email", "2"), want("name", name), want("department", "6"), want("phone", "7")];
            wanted.extend([want("division", "1"), want("title", ""), want("employee-id", "8")]);
            let first = map_headerless(&mut sheet, &wanted).unwrap();
            assert_eq!(first.employee_id, Some(7));
            let again = open_bytes("again.csv", sheet.header_line.clone(), Opening::default()).unwrap();
            assert_eq!(map(&again, &[]).unwrap(), first, "{name}");
        }
    }
}
