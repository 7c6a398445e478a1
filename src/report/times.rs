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

/// `2 h 14 min`, `4 min 5 s`, `9 s`.
#[must_use]
pub fn span(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, 0) => format!("{m} min"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
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
        let spans =
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (245, "4 min 5 s"), (8040, "2 h 14 min"), (90_000, "1 d 1 h")];
        spans.into_iter().for_each(|(s, told)| assert_eq!(span(s), told));
    }
}
