//! The short way to a key, for the addresses that nearly every cell holds: plain ASCII and nothing to mend.
//!
//! One pass without a branch per byte. It says "plain and fine", or it says nothing and the careful way decides: no
//! refusal is ever spoken here, and whatever is accepted here must come out of the careful way the same.

use super::{ADDRESS_OCTETS_MAX, CELL_OCTETS_MAX, LABEL_OCTETS_MAX, LOCAL_OCTETS_MAX, Rules, is_a_label};

/// A plain address.
#[derive(Clone, Copy)]
pub(super) struct Plain<'c> {
    /// The cell without blanks at the edges and without a trailing dot.
    pub(super) address: &'c str,
    /// Trim, lower and dot at most.
    pub(super) rules: Rules,
}

/// The plain address that the cell holds, if it does.
pub(super) fn read(cell: &str) -> Option<Plain<'_>> {
    if cell.len() > CELL_OCTETS_MAX {
        return None;
    }
    let text = trim(cell);
    // Only a domain can end an address, so a dot at the end is the domain's.
    let address = text.strip_suffix('.').unwrap_or(text);
    if address.len() > ADDRESS_OCTETS_MAX {
        return None;
    }
    let (state, seen) = walk(address.as_bytes());
    // Up to this length no part can be too long, and without a hyphen no label is an A-label.
    let is_short = address.len() <= LABEL_OCTETS_MAX.min(LOCAL_OCTETS_MAX);
    if state != NAMED || !(is_short && seen & HYPHEN == 0 || parts_fit(address)) {
        return None;
    }
    let mut rules = Rules::default();
    rules.add(Rules::TRIM, text.len() != cell.len());
    rules.add(Rules::DOT, address.len() != text.len());
    rules.add(Rules::LOWER, seen & UPPER != 0);
    Some(Plain { address, rules })
}

/// Without the ASCII blanks and NULs at the edges; other blanks are not plain.
fn trim(cell: &str) -> &str {
    let is_inner = |b: &u8| !matches!(b, 0 | 9..=13 | b' ');
    let bytes = cell.as_bytes();
    if let (Some(first), Some(last)) = (bytes.first(), bytes.last())
        && is_inner(first)
        && is_inner(last)
    {
        return cell;
    }
    let start = bytes.iter().position(is_inner).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(is_inner).map_or(start, |at| at + 1);
    &cell[start..end]
}

/// The lengths of the parts, and no A-label, of an address that is well formed otherwise.
fn parts_fit(address: &str) -> bool {
    address.rsplit_once('@').is_some_and(|(local, domain)| {
        local.len() <= LOCAL_OCTETS_MAX
            && domain.split('.').all(|label| label.len() <= LABEL_OCTETS_MAX && !is_a_label(label))
    })
}

// Where the walk stands. A state is the place of its six bits in a row of the table, so that the next state is one
// shift away: `row >> state`. Ten states fill sixty bits; the other four say what was seen.

/// Not plain, for good: all its bits are zero in every row, so it leads to itself.
const LOST: u64 = 0;
/// Before an atom of the local part.
const ATOM_DUE: u64 = 6;
/// In an atom.
const ATOM: u64 = 12;
/// Before the first label.
const FIRST_DUE: u64 = 18;
/// In the first label, after a letter or digit.
const FIRST: u64 = 24;
/// In the first label, after a hyphen.
const FIRST_HYPHEN: u64 = 30;
/// Before another label.
const NEXT_DUE: u64 = 36;
/// In another label, digits only so far.
const DIGITS: u64 = 42;
/// In another label that is not digits only, after a letter or digit: the only place to end.
const NAMED: u64 = 48;
/// In another label, after a hyphen.
const NAMED_HYPHEN: u64 = 54;
/// The bits of a state.
const STATE: u64 = 63;

/// An upper-case letter was seen.
const UPPER: u64 = 1 << 60;
/// A hyphen was seen.
const HYPHEN: u64 = 1 << 61;

/// For each byte and state the state that follows, and what the byte is.
static ROWS: [u64; 256] = rows();

/// Where the walk over an address ends, and what it saw.
fn walk(address: &[u8]) -> (u64, u64) {
    let (mut state, mut seen) = (ATOM_DUE, 0);
    for byte in address {
        let row = ROWS[usize::from(*byte)];
        state = (row >> state) & STATE;
        seen |= row;
    }
    (state, seen)
}

const fn rows() -> [u64; 256] {
    let mut rows = [0; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        rows[byte as usize] = row(byte);
        byte += 1;
    }
    rows
}

const fn row(byte: u8) -> u64 {
    match byte {
        b'a'..=b'z' => in_local() | in_domain(NAMED),
        b'A'..=b'Z' => in_local() | in_domain(NAMED) | UPPER,
        b'0'..=b'9' => in_local() | in_domain(DIGITS),
        b'-' => in_local() | hyphen() | HYPHEN,
        b'.' => to(ATOM, ATOM_DUE) | to(FIRST, NEXT_DUE) | to(DIGITS, NEXT_DUE) | to(NAMED, NEXT_DUE),
        b'@' => to(ATOM, FIRST_DUE),
        // The rest of RFC 5322 atext.
        b'!' | b'#'..=b'\'' | b'*' | b'+' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~' => in_local(),
        _ => LOST,
    }
}

const fn to(from: u64, next: u64) -> u64 {
    next << from
}

const fn in_local() -> u64 {
    to(ATOM_DUE, ATOM) | to(ATOM, ATOM)
}

/// A letter or digit of a label; `label` is the kind that a later label begins as, and stays if it is of digits only.
const fn in_domain(label: u64) -> u64 {
    let first = to(FIRST_DUE, FIRST) | to(FIRST, FIRST) | to(FIRST_HYPHEN, FIRST);
    first | to(NEXT_DUE, label) | to(DIGITS, label) | to(NAMED, NAMED) | to(NAMED_HYPHEN, NAMED)
}

/// A hyphen is never the first of a label; the states that may end one come after a letter or digit.
const fn hyphen() -> u64 {
    let first = to(FIRST, FIRST_HYPHEN) | to(FIRST_HYPHEN, FIRST_HYPHEN);
    first | to(DIGITS, NAMED_HYPHEN) | to(NAMED, NAMED_HYPHEN) | to(NAMED_HYPHEN, NAMED_HYPHEN)
}
