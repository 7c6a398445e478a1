//! Which encoding a file is in, and its text as UTF-8.
//!
//! A wrong guess changes people's names without a word, so only certain signs count as knowledge ([`by_first_bytes`]),
//! and what is not certain is decoded with its evidence at hand and refused if the evidence is weak
//! ([`Decoded::check_guess`]). Decoding is strict: no byte is ever replaced by U+FFFD. No disk here: a reader goes in, a
//! writer comes along, and memory stays flat.

mod guess;

use std::io::{ErrorKind, Read, Write};

use encoding_rs::{DecoderResult, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::{Error, Kind, Result};
use guess::Tally;

/// Bytes that are decoded at a time.
const BLOCK_BYTES: usize = 64 << 10;
/// First bytes that are looked at for UTF-16 without a mark: a header, whatever its people are called.
const SAMPLE_BYTES: usize = 512;
/// Shortest text whose zeros say something: four characters.
const SAMPLE_BYTES_MIN: usize = 8;
/// The way out that always works.
const SAVE: &str = "save it as \"CSV UTF-8\" and run again";

/// An encoding that a roster can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, low byte first: what Excel calls "Unicode text".
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// What Windows in western Europe and America calls ANSI.
    Windows1252,
}

impl Encoding {
    /// All of them, UTF-8 first.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];

    /// Its name, as `--encoding` takes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// The encoding of that name, or of another that people type for it.
    ///
    /// `utf-16` alone is low byte first, as Windows writes it; a byte order mark in the file overrules it anyhow (see
    /// [`decode`]). `latin1` is Windows-1252, as in every browser: it is the same but for 32 controls that no text has.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().replace('_', "-").as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "utf-16le" | "utf16le" | "utf-16-le" | "utf-16" | "utf16" | "unicode" => Some(Self::Utf16Le),
            "utf-16be" | "utf16be" | "utf-16-be" => Some(Self::Utf16Be),
            "windows-1252" | "windows1252" | "cp1252" | "cp-1252" | "1252" | "latin1" | "latin-1" | "iso-8859-1"
            | "iso8859-1" | "ansi" => Some(Self::Windows1252),
            _ => None,
        }
    }

    const fn decoder(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Windows1252 => WINDOWS_1252,
        }
    }
}

/// What the first bytes of a file say with certainty, and the evidence in words. `head` may be cut anywhere.
///
/// `None` is no statement: such a file is UTF-8 if all of it is valid, else a guess. UTF-32 is `None` here, never
/// UTF-16: ask [`utf32`] first.
#[must_use]
pub fn by_first_bytes(head: &[u8]) -> Option<(Encoding, String)> {
    if utf32(head).is_some() {
        return None;
    }
    marked(head).map(|(encoding, mark)| (encoding, begins_with(mark))).or_else(|| by_zeros(head))
}

/// The evidence that a file is UTF-32, which nothing here reads and few programs write: it is to be refused by name.
///
/// Its little-endian mark begins with that of UTF-16; as UTF-16 it would be a text that begins with a NUL, and no roster
/// does.
#[must_use]
pub fn utf32(head: &[u8]) -> Option<String> {
    let marks: [&[u8]; 2] = [&[0xFF, 0xFE, 0, 0], &[0, 0, 0xFE, 0xFF]];
    marks.into_iter().find(|mark| head.starts_with(mark)).map(|mark| format!("{}, of UTF-32", begins_with(mark)))
}

fn begins_with(mark: &[u8]) -> String {
    let hex: Vec<String> = mark.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("it begins with the byte order mark {}", hex.join(" "))
}

