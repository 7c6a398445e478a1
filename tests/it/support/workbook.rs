//! A workbook of stored parts, as small as one can be.

const RELS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn crc32(bytes: &[u8]) -> u32 {
    let one = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0xEDB8_8320 * (c & 1)));
    !bytes.iter().fold(!0, one)
}

/// A zip whose parts are stored.
fn zip(parts: &[(String, String)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in parts {
        let at = u32::try_from(file.len()).unwrap().to_le_bytes();
        let size = u32::try_from(text.len()).unwrap().to_le_bytes();
        let name_len = [u8::try_from(name.len()).unwrap(), 0, 0, 0];
        let fields =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &crc32(text.as_bytes()).to_le_bytes(), &size, &size, &name_len]
                .concat();
        file.extend([&b"PK\x03\x04"[..], &fields, name.as_bytes(), text.as_bytes()].concat());
        directory.extend([&b"PK\x01\x02\x14\0"[..], &fields, &[0; 10], &at, name.as_bytes()].concat());
    }
    let n = u16::try_from(parts.len()).unwrap().to_le_bytes();
    let sizes = [directory.len(), file.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes());
    [&file, &directory, &b"PK\x05\x06\0\0\0\0"[..], &n, &n, &sizes.concat(), &[0, 0]].concat()
}

/// A row by its number, and its cells.
pub type Row<'r> = (u32, &'r [&'r str]);

/// Sheets by name, each with its rows; an empty cell is no cell, and what is all digits is a number.
pub fn workbook(sheets: &[(&str, &[Row<'_>])]) -> Vec<u8> {
    let (mut names, mut targets, mut parts) = (String::new(), String::new(), Vec::new());
    for (n, (name, rows)) in (1..).zip(sheets) {
        names += &format!("<sheet name=\"{name}\" sheetId=\"{n}\" r:id=\"r{n}\"/>");
        targets += &format!("<Relationship Id=\"r{n}\" Type=\"{RELS}/worksheet\" Target=\"worksheets/s{n}.xml\"/>");
        let rows: String =
            rows.iter().map(|(row, cells)| format!("<row r=\"{row}\">{}</row>", xml(*row, cells))).collect();
        let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
        parts.push((format!("xl/worksheets/s{n}.xml"), sheet));
    }
    let office = format!("<Relationship Id=\"a\" Type=\"{RELS}/officeDocument\" Target=\"xl/workbook.xml\"/>");
    for (name, text) in [
        ("_rels/.rels", format!("<Relationships>{office}</Relationships>")),
        ("xl/workbook.xml", format!("<workbook xmlns:r=\"{RELS}\"><sheets>{names}</sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels", format!("<Relationships>{targets}</Relationships>")),
    ] {
        parts.push((name.to_owned(), text));
    }
    zip(&parts)
}

fn xml(row: u32, cells: &[&str]) -> String {
    let cell = |(column, text): (u8, &&str)| {
        let place = format!("{}{row}", char::from(column));
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return format!("<c r=\"{place}\"><v>{text}</v></c>");
        }
        format!("<c r=\"{place}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>")
    };
    (b'A'..).zip(cells).filter(|(_, text)| !text.is_empty()).map(cell).collect()
}
