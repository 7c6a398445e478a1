//! Output CSVs: source cells as they came, tool cells behind them.

use std::io::Write;

use polars::prelude::{AnyValue, Column, DataFrame};

use crate::columns;
use crate::error::Result;
use crate::roster::{Record, Records};

/// Writes the header and then each of `rows` (1-based) of a roster with its tool cells.
///
/// `tools` names columns of `frame`; `frame_row` finds the frame's position for a row. Source cells are copied byte for
/// byte; a missing cell is padded. `extra` is no frame column: it is the record's own surplus.
///
/// # Errors
/// Whatever `out` fails with.
pub fn write_rows<'r>(
    out: &mut dyn Write,
    records: &'r Records,
    frame: &DataFrame,
    tools: &[&str],
    rows: impl Iterator<Item = (&'r Record, usize)>,
) -> Result<()> {
    let dialect = records.dialect;
    let failed = |e: std::io::Error| crate::error::Error::new(crate::error::Kind::File, "cannot write rows").because(e);
    let mut line = Vec::new();
    if dialect.bom {
        line.extend_from_slice("\u{feff}".as_bytes());
    }
    line.extend_from_slice(&records.header_line);
    for tool in tools {
        line.push(dialect.delimiter);
        line.push(b'_');
        line.extend_from_slice(tool.as_bytes());
    }
    line.extend_from_slice(dialect.eol.as_bytes());
    out.write_all(&line).map_err(failed)?;

    let found: Vec<Option<&Column>> = tools.iter().map(|tool| frame.column(tool).ok()).collect();
    for (record, at) in rows {
        line.clear();
        line.extend_from_slice(&records.bytes[record.range.clone()]);
        line.extend(std::iter::repeat_n(dialect.delimiter, record.n_missing as usize));
        for (tool, column) in tools.iter().zip(&found) {
            line.push(dialect.delimiter);
            if *tool == columns::EXTRA {
                let surplus = String::from_utf8_lossy(&records.bytes[record.extra.clone()]);
                push_cell(&mut line, &surplus, dialect.delimiter);
            } else if let Some(column) = column {
                push_value(&mut line, &column.get(at)?, dialect.delimiter);
            }
        }
        line.extend_from_slice(dialect.eol.as_bytes());
        out.write_all(&line).map_err(failed)?;
    }
    Ok(())
}

fn push_value(line: &mut Vec<u8>, value: &AnyValue<'_>, delimiter: u8) {
    match value.get_str() {
        Some(text) => push_cell(line, text, delimiter),
        None if value.is_null() => {}
        None => line.extend_from_slice(value.to_string().as_bytes()),
    }
}

/// A tool cell is ours, so it is safe in a spreadsheet: what would start a formula is prefixed with an apostrophe.
fn push_cell(line: &mut Vec<u8>, text: &str, delimiter: u8) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = text.bytes().any(|b| matches!(b, b'"' | b'\n' | b'\r') || b == delimiter);
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
}
