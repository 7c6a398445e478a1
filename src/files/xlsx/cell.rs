//! The text of a cell, as people see it in the sheet.
//!
//! A spreadsheet stores a number and a format. What a person meant is what the sheet shows: whole numbers without a
//! decimal point, dates as dates, a post code with the zeros that its format adds. Where the format says more than that
//! (currencies, spelt-out months) the plain value stands, since a roster is compared and not looked at.

use calamine::{DataRef, ExcelDateTime};

/// Numbers from here on lost digits when they were typed: a spreadsheet keeps 15.
pub(super) const DIGITS_LOST_FROM: f64 = 1e15;
/// From here on even the size of a number is hard to read from its digits.
const EXPONENT_FROM: f64 = 1e21;
/// Below this a fraction would begin with a row of zeros.
const EXPONENT_BELOW: f64 = 1e-9;
/// First serial day behind 9999-12-31, the last that a spreadsheet shows.
const DAYS_MAX: f64 = 2_958_466.0;

/// The text of a cell with its number format (empty if none).
pub(super) fn text(value: &DataRef<'_>, format: &str) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(is_true) => if *is_true { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(n) => number(*n, format),
        DataRef::DateTime(moment) => date(moment),
        DataRef::DateTimeIso(text) => without_midnight(text).to_owned(),
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
    }
}

fn number(n: f64, format: &str) -> String {
    let is_whole = n.fract() == 0.0 && (0.0..DIGITS_LOST_FROM).contains(&n);
    match zeros(format).filter(|_| is_whole) {
        Some(width) => format!("{:0>width$}", n.abs()),
        None => plain(n),
    }
}

/// The width that a format of zeros alone (`00000`) fills numbers up to.
fn zeros(format: &str) -> Option<usize> {
    let positive = format.split(';').next()?;
    (positive.len() > 1 && positive.bytes().all(|b| b == b'0')).then_some(positive.len())
}

/// Digits alone as far as they can be read; of a fraction 15 of them, so that 0.1 + 0.2 is 0.3.
fn plain(n: f64) -> String {
    if n == 0.0 {
        return "0".to_owned();
    }
    let shown: f64 = if n.fract() == 0.0 { n } else { format!("{n:.14e}").parse().unwrap_or(n) };
    let is_plain = !shown.is_finite() || (EXPONENT_BELOW..EXPONENT_FROM).contains(&shown.abs());
    if is_plain { shown.to_string() } else { format!("{shown:E}") }
}

fn date(moment: &ExcelDateTime) -> String {
    let days = moment.as_f64();
    if !(0.0..DAYS_MAX).contains(&days) {
        return plain(days);
    }
    if moment.is_duration() {
        return duration(days);
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    let time = match milli {
        0 => format!("{hour:02}:{minute:02}:{second:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}.{milli:03}"),
    };
    match (days < 1.0, (hour, minute, second, milli) == (0, 0, 0, 0)) {
        (true, _) => time,
        (false, true) => date,
        (false, false) => format!("{date}T{time}"),
    }
}

/// Hours may be more than a day has.
fn duration(days: f64) -> String {
    // In range: below DAYS_MAX days.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let seconds = (days * 86_400.0).round() as u64;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A date that is stored as text has a time of zeros if it has none.
fn without_midnight(text: &str) -> &str {
    match text.split_once('T') {
        Some((date, time)) if time.chars().all(|c| matches!(c, '0' | ':' | '.' | 'Z')) => date,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use calamine::{CellErrorType, ExcelDateTimeType};

    use super::*;

    fn moment(days: f64, kind: ExcelDateTimeType, is_1904: bool) -> String {
        text(&DataRef::DateTime(ExcelDateTime::new(days, kind, is_1904)), "")
    }

    #[test]
    fn a_number_is_shown_as_people_see_it() {
        for (n, format, shown) in [
            (1204.0, "", "1204"),
            (-3.0, "", "-3"),
            (-0.0, "", "0"),
            (0.1 + 0.2, "", "0.3"),
            (1234.5, "#,##0.00", "1234.5"),
            (491_701_234_567.0, "", "491701234567"),
            (999_999_999_999_999.0, "", "999999999999999"),
            (123_456_789_012_345_680.0, "", "123456789012345680"),
            (1e21, "", "1E21"),
            (1.5e-10, "", "1.5E-10"),
            (1234.0, "00000", "01234"),
            (1234.0, "00000;-00000", "01234"),
            (123_456.0, "00000", "123456"),
            (1.5, "00000", "1.5"),
            (-7.0, "000", "-7"),
            (7.0, "0", "7"),
            (-0.0, "000", "000"),
            (f64::INFINITY, "", "inf"),
        ] {
            assert_eq!(text(&DataRef::Float(n), format), shown, "{n} {format}");
        }
    }

    #[test]
    fn a_date_is_iso_in_both_systems_and_has_a_time_only_if_it_has_one() {
        let date = |days, is_1904| moment(days, ExcelDateTimeType::DateTime, is_1904);
        assert_eq!(date(46_350.0, false), "2026-11-24");
        assert_eq!(date(44_888.0, true), "2026-11-24");
        assert_eq!(date(46_350.0 + 17.0 / 24.0, false), "2026-11-24T17:00:00");
        assert_eq!(date(46_350.0 + 1.0 / 86_400.0, false), "2026-11-24T00:00:01");
        assert_eq!(date(0.25, false), "06:00:00");
        assert_eq!(date(-1.0, false), "-1");
        assert_eq!(date(f64::NAN, false), "NaN");
        assert_eq!(date(3e6, true), "3000000");
        assert_eq!(moment(1.5, ExcelDateTimeType::TimeDelta, false), "36:00:00");
        for (stored, shown) in [
            ("2026-11-24T00:00:00", "2026-11-24"),
            ("2026-11-24T00:00:00.000Z", "2026-11-24"),
            ("2026-11-24T08:30:00", "2026-11-24T08:30:00"),
            ("2026-11-24", "2026-11-24"),
        ] {
            assert_eq!(text(&DataRef::DateTimeIso(stored.to_owned()), ""), shown);
        }
    }

    #[test]
    fn truth_and_errors_are_their_words() {
        assert_eq!(text(&DataRef::Bool(true), ""), "TRUE");
        assert_eq!(text(&DataRef::Bool(false), ""), "FALSE");
        assert_eq!(text(&DataRef::Error(CellErrorType::NA), ""), "#N/A");
    }
}
