//! Whether a text can be believed to be Windows-1252.
//!
//! Every byte string but five bytes is Windows-1252, so decoding proves nothing. What proves something is where the bytes
//! above 0x7F stand: letters adjoin letters in a case that fits, quotes and signs stand between words. Text in another
//! code page has its signs inside words, or letters that no western language has side by side. A guess is refused on the
//! first such sign, since the way out (naming the encoding) costs a person a moment and a wrong guess costs names.

use super::{Lines, SAVE};
use crate::error::{Error, Kind, Result};

/// What the bytes 0x80 to 0x9F are; five of them are nothing and stand for themselves. Above, byte and character agree.
const FROM_80: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
/// Bytes that are no character.
const UNDEFINED: [u8; 5] = [0x81, 0x8D, 0x8F, 0x90, 0x9D];
/// Signs that never follow a letter at once: marks that open something, and signs of money and measure.
const NOT_BEHIND_LETTER: &str = "‚ƒ„†‡ˆ‰‹•˜¡¢£¤¥¦¨¬±¶¿";
/// Signs that never stand at once before a letter.
const NOT_BEFORE_LETTER: &str = "€ƒ†‡ˆ‰˜›¢£¤¥¦¬±²³¹¼½¾×÷";
/// Signs that join two parts of a name.
const JOINS: &str = "‘’´–·\u{a0}\u{ad}";

/// Bytes that stand where they cannot, in a hundred that can be judged. True text has next to none (an initial `É.`, a
/// capital in the middle of a made-up word); text of another code page has most of them.
const UNFIT_PERCENT_MAX: u64 = 10;
/// Bytes in runs of three and more, in a hundred. Western words do not have them; Cyrillic, Greek, Hebrew, Chinese and
/// Japanese consist of them.
const RUNS_PERCENT_MAX: u64 = 10;
/// Letters of a foreign alphabet, in a hundred, from which on it is one.
const FOREIGN_PERCENT_MIN: u64 = 5;
/// Valid UTF-8 characters to a hundred stray bytes, above which a file is damaged UTF-8. By chance Windows-1252 has some:
/// a capital accent or ß before a closing quote.
const UTF8_PERCENT_MAX: u64 = 10;

/// A neighbour of Windows-1252 whose letters all fall on letters: told by company that no western language keeps.
struct Neighbour {
    name: &'static str,
    /// Letters that give it away, if they are frequent …
    marks: &'static str,
    /// … and one of these is there too (if any are named), …
    with: &'static str,
    /// … and these together are not half as frequent as the marks: a western language with the marks has them.
    unless: &'static str,
}

const NEIGHBOURS: [Neighbour; 3] = [
    // č is è, ř is ø, ě is ì, ć is æ, đ is ð; š and ž are the same in both.
    Neighbour { name: "Central European (windows-1250)", marks: "šžŠŽ", with: "èøìæðÈØÌÆÐ", unless: "" },
    // ő is õ, ű is û. Portuguese has ã and ç, Estonian ä, French é, with theirs.
    Neighbour { name: "Hungarian (windows-1250)", marks: "õûÕÛ", with: "öüÖÜ", unless: "ãçäåêèÃÇÄÅ" },
    // Turkish ğ ı ş are ð ý þ, Lithuanian š ž are ð þ. Icelandic has them with its vowels.
    Neighbour {
        name: "Turkish or Baltic (windows-1254, windows-1257)",
        marks: "ðþÐÞ",
        with: "",
        unless: "áíóúæéÁÍÓÚÆÉ",
    },
];

/// A byte and where it stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    byte: u8,
    line: u64,
    offset: u64,
}

/// What was seen of a text that may be Windows-1252.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// How often each byte from 0x80 stands in it.
    counts: [u64; 128],
    n_nul: u64,
    n_fit: u64,
    n_unfit: u64,
    /// Bytes in runs of three and more.
    n_in_runs: u64,
    run: u64,
    /// The byte that is to be judged next, between those before and behind it.
    window: [u8; 3],
    undefined: Option<Place>,
    lines: Lines,
    offset: u64,
    utf8: Sequences,
}

/// The same bytes held against UTF-8.
#[derive(Clone, Copy, Debug, Default)]
struct Sequences {
    n_whole: u64,
    n_stray: u64,
    first_stray: Option<Place>,
    /// The character that is open: where it began, its bytes so far and those to come.
    open: Option<(Place, u64, u8)>,
    is_cut: bool,
}

impl Sequences {
    fn push(&mut self, place: Place) {
        if let Some((start, n_so_far, n_to_come)) = self.open.take() {
            if matches!(place.byte, 0x80..=0xBF) {
                match n_to_come {
                    1 => self.n_whole += 1,
                    _ => self.open = Some((start, n_so_far + 1, n_to_come - 1)),
                }
                return;
            }
            self.add_stray(start, n_so_far);
        }
        match place.byte {
            0..=0x7F => {}
            0xC2..=0xDF => self.open = Some((place, 1, 1)),
            0xE0..=0xEF => self.open = Some((place, 1, 2)),
            0xF0..=0xF4 => self.open = Some((place, 1, 3)),
            _ => self.add_stray(place, 1),
        }
    }

