//! A second reader of CSV, character by character and on one thread: slow, short and easy to believe.

/// What is wrong with a record, its width apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    Nul,
    StrayQuote,
}

/// A record as it is read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub line: u32,
    /// What is wrong first.
    pub wrong: Option<Wrong>,
    pub cells: Vec<String>,
    /// Its bytes without line end.
    pub text: String,
}

/// All records behind byte `from`, or the line of the record whose quote stays open.
pub fn read(text: &str, from: usize, delimiter: u8) -> Result<Vec<Record>, (u32, Vec<Record>)> {
    let bytes = text.as_bytes();
    let ends_line = |at: usize| match bytes[at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    let (mut at, mut line) = (0, 1);
    let mut all = Vec::new();
    loop {
        while at < bytes.len() && (at < from || matches!(bytes[at], b'\n' | b'\r')) {
            line += u32::from(ends_line(at));
            at += 1;
        }
        if at == bytes.len() {
            return Ok(all);
        }
        let (start, first) = (at, line);
        let mut record = Record { line, wrong: None, cells: Vec::new(), text: String::new() };
        // In a cell: where it began, whether it is open, whether it was closed.
        let (mut cell, mut is_open, mut is_closed) = (at, false, false);
        loop {
            let byte = bytes.get(at).copied();
            match byte {
                None if is_open => return Err((first, all)),
                Some(b'"') if is_open => {
                    if bytes.get(at + 1) == Some(&b'"') {
                        at += 1;
                    } else {
                        (is_open, is_closed) = (false, true);
                    }
                }
                Some(0) if is_open => record.wrong = record.wrong.or(Some(Wrong::Nul)),
                Some(_) if is_open => line += u32::from(ends_line(at)),
                Some(b'"') if at == cell => is_open = true,
                None | Some(b'\n' | b'\r') => break,
                Some(other) if other == delimiter => {
                    record.cells.push(decoded(&text[cell..at]));
                    (cell, is_closed) = (at + 1, false);
                }
                Some(0) => record.wrong = record.wrong.or(Some(Wrong::Nul)),
                Some(b'"') => record.wrong = record.wrong.or(Some(Wrong::StrayQuote)),
                Some(_) if is_closed => record.wrong = record.wrong.or(Some(Wrong::StrayQuote)),
                Some(_) => {}
            }
            at += 1;
        }
        record.cells.push(decoded(&text[cell..at]));
        text[start..at].clone_into(&mut record.text);
        all.push(record);
    }
}

fn decoded(raw: &str) -> String {
    match raw.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\""),
        None => raw.to_owned(),
    }
}
