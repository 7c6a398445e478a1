//! Workbooks built here, part by part, and what becomes of them.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::lanes::Effort;
use crate::roster::{InMemory, Lines, open_made};

/// A zip of stored parts; `declared` overrules what the directory says of a part's unpacked size.
fn zip(parts: &[(&str, &[u8])], declared: Option<u32>) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in parts {
        let at = u32::try_from(file.len()).unwrap();
        let size = u32::try_from(bytes.len()).unwrap();
        let mut fields = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        fields.extend(crc32(bytes).to_le_bytes());
        fields.extend(size.to_le_bytes());
        fields.extend(declared.unwrap_or(size).to_le_bytes());
        fields.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        fields.extend([0, 0]);
        file.extend([&b"PK\x03\x04"[..], &fields, name.as_bytes(), bytes].concat());
        directory.extend([&b"PK\x01\x02\x14\0"[..], &fields, &[0; 10], &at.to_le_bytes(), name.as_bytes()].concat());
    }
    let n = u16::try_from(parts.len()).unwrap().to_le_bytes();
    let sizes = [directory.len(), file.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes());
    [&file, &directory, &b"PK\x05\x06\0\0\0\0"[..], &n, &n, &sizes.concat(), &[0, 0]].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1)))
    })
}

/// The parts of a workbook: sheets by name, state (`visible` …) and rows in XML.
fn parts(sheets: &[(&str, &str, &str)], properties: &str) -> Vec<(String, Vec<u8>)> {
    const RELS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let (mut names, mut targets) = (String::new(), String::new());
    for (n, (name, state, _)) in (1..).zip(sheets) {
        names += &format!("<sheet name=\"{name}\" state=\"{state}\" sheetId=\"{n}\" r:id=\"r{n}\"/>");
        let target = format!("Type=\"{RELS}/worksheet\" Target=\"worksheets/s{n}.xml\"");
        targets += &format!("<Relationship Id=\"r{n}\" {target}/>");
    }
    let mut parts = vec![
        (
            "_rels/.rels".to_owned(),
            format!("<Relationships><Relationship Id=\"a\" Type=\"{RELS}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"),
        ),
        ("xl/workbook.xml".to_owned(), format!("<workbook xmlns:r=\"{RELS}\">{properties}<sheets>{names}</sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels".to_owned(), format!("<Relationships>{targets}</Relationships>")),
        (
            "xl/styles.xml".to_owned(),
            "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"00000\"/></numFmts><cellXfs><xf numFmtId=\"0\"/>\
             <xf numFmtId=\"14\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>"
                .to_owned(),
        ),
        (
            "xl/sharedStrings.xml".to_owned(),
            "<sst uniqueCount=\"2\"><si><t>shared, \"here\"</t></si><si><r><t>ri</t></r><r><t>ch</t></r></si></sst>".to_owned(),
        ),
    ];
    for (n, (_, _, rows)) in (1..).zip(sheets) {
        let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
        parts.push((format!("xl/worksheets/s{n}.xml"), sheet));
    }
    parts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    zip(&parts.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect::<Vec<_>>(), None)
}

fn book(sheets: &[(&str, &str, &str)]) -> Vec<u8> {
    packed(&parts(sheets, ""))
}

/// Rows of cells: `A1=text`, `B2#number`, `C2#number/style`.
fn rows(cells: &str) -> String {
    let row_of = |place: &str| place.trim_start_matches(|c: char| c.is_alphabetic()).to_owned();
    let mut xml = String::new();
    let mut row = String::new();
    for cell in cells.split_whitespace() {
        let at = cell.find(['=', '#']).unwrap();
        let (place, value) = (&cell[..at], &cell[at + 1..]);
        if row != row_of(place) {
            xml += if row.is_empty() { "" } else { "</row>" };
            row = row_of(place);
            xml += &format!("<row r=\"{row}\">");
        }
        let (number, style) = value.split_once('/').unwrap_or((value, "0"));
        xml += &match &cell[at..=at] {
            "=" => format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{value}</t></is></c>"),
            _ => format!("<c r=\"{place}\" s=\"{style}\"><v>{number}</v></c>"),
        };
    }
    xml + "</row>"
}

fn one(cells: &str) -> Vec<u8> {
    book(&[("People", "visible", &rows(cells))])
}

fn made(bytes: Vec<u8>, sheet: Option<&str>) -> (String, Unrolled) {
    let made = read("hr.xlsx", bytes, sheet).unwrap();
    (String::from_utf8(made.text.clone()).unwrap(), made)
}

fn refused(bytes: &[u8], sheet: Option<&str>) -> String {
    let error = read("hr.xlsx", bytes.to_vec(), sheet).unwrap_err();
    assert!(error.to_string().starts_with("hr.xlsx"), "{error}");
    assert!(error.hint_text().is_some(), "{error}");
    error.to_string()
}

#[test]
fn cells_become_the_text_that_people_see() {
    let (text, _) =
        made(one("A1=email B1=phone C1=zip D1=hired A2=a@example.com B2=+49030 C2#1067/2 D2#46350/1"), None);
    assert_eq!(text, "email,phone,zip,hired\na@example.com,+49030,01067,2026-11-24\n");
    let cells = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row><row r=\"2\">\
                 <c r=\"A2\" t=\"b\"><v>1</v></c><c r=\"B2\" t=\"e\"><v>#N/A</v></c></row><row r=\"3\">\
                 <c r=\"A3\" t=\"str\"><f>A1</f><v>cached</v></c><c r=\"B3\"><f>1+1</f><v>2</v></c></row>";
    let (text, _) = made(book(&[("People", "visible", cells)]), None);
    assert_eq!(text, "\"shared, \"\"here\"\"\",rich\nTRUE,#N/A\ncached,2\n");
}

#[test]
fn the_scanner_reads_exactly_these_cells() {
    let odd = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>email</t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t>note</t></is></c></row>\
               <row r=\"2\"><c r=\"B2\" t=\"inlineStr\"><is><t xml:space=\"preserve\">a, \"b\"\nc </t></is></c></row>";
    let bytes = book(&[("People", "visible", odd)]);
    let text = Arc::new(InMemory(read("hr.xlsx", bytes, None).unwrap().text));
    let sheet = open_made("hr.xlsx", text, Lines::Rows, Effort::default()).unwrap();
    assert_eq!(sheet.header, ["email", "note"]);
    assert_eq!(sheet.columns(&[0, 1]).unwrap(), [[""], ["a, \"b\"\nc "]]);
}

#[test]
fn the_1904_system_is_four_years_apart() {
    let bytes = packed(&parts(&[("People", "visible", &rows("A1=hired A2#44888/1"))], "<workbookPr date1904=\"1\"/>"));
    assert_eq!(made(bytes, None).0, "hired\n2026-11-24\n");
}

#[test]
fn empty_rows_are_no_records_and_lines_are_rows_of_the_sheet() {
    let (text, made) = made(one("A3=email B3=name C3#/0 A4=a A7=b B7=x D7=y Z9#/1"), None);
    assert_eq!(text, "email,name\na,\nb,x,,y\n");
    assert_eq!((made.header_line, made.lines.as_slice(), made.notes.len()), (3, &[4, 7][..], 0));
}

#[test]
fn the_only_visible_sheet_with_cells_is_read_and_several_are_told_of() {
    let (empty, people, old) = (rows("A1#/0"), rows("A1=email A2=a"), rows("A1=email A2=b"));
    let all = [("Cover", "visible", empty.as_str()), ("Lists", "hidden", old.as_str()), ("People", "visible", &people)];
    let only = made(book(&all), None);
    assert_eq!((only.0.as_str(), only.1.notes.len()), ("email\na\n", 0));
    let both = book(&[all[0], all[1], all[2], ("Old", "visible", &old)]);
    let note = "sheet \"People\" is read; \"Old\" is not: choose with --sheet NAME";
    assert_eq!(made(both.clone(), None).1.notes, [note]);
    for sheet in ["old", "3", "LISTS"] {
        assert_eq!(made(both.clone(), Some(sheet)).0, "email\nb\n", "{sheet}");
    }
    let error = read("hr.xlsx", both, Some("Staff")).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(error.to_string(), "hr.xlsx has no sheet \"Staff\": it has \"Cover\", \"Lists\", \"People\", \"Old\"");
}

#[test]
fn a_workbook_without_cells_is_refused() {
    let cells = rows("A1=email");
    assert_eq!(refused(&book(&[]), None), "hr.xlsx has no worksheet");
    let hidden = book(&[("Lists", "veryHidden", &cells), ("Cover", "visible", "")]);
    let error = read("hr.xlsx", hidden.clone(), None).unwrap_err();
    assert_eq!(error.to_string(), "hr.xlsx has no cells in any visible sheet");
    assert!(error.hint_text().unwrap().contains("\"Lists\" may hold more"));
    assert_eq!(refused(&hidden, Some("Cover")), "hr.xlsx: sheet \"Cover\" is empty");
}

#[test]
fn what_numbers_lost_is_told_by_column_and_place() {
    let cells = "A1=email B1=EmployeeId C1=Phone A2=a@example.com B2#123456789012345678 C2#4930123 A3=b@example.com \
                 B3=123456789012345678 C3#49301234";
    let (text, made) = made(one(cells), None);
    assert!(text.ends_with("b@example.com,123456789012345678,49301234\n"), "{text}");
    let expected = [
        "column \"EmployeeId\" (B): 1 number of 16 or more digits: Excel keeps 15 digits, the rest is lost; first in B2",
        "column \"Phone\" (C): 2 numbers may have lost leading zeros: they have 7 to 8 digits; first in C2",
    ];
    assert_eq!(made.notes, expected);
}

#[test]
fn a_formula_that_was_never_calculated_is_told_of() {
    let cells = "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>email</v></c></row><row r=\"2\"><c r=\"A2\"><f>B2&amp;C2</f><v></v></c>\
                 <c r=\"B2\"><v>1</v></c></row><row r=\"3\"><c r=\"A3\" t=\"str\"><f>B3</f><v></v></c><c r=\"B3\"/></row>";
    let (text, made) = made(book(&[("People", "visible", cells)]), None);
    assert_eq!(text, "email\n,1\n");
    let expected = "column \"email\" (A): 1 formula without a stored value, read as empty: open the file in a spreadsheet \
                    program and save it; first in A2";
    assert_eq!(made.notes, [expected]);
}

#[test]
fn what_is_no_workbook_is_named_for_what_it_is() {
    let ole = [&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1][..], &[0; 600]].concat();
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let page: Vec<u8> = "\u{feff}<TABLE><tr>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let xml = b"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">";
    for (bytes, said) in [
        (&ole[..], "is an old .xls workbook"),
        (&[&ole[..], &name].concat(), "is protected with a password"),
        (b"\n <!DOCTYPE html>\n<html><table>", "is a web page"),
        (&page, "is a web page"),
        (xml, "is an XML spreadsheet of Excel 2003"),
        (b"email,name\na,b\n", "is not an .xlsx workbook"),
        (b"", "is empty"),
        (&zip(&[("content.xml", b"")], None), "is an OpenDocument file (.ods)"),
        (&zip(&[("xl/workbook.bin", b"")], None), "is a binary workbook (.xlsb)"),
        (&zip(&[("a.txt", b"a")], None), "is not a readable .xlsx workbook"),
    ] {
        assert!(refused(bytes, None).contains(said), "{said}");
        assert_eq!(is_xlsx(bytes), bytes.starts_with(b"PK"));
    }
}

