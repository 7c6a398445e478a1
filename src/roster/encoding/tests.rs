//! Every encoding in realistic text, and what is mistaken for it.
#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

const GERMAN: &str = "email,name,city\r\nk.mueller@example.com,Käthe Müller,Düsseldorf\r\n\
    j.groß@example.com,Jörg Groß,Köln\r\na.baecker@example.com,Änne Bäcker,Groß-Gerau\r\n\
    o@example.com,Søren Åkesson,Malmö\r\nb@example.com,Ömer Özgür,Zürich\r\n";
const FRENCH: &str = "email;nom;service\nr@example.com;René Lefèvre;Contrôle qualité\n\
    f@example.com;Françoise d’Arc;Ressources « humaines »\nn@example.com;Noël O’Brien;Coûts – été\n\
    i@example.com;Inès Ibáñez;100 €\nz@example.com;ÉLODIE BÉRÉNICE;L’Œuvre\n";
const ICELANDIC: &str = "email,name\na@example.is,Guðrún Sigurðardóttir\nb@example.is,Þórður Ýmir Ægisson\n";
const ESTONIAN: &str = "email,name\na@example.ee,Jüri Põld\nb@example.ee,Mäe Kõiv\nc@example.ee,Tõnu Mägi\n";
const POLISH: &str = "email,name\na@example.pl,Lech Wałęsa\nb@example.pl,Łukasz Dąbrowski\nc@example.pl,Zofia Żak\n";
const CZECH: &str = "email,name\na@example.cz,Antonín Dvořák\nb@example.cz,Božena Němcová\nc@example.cz,Jiří Černý\n\
    d@example.cz,Tomáš Šimek\ne@example.cz,Zdeněk Kříž\n";
const HUNGARIAN: &str = "email,name\na@example.hu,Erdős Pál\nb@example.hu,Szőke Ödön\nc@example.hu,Fűzfa Györgyi\n";
const TURKISH: &str = "email,name\na@example.tr,Ayşe Yılmaz\nb@example.tr,Şahin Doğan\nc@example.tr,Özgür Işık\n";
const RUSSIAN: &str = "email,name\na@example.ru,Анна Каренина\nb@example.ru,Лев Толстой\n";
const JAPANESE: &str = "email,name\na@example.jp,山田太郎\nb@example.jp,佐藤花子\nc@example.jp,鈴木一郎\n";
const SPANISH: &str = "email,name\na@example.es,José Martínez\nb@example.es,Íñigo López\nc@example.es,Ramón Muñoz\n";

fn read(encoding: Encoding, bytes: &[u8]) -> Result<(String, Decoded)> {
    let mut text = Vec::new();
    let decoded = decode("people.csv", encoding, &mut &bytes[..], &mut text)?;
    Ok((String::from_utf8(text).unwrap(), decoded))
}

fn guess(bytes: &[u8]) -> Result<(String, String)> {
    let (text, decoded) = read(Encoding::Windows1252, bytes)?;
    decoded.check_guess("people.csv")?;
    Ok((text, decoded.evidence()))
}

fn refusal(bytes: &[u8]) -> String {
    let error = guess(bytes).unwrap_err();
    assert_eq!(error.kind(), Kind::File);
    assert!(error.to_string().starts_with("people.csv"), "{error}");
    assert!(error.hint_text().unwrap().contains("CSV UTF-8"), "{error}");
    error.to_string()
}

fn in_code_page(page: &'static encoding_rs::Encoding, text: &str) -> Vec<u8> {
    let (bytes, _, has_lost) = page.encode(text);
    assert!(!has_lost, "{text}");
    bytes.into_owned()
}

/// Code page 850, the letters of these texts.
fn in_dos(text: &str) -> Vec<u8> {
    let pairs = "ü\u{81}é\u{82}ä\u{84}å\u{86}ç\u{87}è\u{8a}Ä\u{8e}Å\u{8f}É\u{90}ô\u{93}ö\u{94}û\u{96}Ö\u{99}Ü\u{9a}ø\u{9b}\
                 á\u{a0}í\u{a1}ó\u{a2}ú\u{a3}ñ\u{a4}Ñ\u{a5}Í\u{d6}ß\u{e1}";
    let pairs: Vec<char> = pairs.chars().collect();
    let byte = |c: char| match pairs.chunks(2).find(|pair| pair[0] == c) {
        Some(pair) => pair[1] as u8,
        None => u8::try_from(c).unwrap(),
    };
    text.chars().map(byte).collect()
}

fn utf16(text: &str, of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(of).collect()
}

#[test]
fn every_name_that_people_type_is_an_encoding() {
    for encoding in Encoding::ALL {
        assert_eq!(Encoding::from_name(encoding.as_str()), Some(encoding));
    }
    for (name, encoding) in [
        ("UTF8", Encoding::Utf8),
        ("UTF-16", Encoding::Utf16Le),
        ("utf16le", Encoding::Utf16Le),
        ("CP1252", Encoding::Windows1252),
        ("Latin1", Encoding::Windows1252),
        ("ISO-8859-1", Encoding::Windows1252),
        ("iso_8859-1", Encoding::Windows1252),
        ("ANSI", Encoding::Windows1252),
    ] {
        assert_eq!(Encoding::from_name(name), Some(encoding), "{name}");
    }
    assert_eq!(Encoding::from_name("utf-7"), None);
}