/// The encoding whose byte order mark stands at the beginning, and the mark.
fn marked(head: &[u8]) -> Option<(Encoding, &'static [u8])> {
    let marks: [(Encoding, &'static [u8]); 3] =
        [(Encoding::Utf8, &[0xEF, 0xBB, 0xBF]), (Encoding::Utf16Le, &[0xFF, 0xFE]), (Encoding::Utf16Be, &[0xFE, 0xFF])];
    marks.into_iter().find(|(_, mark)| head.starts_with(mark))
}

/// UTF-16 without a mark: of the first line nearly every high byte is 0 and nearly no low one.
///
/// Some of a header's letters may lie beyond Latin-1 (a tenth does), and UTF-32 has zeros at both places. A text in
/// another encoding has no zero at all.
fn by_zeros(head: &[u8]) -> Option<(Encoding, String)> {
    let pairs = head[..head.len().min(SAMPLE_BYTES)].chunks_exact(2);
    let line: Vec<&[u8]> = pairs.take_while(|pair| !matches!(pair, [b'\n' | b'\r', 0] | [0, b'\n' | b'\r'])).collect();
    let zeros = |at: usize| line.iter().filter(|pair| pair[at] == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    let (encoding, of_high, of_low) =
        if second > first { (Encoding::Utf16Le, second, first) } else { (Encoding::Utf16Be, first, second) };
    let is_certain = line.len() * 2 >= SAMPLE_BYTES_MIN && of_high * 10 >= line.len() * 9 && of_low * 10 <= line.len();
    let nearly = if of_high == line.len() { "" } else { "nearly " };
    is_certain.then(|| (encoding, format!("{nearly}every second byte of its first {} is 0", line.len() * 2)))
}

/// What came of decoding a file.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The encoding that was read: the byte order of the mark, if there is one.
    pub encoding: Encoding,
    /// Whether the file began with a byte order mark; the text does not.
    pub has_mark: bool,
    /// Bytes of the file.
    pub n_bytes: u64,
    tally: Option<Tally>,
}

impl Decoded {
    /// Why the text can be believed to be in this encoding, in words that name no person.
    #[must_use]
    pub fn evidence(&self) -> String {
        self.tally.as_ref().map_or_else(|| format!("read as {}", shown(self.encoding)), Tally::evidence)
    }

    /// Refuses Windows-1252 if nobody asked for it and the text does not look like it. Ask before the text is used.
    ///
    /// # Errors
    /// `File`, naming `origin`, the first byte that is not UTF-8 and what speaks against the guess.
    pub fn check_guess(&self, origin: &str) -> Result<()> {
        self.tally.as_ref().map_or(Ok(()), |tally| tally.check(origin))
    }
}

const fn shown(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "UTF-8",
        Encoding::Utf16Le => "UTF-16LE",
        Encoding::Utf16Be => "UTF-16BE",
        Encoding::Windows1252 => "Windows-1252",
    }
}

/// Writes the text of `from` as UTF-8 without a byte order mark. After an error, what was written is of no use.
///
/// A mark of UTF-16 decides the byte order, whichever of the two was asked for.
///
/// # Errors
/// `File`, naming `origin`, the physical line, the byte and its offset: a byte that is no character in this encoding; a
/// mark that says another. `File` too if `from` cannot be read or `to` not be written.
pub fn decode(origin: &str, encoding: Encoding, from: &mut dyn Read, to: &mut dyn Write) -> Result<Decoded> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut n = fill(origin, from, &mut block)?;
    let (encoding, n_mark) = behind_mark(origin, encoding, &block[..n])?;
    let mut stream = Stream::new(origin, encoding, n_mark);
    stream.push(&block[n_mark..n], n < BLOCK_BYTES, to)?;
    while n == BLOCK_BYTES {
        n = fill(origin, from, &mut block)?;
        stream.push(&block[..n], n < BLOCK_BYTES, to)?;
    }
    let mut tally = stream.tally;
    if let Some(tally) = &mut tally {
        tally.end();
        tally.check_defined(origin)?;
    }
    Ok(Decoded { encoding, has_mark: n_mark > 0, n_bytes: stream.offset, tally })
}

/// The bytes of a block are read whole, so that a short one is the last.
fn fill(origin: &str, from: &mut dyn Read, block: &mut [u8]) -> Result<usize> {
    let mut n = 0;
    while n < block.len() {
        match from.read(&mut block[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => {
                let hint = "check that the file is readable and nothing else writes to it";
                return Err(Error::new(Kind::File, format!("cannot read {origin}")).because(e).hint(hint));
            }
        }
    }
    Ok(n)
}

/// The encoding to read, and the bytes of its mark.
fn behind_mark(origin: &str, wanted: Encoding, head: &[u8]) -> Result<(Encoding, usize)> {
    let contrary = |evidence: String, hint: String| {
        let what = format!("{origin} is not {}: {evidence}", shown(wanted));
        Err(Error::new(Kind::File, what).hint(hint))
    };
    if let Some(evidence) = utf32(head) {
        return contrary(evidence, SAVE.to_owned());
    }
    match (marked(head), wanted) {
        (Some((found, mark)), _) if found == wanted => Ok((found, mark.len())),
        (Some((found @ (Encoding::Utf16Le | Encoding::Utf16Be), mark)), Encoding::Utf16Le | Encoding::Utf16Be) => {
            Ok((found, mark.len()))
        }
        (Some((found, mark)), _) => {
            contrary(begins_with(mark), format!("leave --encoding away, or say --encoding {}", found.as_str()))
        }
        (None, _) => Ok((wanted, 0)),
    }
}

/// Physical lines: LF, CRLF and CR each count once.
#[derive(Clone, Copy, Debug)]
struct Lines {
    line: u64,
    is_behind_cr: bool,
}

impl Lines {
    const fn new() -> Self {
        Self { line: 1, is_behind_cr: false }
    }

    fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.line += u64::from(byte == b'\r' || (byte == b'\n' && !self.is_behind_cr));
            self.is_behind_cr = byte == b'\r';
        }
    }
}

