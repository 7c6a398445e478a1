//! Files that become text first: other encodings, workbooks, a parquet of somebody else's.

use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    ListArray, StringArray, StructArray, TimestampSecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use rosterdiff::error::{Error, Kind};
use rosterdiff::files::{foreign, xlsx};
use rosterdiff::lanes::Effort;
use rosterdiff::roster::encoding::{self, Encoding};
use rosterdiff::roster::{self, Lines, Records, Sheet};
use zip::write::SimpleFileOptions;

use super::engine::{Target, about, kind_of_words, signature};
use super::{scratch, snapshot};

pub const ENCODINGS: Target =
    Target { name: "encodings", seeds: texts, run: decode, mend: |_, _| {}, bytes_max: 2_000, is_foreign: false };
pub const PARQUET: Target = Target {
    name: "parquet",
    seeds: parquets,
    run: read_parquet,
    mend: snapshot::mend,
    bytes_max: 20_000,
    is_foreign: true,
};
pub const WORKBOOK: Target =
    Target { name: "workbook", seeds: books, run: read_book, mend: |_, _| {}, bytes_max: 6_000, is_foreign: true };

fn texts() -> Vec<Vec<u8>> {
    let text = "email,name\r\nk@example.com,Käthe Müller 😀\r\nz@example.com,\"Groß\"\r\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let latin: Vec<u8> = text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let polish = b"email,name\na@example.pl,Lech Wa\xB3\xEAsa\nb@example.pl,\xA3ukasz D\xB9browski\n";
    let dos = b"email,name\na@example.de,J\x94rg M\x81ller\n";
    vec![
        text.as_bytes().to_vec(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        [b"\xFF\xFE", &little[..]].concat(),
        [b"\xFE\xFF", &big[..]].concat(),
        little,
        big,
        latin,
        polish.to_vec(),
        dos.to_vec(),
        b"\xFF\xFE\0\0e\0\0\0".to_vec(),
        b"\x3D\xD8\0\xDE\x3D\xD8".to_vec(),
        Vec::new(),
    ]
}

/// Gives one byte at a time.
struct Dripping<'b>(&'b [u8]);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.len().min(buffer.len()).min(1);
        self.0.read(&mut buffer[..n])
    }
}

fn decode(input: &[u8]) -> u64 {
    let mut outcomes = vec![(encoding::by_first_bytes(input).map_or(9, |(known, _)| known as u8), String::new(), 0)];
    for wanted in Encoding::ALL {
        let (mut text, mut dripped) = (Vec::new(), Vec::new());
        let decoded = encoding::decode("t.csv", wanted, &mut &input[..], &mut text);
        let again = encoding::decode("t.csv", wanted, &mut Dripping(input), &mut dripped);
        let told = |e: &Error| format!("{e} {:?}", e.hint_text());
        match (decoded, again) {
            (Ok(decoded), Ok(_)) => {
                assert_eq!(text, dripped, "it does not matter how bytes come");
                assert_eq!(decoded.n_bytes, input.len() as u64, "every byte is read");
                let text = String::from_utf8(text).expect("what is decoded is UTF-8");
                check_text(decoded.encoding, decoded.has_mark, input, &text);
                let guess = decoded.check_guess("t.csv").map_or_else(|e| kind_of_words(&told(&e)), |()| String::new());
                outcomes.push((decoded.encoding as u8, guess, u8::from(decoded.has_mark)));
            }
            (Err(one), Err(other)) => {
                assert_eq!(told(&one), told(&other), "it does not matter how bytes come");
                outcomes.push((8, kind_of_words(&one.to_string()), 0));
            }
            (one, other) => panic!("it matters how bytes come: {:?}, {:?}", one.err(), other.err()),
        }
    }
    signature((outcomes, about(input.len()) / 2))
}

/// The text as the standard library decodes it.
fn check_text(encoding: Encoding, has_mark: bool, input: &[u8], text: &str) {
    let units = |of: fn([u8; 2]) -> u16| {
        assert!(input.len().is_multiple_of(2), "half of a unit is an error");
        let units = input.chunks_exact(2).map(|pair| of([pair[0], pair[1]])).skip(usize::from(has_mark));
        char::decode_utf16(units).map(|c| c.expect("half of a pair is an error")).collect::<String>()
    };
    match encoding {
        Encoding::Utf8 => assert_eq!(input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input), text.as_bytes()),
        Encoding::Utf16Le => assert_eq!(units(u16::from_le_bytes), text),
        Encoding::Utf16Be => assert_eq!(units(u16::from_be_bytes), text),
        Encoding::Windows1252 => {
            assert_eq!(text.chars().count(), input.len(), "a byte is a character");
            let is_same = |(c, byte): (char, &u8)| matches!(byte, 0x80..=0x9F) || u32::from(c) == u32::from(*byte);
            assert!(text.chars().zip(input).all(is_same), "a byte is its character");
        }
    }
}