#[test]
fn a_mark_is_certain_and_that_of_utf_32_is_none_of_utf_16() {
    let said = |head: &[u8]| by_first_bytes(head).map(|(encoding, evidence)| (encoding.as_str(), evidence));
    let mark = |hex: &str| format!("it begins with the byte order mark {hex}");
    assert_eq!(said(b"\xFF\xFEe\0"), Some(("utf-16le", mark("FF FE"))));
    assert_eq!(said(b"\xFE\xFF\0e"), Some(("utf-16be", mark("FE FF"))));
    assert_eq!(said(b"\xEF\xBB\xBFe"), Some(("utf-8", mark("EF BB BF"))));
    assert_eq!(said(b"\xFF\xFE\0\0e\0\0\0"), None);
    assert_eq!(utf32(b"\xFF\xFE\0\0e\0\0\0"), Some(mark("FF FE 00 00, of UTF-32")));
    assert_eq!(utf32(b"\0\0\xFE\xFF\0\0\0e"), Some(mark("00 00 FE FF, of UTF-32")));
    assert_eq!(utf32(b"\xFF\xFEe\0"), None);
}

#[test]
fn utf_16_without_a_mark_is_known_by_its_zeros_wherever_it_is_cut() {
    let text = format!("email,Imię,Straße,{}\n山田,x\n", "department,".repeat(40));
    for end in [9, 40, 41, 600] {
        let (encoding, evidence) = by_first_bytes(&utf16(&text, u16::to_le_bytes)[..end]).unwrap();
        assert_eq!(encoding, Encoding::Utf16Le);
        assert!(evidence.contains("every second byte of its first"), "{evidence}");
        assert_eq!(by_first_bytes(&utf16(&text, u16::to_be_bytes)[..end]).unwrap().0, Encoding::Utf16Be);
    }
    let (_, evidence) = by_first_bytes(&utf16(&"email,".repeat(99), u16::to_le_bytes)).unwrap();
    assert_eq!(evidence, "every second byte of its first 512 is 0");
    let utf32: Vec<u8> = "email,name\n".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for text in [&utf32[..], b"email,name\n", b"", b"a\0", b"\0\0\0\0\0\0\0\0\0\0", b"a,b\n\0\0\0,x\0\n", &[0xE9; 64]] {
        assert_eq!(by_first_bytes(text), None, "{text:?}");
    }
}

#[test]
fn every_encoding_gives_the_same_text_without_a_mark() {
    let long = FRENCH.repeat(BLOCK_BYTES / FRENCH.len() * 3);
    for text in [FRENCH, &long] {
        let marked = format!("\u{feff}{text}");
        let [le, be] = [u16::to_le_bytes, u16::to_be_bytes].map(|of| utf16(&marked, of));
        let utf8 = read(Encoding::Utf8, marked.as_bytes()).unwrap();
        assert_eq!((utf8.0.as_str(), utf8.1.has_mark, utf8.1.n_bytes), (text, true, marked.len() as u64));
        assert_eq!(read(Encoding::Utf16Le, &le).unwrap().0, text);
        let swapped = read(Encoding::Utf16Le, &be).unwrap();
        assert_eq!((swapped.0.as_str(), swapped.1.encoding), (text, Encoding::Utf16Be));
        assert_eq!(read(Encoding::Utf16Be, &be[2..]).unwrap().0, text);
        assert_eq!(read(Encoding::Windows1252, &in_code_page(WINDOWS_1252, text)).unwrap().0, text);
    }
}

#[test]
fn a_mark_of_another_encoding_is_refused_with_the_way_out() {
    let error = read(Encoding::Windows1252, b"\xEF\xBB\xBFemail\n").unwrap_err();
    assert_eq!(error.to_string(), "people.csv is not Windows-1252: it begins with the byte order mark EF BB BF");
    assert_eq!(error.hint_text(), Some("leave --encoding away, or say --encoding utf-8"));
    let error = read(Encoding::Utf16Le, b"\xFF\xFE\0\0e\0\0\0").unwrap_err();
    assert!(error.to_string().ends_with("FF FE 00 00, of UTF-32"), "{error}");
}

