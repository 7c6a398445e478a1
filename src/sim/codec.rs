//! Text encodings of the wire: form pairs, percent signs, base64, written out, as each takes a dozen lines; dates.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Reads `a=1&b=2`, as it stands in a query or a form.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (unescape(name), unescape(value))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Undoes percent-encoding and `+` for a blank; a broken escape stays as it is.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                plain.push(byte);
                at += 2;
            }
            (b'+', _) => plain.push(b' '),
            (byte, _) => plain.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Percent-encodes all but unreserved characters.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Base64 in the alphabet that needs no escape in a URL, without padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for digit in 0..=chunk.len() {
            out.push(char::from(BASE64[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    out
}

/// Reads base64 in either alphabet, with or without padding.
pub(super) fn unbase64(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut n_bits) = (Vec::new(), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let byte = match byte {
            b'+' => b'-',
            b'/' => b'_',
            byte => byte,
        };
        let digit = u32::try_from(BASE64.iter().position(|b| *b == byte)?).ok()?;
        bits = (bits << 6 | digit) & 0xFFFF;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push((bits >> n_bits & 0xFF) as u8);
        }
    }
    Some(out)
}

/// The first instant of 2026, when a simulator starts, in seconds since 1970.
const START: i64 = 1_767_225_600;

/// The date of a header (RFC 9110), so many seconds after the start; nothing for a year that has no four digits.
pub(super) fn http_date(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|seconds| START.checked_add(seconds));
    let at = at.and_then(|at| Timestamp::from_second(at).ok());
    at.and_then(|at| DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()).unwrap_or_default()
}

/// A UUID that depends on nothing but its arguments.
pub(super) fn uuid(seed: u64, kind: &str, n: u64) -> String {
    let hex = digest(seed, kind, n);
    let variant = ['8', '9', 'a', 'b'][usize::from(hex.as_bytes()[16] % 4)];
    format!("{}-{}-4{}-{variant}{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// 64 hexadecimal digits that depend on nothing but the arguments.
pub(super) fn digest(seed: u64, kind: &str, n: u64) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(&n.to_le_bytes()).update(kind.as_bytes());
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base64_is_read_in_both_alphabets_and_with_padding() {
        assert_eq!(unbase64("ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ=").unwrap(), b"demo-client:demo-secret");
        assert_eq!(unbase64("+/8=").unwrap(), unbase64("-_8").unwrap());
        assert_eq!(unbase64("a b"), None);
    }

    #[test]
    fn a_date_counts_from_2026() {
        assert_eq!(http_date(0), "Thu, 01 Jan 2026 00:00:00 GMT");
        assert_eq!(http_date(86_400 * 59 - 1), "Sat, 28 Feb 2026 23:59:59 GMT");
        assert_eq!(http_date(86_400 * (365 * 2 + 59) + 3_661), "Tue, 29 Feb 2028 01:01:01 GMT");
        assert_eq!(http_date(86_400 * (365 * 74 + 18 + 59)), "Mon, 01 Mar 2100 00:00:00 GMT");
        assert_eq!(http_date(u64::MAX), "");
    }

    #[test]
    fn form_pairs_are_unescaped_and_broken_escapes_stay() {
        let expected = vec![("a b".to_owned(), "é&".to_owned()), ("c".to_owned(), "%zz%".to_owned())];
        assert_eq!(pairs("a+b=%C3%A9%26&c=%zz%"), expected);
    }

    #[test]
    fn a_uuid_has_the_shape_of_version_four() {
        let id = uuid(1, "user", 7);
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(&id[14..15], "4");
        assert!("89ab".contains(&id[19..20]));
        assert_ne!(id, uuid(2, "user", 7));
    }

    proptest! {
        #[test]
        fn what_base64_writes_it_reads(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(unbase64(&base64(&bytes)), Some(bytes));
        }

        #[test]
        fn what_is_escaped_is_read_back(text in "\\PC{0,20}") {
            prop_assert_eq!(pairs(&format!("k={}", escape(&text))), vec![("k".to_owned(), text)]);
        }
    }
}
