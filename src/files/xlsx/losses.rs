//! What a spreadsheet did to numbers that are none (ids, phone numbers, post codes), and values it never calculated.
//!
//! A cell that was typed or imported as a number keeps 15 digits and no leading zero, and nothing in the file says what
//! was there. So a loss is only ever suspected, per column, on evidence: digits beyond the fifteenth are gone for
//! certain; zeros may be gone where other cells of the column have one at their beginning, or where the header speaks of
//! numbers of a fixed length and they are not equally long.

use calamine::DataRef;

use super::cell::DIGITS_LOST_FROM;

/// Parts of header words that speak of numbers nobody calculates with.
const NUMBERS: [&str; 14] = [
    "phone",
    "telefon",
    "mobile",
    "fax",
    "zip",
    "post",
    "number",
    "nummer",
    "extension",
    "employee",
    "badge",
    "durchwahl",
    "numero",
    "número",
];
/// Header words that speak of them only when they stand alone.
const NUMBER_WORDS: [&str; 9] = ["id", "ids", "no", "nr", "ext", "tel", "plz", "cell", "cp"];

/// How often something was seen in a column, and the first row of it.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    n: u64,
    first: u32,
}

impl Seen {
    fn add(&mut self, row: u32) {
        if self.n == 0 {
            self.first = row;
        }
        self.n += 1;
    }
}

#[derive(Clone, Debug, Default)]
struct Column {
    /// Numbers of 16 and more digits.
    long: Seen,
    /// Numbers whose format adds the zeros.
    padded: Seen,
    /// Other whole numbers, and how many digits the shortest and the longest has.
    whole: Seen,
    widths: Option<(usize, usize)>,
    /// Text of digits that begins with a zero.
    n_zero_texts: u64,
    /// Formulas without a stored value.
    blank_formulas: Seen,
}

/// What was seen in every column below the header.
#[derive(Clone, Debug)]
pub(super) struct Losses {
    columns: Vec<Column>,
}

impl Losses {
    pub(super) const fn new() -> Self {
        Self { columns: Vec::new() }
    }

    /// Takes note of a cell: its value, and the text that it became.
    pub(super) fn see(&mut self, at: usize, row: u32, value: &DataRef<'_>, text: &str) {
        let column = self.column(at);
        match value {
            DataRef::Float(n) if n.abs() >= DIGITS_LOST_FROM => column.long.add(row),
            DataRef::Float(n) if n.fract() == 0.0 && *n >= 0.0 => column.see_whole(row, text),
            DataRef::String(_) | DataRef::SharedString(_) => {
                let mut chars = text.chars();
                let is_zero_text = chars.next() == Some('0') && chars.next().is_some_and(|c| c.is_ascii_digit());
                column.n_zero_texts += u64::from(is_zero_text);
            }
            _ => {}
        }
    }

    /// Takes note of a formula that has no value.
    pub(super) fn see_formula(&mut self, at: usize, row: u32) {
        self.column(at).blank_formulas.add(row);
    }

    fn column(&mut self, at: usize) -> &mut Column {
        if self.columns.len() <= at {
            self.columns.resize_with(at + 1, Column::default);
        }
        &mut self.columns[at]
    }

    /// One note a column and kind of loss.
    pub(super) fn notes(&self, header: &[String]) -> Vec<String> {
        // The first row of a sheet without a header is somebody: then columns have no names that may be said.
        let is_somebody = header.iter().any(|cell| cell.contains('@'));
        let named = |at: usize| header.get(at).filter(|name| !is_somebody && !name.trim().is_empty());
        let notes = self.columns.iter().enumerate().flat_map(|(at, column)| {
            let name = named(at).map(|name| name.trim());
            column.notes(name).into_iter().map(move |(seen, what)| {
                let letters = column_name(at);
                let place = name.map_or_else(|| letters.clone(), |name| format!("\"{name}\" ({letters})"));
                format!("column {place}: {what}; first in {letters}{}", seen.first + 1)
            })
        });
        notes.collect()
    }
}

impl Column {
    fn see_whole(&mut self, row: u32, text: &str) {
        if text.len() > 1 && text.starts_with('0') {
            return self.padded.add(row);
        }
        self.whole.add(row);
        let (least, most) = self.widths.unwrap_or((text.len(), text.len()));
        self.widths = Some((least.min(text.len()), most.max(text.len())));
    }

