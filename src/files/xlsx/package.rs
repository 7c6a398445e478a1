//! The file around a workbook: a zip of XML parts, or something else that is called .xlsx.
//!
//! Nothing is parsed before the zip has been unpacked once into nothing and counted, against what its directory declares
//! and against limits: a few kilobytes can stand for many gigabytes, and what parses the parts believes what they say.
//! That pass finds damage too (every part carries a checksum), so a cut file is told from a wrong one.

use std::io::{Cursor, Read};

use memchr::memmem;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::{Error, Kind, Result};

/// What a zip begins with.
const ZIP: &[u8] = b"PK\x03\x04";
/// What Microsoft's older container begins with: `.xls`, and a workbook with a password.
const OLE: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
/// First bytes that are looked at for a text.
const HEAD_BYTES: usize = 4 << 10;

/// Parts of a workbook, with room: a large one has some hundreds.
const PARTS_MAX: usize = 10_000;
/// Bytes that all parts unpack to.
const UNPACKED_BYTES_MAX: u64 = 2 << 30;
/// Bytes of the formats alone: each is held in memory with its font.
const STYLES_BYTES_MAX: u64 = 16 << 20;
/// How many times its packed size a large part may have: XML packs 10 to 30 times, a bomb 1,000 times.
const RATIO_MAX: u64 = 200;
/// Parts below this are never too much, whatever they were packed from.
const LARGE_BYTES: u64 = 64 << 20;
/// Strings that a table may announce beyond what its bytes can hold.
const STRINGS_SPARE: u64 = 1 << 20;
/// Shortest string of the table, `<si/>`.
const STRING_BYTES_MIN: u64 = 5;

/// Whether these are the first bytes of a workbook (or of another zip: reading it says so).
#[must_use]
pub fn is_xlsx(bytes: &[u8]) -> bool {
    bytes.starts_with(ZIP)
}

/// Refuses what is no workbook, is damaged, or unpacks to more than a roster can be.
pub(super) fn check(origin: &str, bytes: &[u8]) -> Result<()> {
    if let Some((what, hint)) = something_else(bytes) {
        return Err(Error::new(Kind::File, format!("{origin} {what}")).hint(hint));
    }
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(origin).because(e))?;
    check_names(origin, &zip)?;
    check_declared(origin, &mut zip)?;
    for at in 0..zip.len() {
        check_part(origin, &mut zip, at)?;
    }
    Ok(())
}

/// The error about a workbook that was one once.
pub fn damaged(origin: &str) -> Error {
    let hint = "it was cut short, changed, or is no workbook: export it again, or bring it as \"CSV UTF-8\"";
    Error::new(Kind::File, format!("{origin} is not a readable .xlsx workbook")).hint(hint)
}

/// What a file is instead of a zip, and the way out.
fn something_else(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    // In UTF-16, every other byte is a zero.
    let head = bytes.iter().take(HEAD_BYTES).filter(|b| **b != 0).map(u8::to_ascii_lowercase).collect::<Vec<u8>>();
    let has = |needle: &str| memmem::find(&head, needle.as_bytes()).is_some();
    let save = "open it in a spreadsheet program and save it as .xlsx or \"CSV UTF-8\"";
    if bytes.is_empty() {
        return Some(("is empty", "export it again"));
    }
    if bytes.starts_with(ZIP) {
        return None;
    }
    if bytes.starts_with(OLE) {
        let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        return Some(match memmem::find(bytes, &name) {
            Some(_) => ("is protected with a password", "open it, take the password away and save it"),
            None => ("is an old .xls workbook, or a protected one", save),
        });
    }
    if has("<html") || has("<table") || has("<!doctype html") {
        return Some(("is a web page (an HTML table), not a workbook, whatever its name says", save));
    }
    if has("urn:schemas-microsoft-com:office:spreadsheet") {
        return Some(("is an XML spreadsheet of Excel 2003, not an .xlsx workbook", save));
    }
    Some(("is not an .xlsx workbook", "if it is text, call it .csv; else export it again"))
}

