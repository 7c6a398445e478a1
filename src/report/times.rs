//! Time stamps of the journal as seconds, and seconds as people read them.

/// Seconds since 1970 of an RFC 3339 time stamp; none if it is none.
#[must_use]
pub fn seconds(at: &str) -> Option<i64> {
    at.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

/// `2026-11-27 13:54:42` in UTC; a text that is no time stamp as it is.
#[must_use]
pub fn day_and_time(at: &str) -> String {
    seconds(at).map_or_else(|| at.to_owned(), |s| format!("{} {}", date(s), clock(s, true)))
}

/// `2026-11-27`.
#[must_use]
pub fn date(seconds: i64) -> String {
    said(seconds).split('T').next().unwrap_or_default().to_owned()
}

/// `13:54`, or with seconds `13:54:42`.
#[must_use]
pub fn clock(seconds: i64, with_seconds: bool) -> String {
    let said = said(seconds);
    let time = said.split('T').nth(1).unwrap_or_default();
    time.get(..if with_seconds { 8 } else { 5 }).unwrap_or(time).to_owned()
}

fn said(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.to_string())
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
            (date(at + 1), clock(at, false), clock(at + 1, true)),
            ("2026-03-01".into(), "23:59".into(), "00:00:00".into())
        );
    }
}