    fn add_stray(&mut self, start: Place, n: u64) {
        self.first_stray = self.first_stray.or(Some(start));
        self.n_stray += n;
    }

    fn end(&mut self) {
        if let Some((start, n_so_far, _)) = self.open.take() {
            self.is_cut = self.n_stray == 0;
            self.add_stray(start, n_so_far);
        }
    }

    /// UTF-8 with a few wrong bytes in it, or one that ends within a character: read as anything else, every sound
    /// character of it would come out as two.
    const fn are_damaged(&self) -> bool {
        self.is_cut || self.n_whole * 100 > self.n_stray * UTF8_PERCENT_MAX
    }
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            counts: [0; 128],
            n_nul: 0,
            n_fit: 0,
            n_unfit: 0,
            n_in_runs: 0,
            run: 0,
            window: [b'\n'; 3],
            undefined: None,
            lines: Lines::new(),
            offset: 0,
            utf8: Sequences::default(),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let place = Place { byte, line: self.lines.line, offset: self.offset };
            if let Some(count) = usize::from(byte).checked_sub(128).and_then(|at| self.counts.get_mut(at)) {
                *count += 1;
            }
            if UNDEFINED.contains(&byte) {
                self.undefined = self.undefined.or(Some(place));
            }
            self.n_nul += u64::from(byte == 0);
            self.utf8.push(place);
            self.slide(byte);
            self.lines.push(&[byte]);
            self.offset += 1;
        }
    }

    /// Judges what is left. Nothing is pushed behind it.
    pub(super) fn end(&mut self) {
        self.slide(b'\n');
        self.utf8.end();
    }

    /// Judges the byte at the end of the window, now that its successor is known.
    fn slide(&mut self, behind: u8) {
        let [before_that, before, at] = self.window;
        if at >= 0x80 {
            match fits(char_of(before_that), char_of(before), char_of(at), char_of(behind)) {
                Some(true) => self.n_fit += 1,
                Some(false) => self.n_unfit += 1,
                None => {}
            }
        }
        self.run = if behind >= 0x80 { self.run + 1 } else { 0 };
        self.n_in_runs += match self.run {
            0..=2 => 0,
            3 => 3,
            _ => 1,
        };
        self.window = [before, at, behind];
    }

    fn n_high(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How often these characters stand in the text.
    fn n_of(&self, chars: &str) -> u64 {
        let found = (0x80..=0xFF_u8).zip(self.counts).filter(|(byte, _)| chars.contains(char_of(*byte)));
        found.map(|(_, n)| n).sum()
    }

    fn n_letters(&self, bytes: std::ops::RangeInclusive<u8>) -> u64 {
        let counts = (0x80..=0xFF_u8).zip(self.counts);
        counts.filter(|(byte, _)| bytes.contains(byte) && is_letter(char_of(*byte))).map(|(_, n)| n).sum()
    }

    /// The three commonest characters above 0x7F with their counts.
    fn among(&self) -> String {
        let mut all: Vec<(u8, u64)> = (0x80..=0xFF_u8).zip(self.counts).filter(|(_, n)| *n > 0).collect();
        all.sort_by_key(|(byte, n)| (std::cmp::Reverse(*n), *byte));
        let shown = |(byte, n): &(u8, u64)| match char_of(*byte) {
            c if c.is_control() || c.is_whitespace() || c == '\u{ad}' => {
                format!("U+{:04X} {}", u32::from(c), grouped(*n))
            }
            c => format!("{c} {}", grouped(*n)),
        };
        all.iter().take(3).map(shown).collect::<Vec<_>>().join(", ")
    }

    /// What speaks for the reading, in words.
    pub(super) fn evidence(&self) -> String {
        let first = match (self.utf8.first_stray, self.utf8.n_whole) {
            (Some(Place { byte, line, .. }), _) => format!("not UTF-8 (byte 0x{byte:02X} on line {line}); "),
            (None, 0) => String::new(),
            (None, _) => "all of it is valid UTF-8, and yet ".to_owned(),
        };
        match self.n_high() {
            0 => format!("{first}read as Windows-1252: no byte above 0x7F"),
            1 => format!("{first}read as Windows-1252: 1 byte above 0x7F, {}", self.among()),
            n => format!("{first}read as Windows-1252: {} bytes above 0x7F, among them {}", grouped(n), self.among()),
        }
    }

    /// Refuses bytes that are no character, even if the encoding was asked for.
    pub(super) fn check_defined(&self, origin: &str) -> Result<()> {
        let Some(Place { byte, line, offset }) = self.undefined else { return Ok(()) };
        if self.utf8.are_damaged() {
            return Err(self.damaged(origin));
        }
        let what =
            format!("{origin}, line {line}: byte 0x{byte:02X} at offset {offset} is no character of Windows-1252");
        Err(Error::new(Kind::File, what).hint(format!("it is in another encoding, of DOS or of a Mac perhaps: {SAVE}")))
    }

    /// Refuses the guess, if something speaks against it.
    pub(super) fn check(&self, origin: &str) -> Result<()> {
        if self.n_high() + self.n_nul == 0 {
            return Ok(());
        }
        if self.utf8.are_damaged() {
            return Err(self.damaged(origin));
        }
        let Some(against) = self.against() else { return Ok(()) };
        let place = self.utf8.first_stray.map_or_else(String::new, |Place { byte, line, offset }| {
            format!(", line {line}: byte 0x{byte:02X} at offset {offset} is not UTF-8, and the file")
        });
        let what = format!("{origin}{place} does not look like Windows-1252 either: {against}");
        let hint = format!("{SAVE}; to read it as Windows-1252 all the same, say --encoding windows-1252");
        Err(Error::new(Kind::File, what).hint(hint))
    }

    fn damaged(&self, origin: &str) -> Error {
        let Some(Place { byte, line, offset }) = self.utf8.first_stray else {
            let what = format!("{origin} is valid UTF-8: as Windows-1252 its accents would come out as two characters");
            return Error::new(Kind::File, what).hint("leave --encoding away");
        };
        let rest = match self.utf8.n_whole {
            0 => "and nothing else in it is wrong: the file was cut short".to_owned(),
            n => format!("though {} other characters are: the file is damaged or mixes encodings", grouped(n)),
        };
        let what = format!("{origin}, line {line}: byte 0x{byte:02X} at offset {offset} is not UTF-8, {rest}");
        Error::new(Kind::File, what).hint("export it again, as \"CSV UTF-8\", or mend that line")
    }

    /// The first sign that this is not Windows-1252, in words.
    fn against(&self) -> Option<String> {
        let (n_high, n_judged, n_letters) = (self.n_high(), self.n_fit + self.n_unfit, self.n_letters(0x80..=0xFF));
        if self.n_nul > 0 {
            return Some(format!("it holds {} NUL bytes", grouped(self.n_nul)));
        }
        if self.n_in_runs * 100 > n_high * RUNS_PERCENT_MAX {
            let (n, of) = (grouped(self.n_in_runs), grouped(n_high));
            return Some(format!("of {of} bytes above 0x7F {n} stand three or more in a row"));
        }
        if self.n_unfit * 100 > n_judged * UNFIT_PERCENT_MAX {
            let (n, of, among) = (grouped(self.n_unfit), grouped(n_judged), self.among());
            return Some(format!(
                "of {of} bytes above 0x7F {n} would be signs or capitals within words (it has {among})"
            ));
        }
        // Š, Œ, Ž and Ÿ are rare in the west; on a Mac their bytes are ä, ö and ü.
        if self.n_letters(0x80..=0x9F) * 2 > n_letters {
            return Some(format!("most of its letters would be rare ones ({})", self.among()));
        }
        let is_it = |n: &&Neighbour| {
            let n_marks = self.n_of(n.marks);
            n_marks * 100 > n_letters * FOREIGN_PERCENT_MIN
                && (n.with.is_empty() || self.n_of(n.with) * 100 > n_letters * FOREIGN_PERCENT_MIN)
                && n_marks > 2 * self.n_of(n.unless)
        };
        let found = NEIGHBOURS.iter().find(is_it)?;
        Some(format!("its letters ({}) look like {}", self.among(), found.name))
    }
}