#[test]
fn a_byte_that_is_no_character_is_named_with_line_and_offset_in_any_block() {
    let error = read(Encoding::Utf8, b"a,b\r\nx\ry,M\xFCller\n").unwrap_err();
    assert_eq!(error.to_string(), "people.csv, line 3: byte 0xFC at offset 10 is not UTF-8");
    assert!(error.hint_text().unwrap().contains("--encoding windows-1252"));
    let far = [&vec![b'\n'; BLOCK_BYTES - 1][..], b"\xC3\xC3\xA9"].concat();
    let error = read(Encoding::Utf8, &far).unwrap_err();
    assert_eq!(error.to_string(), "people.csv, line 65536: byte 0xC3 at offset 65535 is not UTF-8");
    let mut lone = utf16("\u{feff}a\n", u16::to_le_bytes);
    lone.extend([0x3D, 0xD8, b'x', 0]);
    let error = read(Encoding::Utf16Le, &lone).unwrap_err();
    let expected = "people.csv, line 2: byte 0x3D at offset 6 begins half of a pair in UTF-16LE";
    assert_eq!(error.to_string(), expected);
    let error = read(Encoding::Utf16Be, b"\0a\0\n\0").unwrap_err();
    let expected = "people.csv, line 2: byte 0x00 at offset 4 is half of a unit in UTF-16BE, and the file ends";
    assert_eq!(error.to_string(), expected);
    let error = read(Encoding::Windows1252, b"a\r\n\r\nM\x81ller\n").unwrap_err();
    assert_eq!(error.to_string(), "people.csv, line 3: byte 0x81 at offset 6 is no character of Windows-1252");
}

#[test]
fn western_text_is_believed_and_says_why() {
    for text in [GERMAN, FRENCH, ICELANDIC, ESTONIAN, SPANISH, "a\nJean\u{a0}Paul – 5 €\n"] {
        assert_eq!(guess(&in_code_page(WINDOWS_1252, text)).unwrap().0, text);
    }
    let (_, evidence) = guess(&in_code_page(WINDOWS_1252, &GERMAN.repeat(300))).unwrap();
    let expected = "not UTF-8 (byte 0xE4 on line 2); read as Windows-1252: 5,100 bytes above 0x7F, among them \
                    ü 1,200, ß 900, ö 900";
    assert_eq!(evidence, expected);
    let (_, evidence) = guess(b"email,name\na@example.com,Ren\xE9\n").unwrap();
    assert_eq!(evidence, "not UTF-8 (byte 0xE9 on line 2); read as Windows-1252: 1 byte above 0x7F, é 1");
}

#[test]
fn text_of_another_code_page_is_refused() {
    let mac = encoding_rs::MACINTOSH;
    for (text, page) in [
        (GERMAN, mac),
        (FRENCH, mac),
        (SPANISH, mac),
        (POLISH, encoding_rs::WINDOWS_1250),
        (POLISH, encoding_rs::ISO_8859_2),
        (CZECH, encoding_rs::WINDOWS_1250),
        (CZECH, encoding_rs::ISO_8859_2),
        (HUNGARIAN, encoding_rs::WINDOWS_1250),
        (TURKISH, encoding_rs::WINDOWS_1254),
        (RUSSIAN, encoding_rs::WINDOWS_1251),
        (RUSSIAN, encoding_rs::KOI8_R),
        (JAPANESE, encoding_rs::SHIFT_JIS),
        (JAPANESE, encoding_rs::EUC_JP),
    ] {
        refusal(&in_code_page(page, text));
    }
    for text in [GERMAN, SPANISH, "email,name\na@example.fr,René Légaré\nb@example.fr,Agnès\n"] {
        refusal(&in_dos(text));
    }
}

#[test]
fn utf_8_with_one_wrong_byte_is_damaged_and_not_another_encoding() {
    for text in [GERMAN, FRENCH, POLISH, JAPANESE] {
        let bytes = [text.as_bytes(), b"x@example.com,M\xFCller,x\n"].concat();
        let said = refusal(&bytes);
        let line = text.lines().count() + 1;
        let expected = format!("people.csv, line {line}: byte 0xFC at offset {} is not UTF-8", text.len() + 15);
        assert!(said.starts_with(&expected) && said.contains("damaged"), "{said}");
    }
    // Á is C3 81, and 81 is nothing in Windows-1252: the file is damaged UTF-8 all the same.
    assert!(refusal(&["Álvaro,Ángel\n".as_bytes(), b"M\xFCller"].concat()).contains("2 other characters are"));
    assert!(refusal(b"email,name\na,Ren\xC3").contains("cut short"));
    let mixed = [FRENCH.as_bytes(), &in_code_page(WINDOWS_1252, FRENCH)].concat();
    assert!(refusal(&mixed).contains("mixes encodings"));
    let error = guess(GERMAN.as_bytes()).unwrap_err();
    assert!(error.to_string().starts_with("people.csv is valid UTF-8"), "{error}");
}

#[test]
fn a_nul_speaks_against_a_guess_and_not_against_a_request() {
    assert!(refusal(b"a,b\nM\xFCller,\0\n").contains("1 NUL byte"));
    assert_eq!(read(Encoding::Windows1252, b"M\xFCller,\0\n").unwrap().0, "Müller,\0\n");
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_whole_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for encoding in Encoding::ALL {
            let strict = encoding.decoder().decode_without_bom_handling_and_without_replacement(&bytes);
            match read(encoding, &bytes) {
                Ok((text, decoded)) if !decoded.has_mark => prop_assert_eq!(Some(text), strict.map(String::from)),
                Ok(_) => {}
                Err(error) => prop_assert_eq!(error.kind(), Kind::File),
            }
        }
    }
}
