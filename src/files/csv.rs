//! Output CSVs: source cells as they came, tool cells behind them.

use std::io::Write;

use polars::prelude::{AnyValue, Column, DataFrame};

use crate::cells::Value;
use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::lanes::Effort;
use crate::plan::Told;
use crate::roster::{Dialect, Records, Sheet};

/// The header: the source's, and the names of tool columns.
#[must_use]
pub fn header(sheet: &Sheet, tools: &[&str]) -> Vec<u8> {
    let dialect = sheet.dialect;
    let mut line = Vec::new();
    if dialect.bom {
        line.extend_from_slice("\u{feff}".as_bytes());
    }
    line.extend_from_slice(&sheet.header_line);
    for tool in tools {
        line.push(dialect.delimiter);
        line.push(b'_');
        line.extend_from_slice(tool.as_bytes());
    }
    line.extend_from_slice(dialect.eol.as_bytes());
    line
}

/// The source cells of a row, byte for byte; a missing cell is padded.
pub fn push_source(line: &mut Vec<u8>, source: &[u8], n_missing: usize, dialect: Dialect) {
    line.extend_from_slice(source);
    line.extend(std::iter::repeat_n(dialect.delimiter, n_missing));
}

/// The tool cells of a plan's row, in the order of [`columns::PLAN_TOOL`], and the line end. `extra` is the record's own
/// surplus.
pub fn push_told(line: &mut Vec<u8>, told: &Told<'_>, extra: &str, dialect: Dialect) {
    let by = dialect.delimiter;
    push_number(line, Some(told.row), by);
    push_number(line, Some(told.line), by);
    push_text(line, told.key, by);
    push_word(line, Some(told.verdict.as_str()), by);
    push_word(line, told.reason, by);
    push_word(line, Some(told.rules_name()), by);
    push_text(line, told.user_id, by);
    push_word(line, told.user_state.map(crate::person::State::as_str), by);
    push_text(line, told.user_email, by);
    push_number(line, told.holders, by);
    push_number(line, told.first_row, by);
    push_word(line, Some(told.differs_name()), by);
    push_text(line, Some(extra), by);
    line.extend_from_slice(dialect.eol.as_bytes());
}

fn push_text(line: &mut Vec<u8>, text: Option<&str>, delimiter: u8) {
    line.push(delimiter);
    push_cell(line, text.unwrap_or_default(), delimiter);
}

/// A word of ours, in which nothing can need a quote.
fn push_word(line: &mut Vec<u8>, word: Option<&str>, delimiter: u8) {
    line.push(delimiter);
    line.extend_from_slice(word.unwrap_or_default().as_bytes());
}

pub(super) fn push_number(line: &mut Vec<u8>, number: Option<u32>, delimiter: u8) {
    line.push(delimiter);
    push_digits(line, number);
}

fn push_digits(line: &mut Vec<u8>, number: Option<u32>) {
    let Some(mut rest) = number else { return };
    let (mut digits, mut at) = ([0; 10], 10);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10).to_le_bytes()[0];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    line.extend_from_slice(&digits[at..]);
}

/// A line of cells that are all ours.
pub fn push_line(line: &mut Vec<u8>, values: &[Value<'_>], delimiter: u8, eol: &str) {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            line.push(delimiter);
        }
        match value {
            Value::Number(number) => push_digits(line, *number),
            Value::Text(text) => push_cell(line, text.unwrap_or_default(), delimiter),
        }
    }
    line.extend_from_slice(eol.as_bytes());
}

/// Writes each of `rows`, which are pairs of a record and the row of `frame` that speaks of it, with
/// the columns of `frame` that `tools` names.
///
/// # Errors
/// Whatever `out` fails with; `File` if the source of the records is not what it was.
pub fn write_rows(
    out: &mut dyn Write,
    records: &Records,
    frame: &DataFrame,
    tools: &[&str],
    rows: &[(usize, usize)],
) -> Result<()> {
    let dialect = records.sheet.dialect;
    let found: Vec<Option<&Column>> = tools.iter().map(|tool| frame.column(tool).ok()).collect();
    let (mut line, mut buffer, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = rows;
    for block in records.blocks(Effort::CHUNK_BYTES) {
        let n = rest.partition_point(|(record, _)| *record < block.end);
        let (these, behind) = rest.split_at(n);
        rest = behind;
        if these.is_empty() {
            continue;
        }
        let mut text = records.read(block, &mut buffer)?;
        for (record, at) in these {
            let record = text.record(*record, &mut ends)?;
            line.clear();
            push_source(&mut line, record.source(), record.n_missing(), dialect);
            for (tool, column) in tools.iter().zip(&found) {
                line.push(dialect.delimiter);
                if *tool == columns::EXTRA {
                    push_cell(&mut line, record.extra(), dialect.delimiter);
                } else if let Some(column) = column {
                    push_value(&mut line, &column.get(*at)?, dialect.delimiter);
                }
            }
            line.extend_from_slice(dialect.eol.as_bytes());
            out.write_all(&line).map_err(unwritten)?;
        }
    }
    Ok(())
}

/// Writes the header of such rows.
///
/// # Errors
/// `File`.
pub fn write_header(out: &mut dyn Write, records: &Records, tools: &[&str]) -> Result<()> {
    out.write_all(&header(&records.sheet, tools)).map_err(unwritten)
}

fn unwritten(cause: std::io::Error) -> Error {
    Error::new(Kind::File, "cannot write rows").because(cause)
}

fn push_value(line: &mut Vec<u8>, value: &AnyValue<'_>, delimiter: u8) {
    match value.get_str() {
        Some(text) => push_cell(line, text, delimiter),
        None if value.is_null() => {}
        None => line.extend_from_slice(value.to_string().as_bytes()),
    }
}

/// A tool cell is ours, so it is safe in a spreadsheet: what would start a formula is prefixed with an apostrophe.
pub(super) fn push_cell(line: &mut Vec<u8>, text: &str, delimiter: u8) {
    let formula = matches!(text.as_bytes().first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'));
    // Without a way out in the middle, many bytes are looked at at once.
    let needs = |byte: u8| byte == b'"' || byte == b'\n' || byte == b'\r' || byte == delimiter;
    let quoted = text.bytes().fold(false, |found, byte| found | needs(byte));
    if quoted {
        line.push(b'"');
    }
    if formula {
        line.push(b'\'');
    }
    if quoted {
        line.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        line.push(b'"');
    } else {
        line.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_tool_cell_cannot_start_a_formula_or_break_a_row() {
        let cell = |text: &str| {
            let mut line = Vec::new();
            push_cell(&mut line, text, b',');
            String::from_utf8(line).unwrap()
        };
        assert_eq!(cell("plain"), "plain");
        for text in ["=1+1", "+1", "-1", "@x", "\tx"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("=a,\"b\"\n"), "\"'=a,\"\"b\"\"\n\"");
    }

    #[test]
    fn a_number_is_written_as_it_is_told() {
        for number in [0, 7, 10, 4_294_967_295] {
            let mut line = Vec::new();
            push_number(&mut line, Some(number), b';');
            assert_eq!(String::from_utf8(line).unwrap(), format!(";{number}"));
        }
    }
}