/// Other documents that are zips too.
fn check_names(origin: &str, zip: &ZipArchive<Cursor<&[u8]>>) -> Result<()> {
    if zip.len() > PARTS_MAX {
        return Err(too_much(origin, &format!("has {} parts: the limit is {PARTS_MAX}", zip.len())));
    }
    let of_others = [
        ("content.xml", "is an OpenDocument file (.ods)"),
        ("xl/workbook.bin", "is a binary workbook (.xlsb)"),
        ("word/document.xml", "is a Word document"),
        ("index/document.iwa", "is a Numbers document"),
    ];
    let names: Vec<String> = zip.file_names().flatten().map(|name| name.to_lowercase().replace('\\', "/")).collect();
    match of_others.iter().find(|(part, _)| names.iter().any(|name| name == part)) {
        Some((_, what)) => Err(Error::new(Kind::File, format!("{origin} {what}, not an .xlsx workbook"))
            .hint("save it as .xlsx or \"CSV UTF-8\"")),
        None => Ok(()),
    }
}

/// Holds what the directory declares against the limits, before anything is unpacked.
fn check_declared(origin: &str, zip: &mut ZipArchive<Cursor<&[u8]>>) -> Result<()> {
    let mut total = 0_u64;
    for at in 0..zip.len() {
        let part = zip.by_index_raw(at).map_err(|e| damaged(origin).because(e))?;
        let (size, packed) = (part.size(), part.compressed_size());
        total = total.saturating_add(size);
        if total > UNPACKED_BYTES_MAX {
            return Err(too_much(origin, "unpacks to more than 2 GiB"));
        }
        if size > LARGE_BYTES && size / packed.max(1) > RATIO_MAX {
            return Err(too_much(origin, &format!("has a part that unpacks to more than {RATIO_MAX} times its size")));
        }
        if size > STYLES_BYTES_MAX && part.name().is_ok_and(|name| name.to_lowercase().ends_with("styles.xml")) {
            return Err(too_much(origin, "has more than 16 MiB of formats"));
        }
    }
    Ok(())
}

/// Unpacks a part into nothing: it must hold what was declared and have its checksum.
fn check_part(origin: &str, zip: &mut ZipArchive<Cursor<&[u8]>>, at: usize) -> Result<()> {
    let mut part = match zip.by_index(at) {
        Ok(part) => part,
        Err(ZipError::UnsupportedArchive(_) | ZipError::InvalidPassword) => {
            let what = format!("{origin} is packed or protected in a way that is not read here");
            return Err(Error::new(Kind::File, what).hint("open it and save it as .xlsx without a password"));
        }
        Err(e) => return Err(damaged(origin).because(e)),
    };
    let size = part.size();
    let is_strings = part.name().is_ok_and(|name| name.to_lowercase().ends_with("sharedstrings.xml"));
    let n_strings_max = size / STRING_BYTES_MIN + STRINGS_SPARE;
    let (mut block, mut window, mut n) = (vec![0; 64 << 10], Vec::new(), 0_u64);
    loop {
        let more = part.read(&mut block).map_err(|e| damaged(origin).because(e))?;
        n += more as u64;
        if n > size {
            return Err(too_much(origin, "has a part that unpacks to more than the file declares"));
        }
        if is_strings && announced(&mut window, &block[..more]) > n_strings_max {
            return Err(too_much(origin, "announces more strings than it holds"));
        }
        if more == 0 {
            return if n == size { Ok(()) } else { Err(damaged(origin)) };
        }
    }
}

fn too_much(origin: &str, what: &str) -> Error {
    let hint = "it is no roster as a spreadsheet program writes it: save the sheet alone, or bring it as \"CSV UTF-8\"";
    Error::new(Kind::File, format!("{origin} {what}")).hint(hint)
}

/// The largest number of strings that a table announces in these bytes. Room for so many is made unseen, and a number
/// alone must not exhaust memory. `window` carries the end of the bytes before.
fn announced(window: &mut Vec<u8>, bytes: &[u8]) -> u64 {
    const KEPT: usize = 256;
    window.drain(..window.len().saturating_sub(KEPT));
    window.extend(bytes.iter().filter(|b| **b != 0));
    let counts = memmem::find_iter(window, b"uniqueCount").map(|at| {
        let behind = window[at + "uniqueCount".len()..].iter();
        let behind = behind.skip_while(|b| b.is_ascii_whitespace() || matches!(b, b'=' | b'"' | b'\'' | b'+'));
        behind
            .take_while(|b| b.is_ascii_digit())
            .fold(0, |n: u64, b| n.saturating_mul(10).saturating_add((b - b'0').into()))
    });
    counts.max().unwrap_or_default()
}