#[test]
fn damage_is_refused_wherever_it_is() {
    let whole = one("A1=email A2=a@example.com");
    for end in 0..whole.len() {
        refused(&whole[..end], None);
    }
    for cells in ["A2=b A1=email", "A1=email A1=x", "A1=email XFE1=x", "A1=email A1048577=x"] {
        assert!(refused(&one(cells), None).contains("hr.xlsx: a cell of row"), "{cells}");
    }
    let unknown = "<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\" t=\"b\"><v>Ada</v></c></row>";
    let error = read("hr.xlsx", book(&[("People", "visible", unknown)]), None).unwrap_err();
    assert!(error.to_string().contains("behind cell A1") && !format!("{error:?}").contains("Ada"), "{error:?}");
    assert!(refused(&one("A1=email GAA1=x"), None).contains("beyond column 4096"));
}

#[test]
fn a_zip_bomb_is_refused_before_it_unpacks() {
    let declared = |size| zip(&[("xl/workbook.xml", b"x")], Some(size));
    assert!(refused(&declared(u32::MAX - 1), None).contains("unpacks to more than 2 GiB"));
    assert!(refused(&declared(100 << 20), None).contains("200 times its size"));
    assert!(refused(&zip(&[("xl/styles.xml", b"x")], Some(17 << 20)), None).contains("16 MiB of formats"));
    assert!(refused(&zip(&[("xl/workbook.xml", b"<workbook/>")], Some(3)), None).starts_with("hr.xlsx"));
}

#[test]
fn a_number_of_strings_that_would_exhaust_memory_is_refused() {
    for count in ["99999999999999999999999", "4000000000000"] {
        let mut parts = parts(&[("People", "visible", &rows("A1=email"))], "");
        let table = format!("<sst>{}<x uniqueCount = '{count}'/></sst>", " ".repeat((64 << 10) - 20));
        parts[4].1 = table.into_bytes();
        assert!(refused(&packed(&parts), None).contains("more strings than it holds"));
    }
}