fn parquets() -> Vec<Vec<u8>> {
    let dictionary: DictionaryArray<Int32Type> = [Some("Care"), None, Some("Care")].into_iter().collect();
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    let inner = Arc::new(StringArray::from(vec!["a", "b", "c"])) as ArrayRef;
    let nested = StructArray::from(vec![(Arc::new(Field::new("x", DataType::Utf8, true)), inner)]);
    let decimals = Decimal128Array::from(vec![Some(1), None, Some(-250)]).with_precision_and_scale(9, 2);
    let columns: [(&str, ArrayRef); 11] = [
        ("email", Arc::new(StringArray::from(vec![Some("a@example.com"), None, Some("b,\"c\"\n")]))),
        ("team", Arc::new(dictionary)),
        ("raw", Arc::new(BinaryArray::from_vec(vec![b"\xff\x01", b"a", b"b"]))),
        ("seen", Arc::new(TimestampSecondArray::from(vec![Some(0), None, Some(9)]).with_timezone("Europe/Berlin"))),
        ("hired", Arc::new(Date32Array::from(vec![Some(0), Some(365), None]))),
        ("n", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(7)]))),
        ("share", Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(-0.0), None]))),
        ("is_new", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("list", Arc::new(list)),
        ("nested", Arc::new(nested)),
        ("pay", Arc::new(decimals.expect("a decimal"))),
    ];
    let file = |columns: &[(&str, ArrayRef)], codec| {
        let columns = columns.iter().map(|(name, column)| (*name, ArrayRef::clone(column), true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("a batch");
        let properties = WriterProperties::builder().set_compression(codec).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
        writer.write(&batch).expect("rows");
        writer.into_inner().expect("a file")
    };
    let mut seeds: Vec<_> = columns.chunks(2).map(|some| file(some, Compression::UNCOMPRESSED)).collect();
    seeds.push(file(&columns, Compression::UNCOMPRESSED));
    seeds.push(file(&columns[..3], Compression::SNAPPY));
    seeds.push(file(&columns[..3], Compression::LZ4_RAW));
    seeds
}

fn read_parquet(input: &[u8]) -> u64 {
    let effort = Effort { chunk_bytes: 1 << 16, ..Effort::of_threads(1) };
    let read = scratch::measured(|| foreign::read("t.parquet", input.to_vec(), effort));
    outcome_of(read.map(|sheet| (count(&sheet), sheet.header.len())))
}

/// A table that we made can be read, whatever it was made of.
fn count(sheet: &Sheet) -> usize {
    let records = Records::find(sheet.clone()).expect("what we made can be read");
    let width = sheet.columns(&[0]).expect("what we made can be read");
    assert_eq!(records.len(), width[0].len(), "a column has a cell for every record");
    records.len()
}

fn outcome_of(read: Result<(usize, usize), Error>) -> u64 {
    match read {
        Ok((n, width)) => signature((about(n), width)),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert!(matches!(error.kind(), Kind::File | Kind::Usage), "{error}: {cause}");
            signature((error.kind() as u8, kind_of_words(&error.to_string()), kind_of_words(&cause)))
        }
    }
}

/// Stands between the parts of a workbook that is yet to be packed.
const BETWEEN: u8 = 0x1E;
const PARTS: [&str; 5] =
    ["xl/worksheets/s1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"];
const RELS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn books() -> Vec<Vec<u8>> {
    let rows = [
        "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"inlineStr\"><is><t>Name</t></is></c></row>\
         <row r=\"3\"><c r=\"A3\" t=\"str\"><v>a@example.com</v></c><c r=\"B3\" s=\"1\"><v>45000.5</v></c><c r=\"D3\"><f>1+1</f></c></row>",
        "<row><c t=\"s\"><v>1</v></c></row><row><c><v>4.9123456789E15</v></c><c t=\"b\"><v>1</v></c><c t=\"e\"><v>#REF!</v></c></row>",
        "<row r=\"1048576\"><c r=\"XFD1048576\" s=\"2\"><v>7</v></c></row>",
        "",
    ];
    let rest = [
        "<sst uniqueCount=\"2\"><si><t>email, \"work\"</t></si><si><r><t>e</t></r><r><t>mail</t></r></si></sst>"
            .to_owned(),
        "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"00000\"/></numFmts><cellXfs><xf numFmtId=\"0\"/>\
         <xf numFmtId=\"14\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>"
            .to_owned(),
        format!(
            "<workbook xmlns:r=\"{RELS}\"><sheets><sheet name=\"People\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
        ),
        format!(
            "<Relationships><Relationship Id=\"r1\" Type=\"{RELS}/worksheet\" Target=\"worksheets/s1.xml\"/></Relationships>"
        ),
    ];
    let unpacked = rows.map(|rows| {
        let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
        let parts: Vec<&[u8]> = std::iter::once(&sheet).chain(&rest).map(|part| part.as_bytes()).collect();
        parts.join(&BETWEEN)
    });
    let packed = pack(&unpacked[0]);
    unpacked.into_iter().chain([packed, b"PK\x03\x04".to_vec()]).collect()
}

/// A workbook of parts that were mutated: packed anew, since a checksum would give every mutation away.
fn pack(parts: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let root = format!(
        "<Relationships><Relationship Id=\"a\" Type=\"{RELS}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let parts =
        std::iter::once(("_rels/.rels", root.as_bytes())).chain(PARTS.into_iter().zip(parts.split(|b| *b == BETWEEN)));
    for (name, part) in parts {
        zip.start_file(name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored))
            .expect("a part");
        zip.write_all(part).expect("a part");
    }
    zip.finish().expect("a zip").into_inner()
}

fn read_book(input: &[u8]) -> u64 {
    let bytes = if input.starts_with(b"PK") { input.to_vec() } else { pack(input) };
    let read = scratch::measured(|| xlsx::read("t.xlsx", bytes, None));
    let read = read.map(|unrolled| {
        let text = Arc::new(roster::InMemory(unrolled.text));
        assert!(unrolled.lines.is_sorted() && unrolled.lines.first().is_none_or(|first| *first > unrolled.header_line));
        // Two columns of one name are refused here.
        let sheet = roster::open_made("t.xlsx", text, Lines::Rows, Effort::of_threads(1)).ok();
        let n = sheet.as_ref().map_or(0, count);
        assert!(sheet.is_none() || n == unrolled.lines.len(), "each record has its row of the sheet");
        (n, 1_000 * unrolled.notes.len() + sheet.map_or(0, |sheet| sheet.header.len()))
    });
    outcome_of(read)
}
