//! What the roster says of some rows, read from the CSVs of the plan: the roster itself need not be there any more.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::files::manifest::Manifest;
use crate::files::{source, suspects};
use crate::plan::{Plan, Verdict};
use crate::roster::{self, Delimiter, Opening, Records};

/// A row as it stands in the roster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spelt {
    /// The cell of the e-mail column.
    pub email: String,
    /// The cells of the name columns, joined by blanks.
    pub name: String,
}

/// Reads some rows, by their numbers. Only they are kept.
///
/// # Errors
/// `File`; `Damaged` if a CSV does not hold the rows of `plan`.
pub fn read(dir: &Path, manifest: &Manifest, plan: &Plan, wanted: &BTreeSet<u32>) -> Result<HashMap<u32, Spelt>> {
    let mut ranks: HashMap<Verdict, (usize, Vec<(usize, u32)>)> = HashMap::new();
    for (word, row) in plan.frame().column(columns::VERDICT)?.str()?.iter().zip(1_u32..) {
        let Some(verdict) = word.and_then(Verdict::from_word) else { continue };
        let (n, found) = ranks.entry(verdict).or_default();
        if wanted.contains(&row) {
            found.push((*n, row));
        }
        *n += 1;
    }
    let mut spelt = HashMap::new();
    for (verdict, (n, rows)) in ranks {
        if !rows.is_empty() {
            read_verdict(dir, manifest, verdict, (n, &rows), &mut spelt)?;
        }
    }
    Ok(spelt)
}

/// Opens a CSV of the plan.
fn open(dir: &Path, manifest: &Manifest, name: &str) -> Result<Records> {
    let delimiter = u8::try_from(manifest.delimiter).map_or(Delimiter::Detect, Delimiter::Said);
    let opening = Opening { delimiter, ..Opening::default() };
    Records::find(roster::open(name, source::open(&dir.join(name))?, opening)?)
}

fn read_verdict(
    dir: &Path,
    manifest: &Manifest,
    verdict: Verdict,
    (n, rows): (usize, &[(usize, u32)]),
    spelt: &mut HashMap<u32, Spelt>,
) -> Result<()> {
    let name = format!("{}.csv", verdict.as_str());
    let records = open(dir, manifest, &name)?;
    if records.len() != n {
        let what = format!("{name} does not hold the {} rows of the plan", verdict.as_str());
        return Err(Error::new(Kind::Damaged, what).hint("bring it back as it was, or plan again"));
    }
    let header = &records.sheet.header;
    let column = |wanted: &String| header.iter().position(|head| head == wanted);
    let mapping = &manifest.mapping;
    let email = column(&mapping.email);
    let names: Vec<usize> = mapping.name.iter().filter_map(column).collect();
    let name_else = mapping.name_else.as_ref().and_then(column);
    let (mut buffer, mut ends) = (Vec::new(), Vec::new());
    for (at, row) in rows {
        let mut block = records.read(*at..at + 1, &mut buffer)?;
        let record = block.record(*at, &mut ends)?;
        let cell = |at: usize| record.cell(at).trim().to_owned();
        let parts: Vec<String> = names.iter().map(|at| cell(*at)).filter(|part| !part.is_empty()).collect();
        let whole = if parts.is_empty() { name_else.map(cell).unwrap_or_default() } else { parts.join(" ") };
        spelt.insert(*row, Spelt { email: email.map(cell).unwrap_or_default(), name: whole });
    }
    Ok(())
}

/// A line of `suspects.csv`, by its column's name.
pub type Pair = HashMap<&'static str, String>;

/// The columns that are shown of a pair beside its two rows.
const PAIR: [&str; 8] = [
    columns::ROW,
    columns::LIKENESS,
    columns::RESEMBLES,
    columns::OTHER_ROW,
    columns::USER_ID,
    columns::USER_STATE,
    columns::OTHER_EMAIL,
    columns::OTHER_NAME,
];

/// The first pairs of `suspects.csv`, and how many there are.
///
/// # Errors
/// `File`, `Damaged`.
pub fn suspects(dir: &Path, manifest: &Manifest, n_max: usize) -> Result<(Vec<Pair>, u64)> {
    let records = open(dir, manifest, suspects::FILE)?;
    let header = &records.sheet.header;
    let at = PAIR.map(|name| header.iter().position(|head| head == name));
    if at.contains(&None) {
        let what = format!("{} does not have the columns of suspects", suspects::FILE);
        return Err(Error::new(Kind::Damaged, what).hint("bring it back as it was, or plan again"));
    }
    let (mut buffer, mut ends, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
    for record in 0..records.len().min(n_max) {
        let mut block = records.read(record..record + 1, &mut buffer)?;
        let read = block.record(record, &mut ends)?;
        let cells = at.iter().flatten().map(|at| unguarded(&read.cell(*at)));
        pairs.push(PAIR.into_iter().zip(cells).collect());
    }
    Ok((pairs, records.len() as u64))
}

/// A cell of ours without the apostrophe that keeps a spreadsheet from taking it for a formula.
fn unguarded(cell: &str) -> String {
    let bare = cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@', '\t', '\r']));
    bare.unwrap_or(cell).to_owned()
}

#[cfg(test)]
mod tests {
    use super::unguarded;

    #[test]
    fn the_apostrophe_in_front_of_a_formula_is_ours_and_no_other() {
        let cells = ["'=1+1", "'@x", "'tis", "", "'"].map(unguarded);
        assert_eq!(cells, ["=1+1", "@x", "'tis", "", "'"]);
    }
}
