//! A text that we make of something that is no CSV, so that one reader reads everything.

/// A CSV with commas and LF, of which the scanner reads exactly the cells that were pushed. The first record is the header.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// The text, or what was not taken of it yet.
    pub text: Vec<u8>,
    n_records: usize,
    /// Cells of the record that is being written, and whether it has a byte.
    n_cells: usize,
    is_empty: bool,
}

impl Made {
    /// Begins with a header.
    pub fn of<'c>(header: impl IntoIterator<Item = &'c str>) -> Self {
        let mut made = Self { is_empty: true, ..Self::default() };
        made.push(header);
        made
    }

    /// Adds a record.
    pub fn push<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) {
        cells.into_iter().for_each(|cell| self.cell(cell));
        self.end();
    }

    /// Adds a cell, quoted where the scanner would otherwise see something else in it: a delimiter, a line end, a byte
    /// order mark.
    pub fn cell(&mut self, cell: &str) {
        if self.n_cells > 0 {
            self.text.push(b',');
        }
        let looks_else = self.n_records == 0 && self.n_cells == 0 && cell.starts_with('\u{feff}');
        if looks_else || cell.contains([',', '"', '\n', '\r']) {
            self.text.push(b'"');
            self.text.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            self.text.push(b'"');
        } else {
            self.text.extend_from_slice(cell.as_bytes());
        }
        self.is_empty = self.n_cells == 0 && cell.is_empty();
        self.n_cells += 1;
    }

    /// Ends the record.
    pub fn end(&mut self) {
        // One empty cell alone would be a blank line.
        if self.is_empty {
            self.text.extend_from_slice(b"\"\"");
        }
        self.text.push(b'\n');
        self.n_records += 1;
        (self.n_cells, self.is_empty) = (0, true);
    }
}
