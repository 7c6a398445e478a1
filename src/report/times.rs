//! Time stamps of the journal as seconds, and as people read them.

/// Seconds since 1970 of an RFC 3339 time stamp; none if it is none.
#[must_use]
pub fn seconds(at: &str) -> Option<i64> {
    at.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

/// `2026-11-27 13:54:42` in UTC; a text that is no time stamp as it is.
#[must_use]
pub fn day_and_time(at: &str) -> String {
    seconds(at).map_or_else(|| at.to_owned(), |s| said(s, "%Y-%m-%d %H:%M:%S"))
}

/// `2026-11-27`.
#[must_use]
pub fn date(seconds: i64) -> String {
    said(seconds, "%Y-%m-%d")
}

/// `13:54:42`.
#[must_use]
pub fn clock(seconds: i64) -> String {
    said(seconds, "%H:%M:%S")
}

fn said(seconds: i64, format: &str) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_stamp_is_told_as_people_read_it() {
        assert_eq!(day_and_time("2026-11-27T13:54:42Z"), "2026-11-27 13:54:42");
        assert_eq!(day_and_time("2026-11-27T15:54:42+02:00"), "2026-11-27 13:54:42");
        assert_eq!(day_and_time("never"), "never");
        let at = seconds("2026-02-28T23:59:59Z").unwrap_or_default();
        assert_eq!(
            (date(at + 1), clock(at), clock(at + 1)),
            ("2026-03-01".into(), "23:59:59".into(), "00:00:00".into())
        );
    }
}
