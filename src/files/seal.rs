//! A seal on a parquet of ours: the BLAKE3 of the whole file, its own digits left out.
//!
//! A footer is full of lengths that readers believe. One flipped bit makes them ask for the memory of a planet, or leave
//! users out without a word; so nothing but this looks at a file of ours before its seal was found unbroken.

use std::fs::File;
use std::os::unix::fs::FileExt;

use memchr::memmem;

/// What stands before the digits.
const MARK: &str = "rosterdiff.seal:";
/// Hexadecimal digits of a BLAKE3.
const DIGITS: usize = 64;
/// A parquet ends with the length of its footer and four letters.
const TAIL_BYTES: u64 = 8;
/// Bytes that are hashed at a time.
const PIECE_BYTES: usize = 1 << 18;

/// What came of looking at a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// There is none.
    Missing,
    /// The file is what it was.
    Whole,
    /// It is not.
    Broken,
}

/// A seal that is still to be set: as long as a set one.
#[must_use]
pub fn blank() -> String {
    format!("{MARK}{}", "0".repeat(DIGITS))
}

/// Sets the seal of a file that was written with a blank one.
///
/// # Errors
/// Whatever the file fails with; a file without a blank seal.
pub fn set(file: &File) -> std::io::Result<()> {
    let missing = || std::io::Error::other("the file has no place for its seal");
    let place = place(file)?.ok_or_else(missing)?;
    file.write_all_at(digits(file, place)?.as_bytes(), place)
}

/// Holds a file against its seal.
///
/// # Errors
/// Whatever the file fails with.
pub fn check(file: &File) -> std::io::Result<Seal> {
    let Some(place) = place(file)? else { return Ok(Seal::Missing) };
    let mut found = [0; DIGITS];
    file.read_exact_at(&mut found, place)?;
    Ok(if digits(file, place)?.as_bytes() == found { Seal::Whole } else { Seal::Broken })
}

/// Where the digits of the seal are.
fn place(file: &File) -> std::io::Result<Option<u64>> {
    let n_bytes = file.metadata()?.len();
    let Some(end) = n_bytes.checked_sub(TAIL_BYTES) else { return Ok(None) };
    let mut tail = [0; 4];
    file.read_exact_at(&mut tail, end)?;
    let begin = end.saturating_sub(u64::from(u32::from_le_bytes(tail)));
    let mut footer = vec![0; usize::try_from(end - begin).unwrap_or(0)];
    file.read_exact_at(&mut footer, begin)?;
    // What was said of the file as a whole stands behind what was said of its columns.
    let mark = memmem::rfind(&footer, MARK.as_bytes()).map(|at| at + MARK.len());
    Ok(mark.filter(|at| at + DIGITS <= footer.len()).map(|at| begin + at as u64))
}

/// The digits that a file should have at `place`.
fn digits(file: &File, place: u64) -> std::io::Result<String> {
    let (mut hasher, mut piece, mut at) = (blake3::Hasher::new(), vec![0; PIECE_BYTES], 0);
    loop {
        // A piece never parts the digits from each other.
        let n_max = place.checked_sub(at).filter(|n| *n > 0).map_or(PIECE_BYTES as u64, |n| n.min(PIECE_BYTES as u64));
        let n = file.read_at(&mut piece[..usize::try_from(n_max).unwrap_or(PIECE_BYTES)], at)?;
        if n == 0 {
            return Ok(hasher.finalize().to_hex().to_string());
        }
        if at == place {
            let n = n.min(DIGITS);
            piece[..n].fill(b'0');
        }
        hasher.update(&piece[..n]);
        at += n as u64;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::files::atomic;

    fn file(bytes: &[u8]) -> File {
        let file = atomic::nameless().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    fn sealed(before: usize) -> Vec<u8> {
        let footer = format!("columns {} and more", blank());
        let mut bytes = vec![7; before];
        bytes.extend_from_slice(footer.as_bytes());
        bytes.extend_from_slice(&u32::try_from(footer.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(b"PAR1");
        let file = file(&bytes);
        set(&file).unwrap();
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    fn checked(bytes: &[u8]) -> Seal {
        check(&file(bytes)).unwrap()
    }

    #[test]
    fn any_byte_that_changes_breaks_the_seal_or_hides_it() {
        let bytes = sealed(40);
        assert_eq!(checked(&bytes), Seal::Whole);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 4;
            assert_ne!(checked(&other), Seal::Whole, "byte {at}");
        }
        for n in 0..bytes.len() {
            assert_ne!(checked(&bytes[..n]), Seal::Whole, "{n} bytes");
        }
    }

    #[test]
    fn a_seal_is_found_wherever_the_pieces_of_a_large_file_end() {
        for before in [PIECE_BYTES - 40, PIECE_BYTES - 24, PIECE_BYTES, 2 * PIECE_BYTES + 1] {
            let mut bytes = sealed(before);
            assert_eq!(checked(&bytes), Seal::Whole, "{before}");
            bytes[before / 2] = 8;
            assert_eq!(checked(&bytes), Seal::Broken, "{before}");
        }
    }
}