/// A decoder and the place it has come to.
struct Stream<'a> {
    origin: &'a str,
    encoding: Encoding,
    decoder: encoding_rs::Decoder,
    text: Vec<u8>,
    offset: u64,
    lines: Lines,
    /// The last bytes of the block before: a character may begin there.
    before: Vec<u8>,
    tally: Option<Tally>,
}

impl<'a> Stream<'a> {
    fn new(origin: &'a str, encoding: Encoding, n_mark: usize) -> Self {
        let decoder = encoding.decoder().new_decoder_without_bom_handling();
        let tally = (encoding == Encoding::Windows1252).then(Tally::new);
        let (text, before) = (vec![0; BLOCK_BYTES], Vec::new());
        Self { origin, encoding, decoder, text, offset: n_mark as u64, lines: Lines::new(), before, tally }
    }

    fn push(&mut self, bytes: &[u8], is_last: bool, to: &mut dyn Write) -> Result<()> {
        if let Some(tally) = &mut self.tally {
            tally.push(bytes);
        }
        let mut at = 0;
        loop {
            let decoded = self.decoder.decode_to_utf8_without_replacement(&bytes[at..], &mut self.text, is_last);
            let (result, n_read, n_written) = decoded;
            at += n_read;
            let text = &self.text[..n_written];
            self.lines.push(text);
            to.write_all(text).map_err(|e| unwritten(self.origin, e))?;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(n_bad, n_behind) => {
                    return Err(self.malformed(&bytes[..at], n_bad.into(), n_behind.into()));
                }
            }
        }
        self.offset += bytes.len() as u64;
        self.before = bytes[bytes.len().saturating_sub(4)..].to_vec();
        Ok(())
    }

    /// The error about the `n_bad` bytes that stand `n_behind` bytes before the end of what was read.
    fn malformed(&self, read: &[u8], n_bad: usize, n_behind: usize) -> Error {
        let seen = [self.before.as_slice(), read].concat();
        let from = seen.len().saturating_sub(n_bad + n_behind);
        let bad = &seen[from..seen.len() - n_behind.min(seen.len() - from)];
        let offset = self.offset + read.len() as u64 - (n_bad + n_behind) as u64;
        let place = format!("{}, line {}", self.origin, self.lines.line);
        let name = shown(self.encoding);
        let first = bad.first().copied().unwrap_or_default();
        let (what, hint) = match self.encoding {
            Encoding::Utf8 | Encoding::Windows1252 => (
                format!("{place}: byte 0x{first:02X} at offset {offset} is not UTF-8"),
                format!("{SAVE}; if an older Windows program wrote it, say --encoding windows-1252"),
            ),
            Encoding::Utf16Le | Encoding::Utf16Be if bad.len() % 2 == 1 => (
                format!(
                    "{place}: byte 0x{first:02X} at offset {offset} is half of a unit in {name}, and the file ends"
                ),
                "it was cut short or is in another encoding: export it again".to_owned(),
            ),
            Encoding::Utf16Le | Encoding::Utf16Be => (
                format!("{place}: byte 0x{first:02X} at offset {offset} begins half of a pair in {name}"),
                format!("it is damaged or in another encoding: {SAVE}"),
            ),
        };
        Error::new(Kind::File, what).hint(hint)
    }
}

fn unwritten(origin: &str, cause: std::io::Error) -> Error {
    let hint = "check that there is room for it where temporary files go";
    Error::new(Kind::File, format!("cannot write the text of {origin}")).because(cause).hint(hint)
}

#[cfg(test)]
mod tests;