fn char_of(byte: u8) -> char {
    match byte {
        0x80..=0x9F => FROM_80.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::from(byte)),
        _ => char::from(byte),
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !"ƒˆªºµ".contains(c)
}

/// Whether a character above 0x7F stands where it can; `None` where it says nothing.
fn fits(before_that: char, before: char, at: char, behind: char) -> Option<bool> {
    let (is_behind_letter, is_before_letter) = (is_letter(before), is_letter(behind));
    if is_letter(at) {
        let is_behind_small = is_behind_letter && before.is_lowercase();
        let is_single = before.is_uppercase() && is_before_letter && behind.is_lowercase();
        let is_case_right = !at.is_uppercase() || !(is_behind_small || is_single);
        return Some((is_behind_letter || is_before_letter) && is_case_right);
    }
    let is_inside = is_behind_letter && is_before_letter;
    if JOINS.contains(at) {
        // O’Brien, d’Arc, Baden–Württemberg, Gal·la; but not Mart’nez.
        let is_soft = matches!(at, '·' | '\u{ad}') || matches!(behind, 's' | 't');
        let is_seam = is_soft || behind.is_uppercase() || !is_letter(before_that);
        return (is_inside && !is_seam).then_some(false);
    }
    let is_unfit = is_inside
        || (is_behind_letter && NOT_BEHIND_LETTER.contains(at))
        || (is_before_letter && NOT_BEFORE_LETTER.contains(at));
    is_unfit.then_some(false)
}

/// A number with its thousands apart.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(",")
}