    fn notes(&self, name: Option<&str>) -> Vec<(Seen, String)> {
        let mut notes = Vec::new();
        let mut note = |seen: Seen, thing: &str, what: &str| {
            let plural = if seen.n == 1 { "" } else { "s" };
            if seen.n > 0 {
                notes.push((seen, format!("{} {thing}{plural} {what}", seen.n)));
            }
        };
        note(self.long, "number", "of 16 or more digits: Excel keeps 15 digits, the rest is lost");
        note(self.padded, "number", "with leading zeros by format only, read as shown");
        if let Some(why) = self.why_zeros_may_be_lost(name) {
            note(self.whole, "number", &format!("may have lost leading zeros: {why}"));
        }
        let mend = "without a stored value, read as empty: open the file in a spreadsheet program and save it";
        note(self.blank_formulas, "formula", mend);
        notes
    }

    fn why_zeros_may_be_lost(&self, name: Option<&str>) -> Option<String> {
        let (least, most) = self.widths?;
        if self.n_zero_texts > 0 {
            return Some("other cells of the column begin with 0".to_owned());
        }
        if self.padded.n > 0 {
            return Some("other cells of the column are shown with zeros".to_owned());
        }
        let is_suspect = least != most && name.is_some_and(speaks_of_numbers);
        is_suspect.then(|| format!("they have {least} to {most} digits"))
    }
}

/// Whether a header names numbers of a fixed length: phones, post codes, ids.
fn speaks_of_numbers(header: &str) -> bool {
    let lower = header.to_lowercase();
    // "EmployeeID" is two words too: a word begins where a capital follows a small letter.
    let mut apart = String::new();
    for c in header.chars() {
        if c.is_uppercase() && apart.ends_with(char::is_lowercase) {
            apart.push(' ');
        }
        apart.push(c);
    }
    let apart = apart.to_lowercase();
    let mut words = apart.split(|c: char| !c.is_alphanumeric());
    NUMBERS.iter().any(|part| lower.contains(part)) || words.any(|word| NUMBER_WORDS.contains(&word))
}

/// The letters of a column: A, Z, AA.
pub(super) fn column_name(at: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = at + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(b'A' + u8::try_from(rest % 26).unwrap_or_default());
        rest /= 26;
    }
    letters.iter().rev().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        let names = [0, 25, 26, 701, 702, 16_383].map(column_name);
        assert_eq!(names, ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }

    #[test]
    fn a_header_speaks_of_numbers_in_many_ways() {
        for header in
            ["Work Phone", "ZIP", "Postal Code", "personID", "Cost Center No.", "Ext.", "PLZ", "Personalnummer"]
        {
            assert!(speaks_of_numbers(header), "{header}");
        }
        for header in ["Salary", "Name", "Idea", "Notes", "Headcount", "Next"] {
            assert!(!speaks_of_numbers(header), "{header}");
        }
    }

    #[test]
    fn zeros_are_missed_only_on_evidence() {
        let notes = |header: &str, cells: &[(DataRef<'_>, &str)]| {
            let mut losses = Losses::new();
            for (row, (value, text)) in (1..).zip(cells) {
                losses.see(0, row, value, text);
            }
            losses.notes(&[header.to_owned()])
        };
        let n = DataRef::Float;
        let text = |text: &str| DataRef::String(text.to_owned());
        assert!(notes("Salary", &[(n(5.0), "5"), (n(50.0), "50")]).is_empty());
        assert!(notes("Zip", &[(n(50_667.0), "50667"), (n(10_115.0), "10115")]).is_empty());
        let found = notes("Zip", &[(n(50_667.0), "50667"), (n(1067.0), "1067")]);
        assert_eq!(
            found,
            ["column \"Zip\" (A): 2 numbers may have lost leading zeros: they have 4 to 5 digits; first in A2"]
        );
        let found = notes("Room", &[(text("0042"), "0042"), (n(17.0), "17")]);
        let expected = "column \"Room\" (A): 1 number may have lost leading zeros: other cells of the column begin with 0; \
                        first in A3";
        assert_eq!(found, [expected]);
        let found = notes("Room", &[(n(42.0), "0042"), (n(123_456_789_012_345_680.0), "123456789012345680")]);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("1 number of 16 or more digits") && found[1].contains("by format only"), "{found:?}");
        let found = notes("ada@example.com", &[(n(1e16), "10000000000000000")]);
        assert!(found[0].starts_with("column A: 1 number"), "{found:?}");
    }
}
