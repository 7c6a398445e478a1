//! Numbers and lengths of time as people read them: `12,345`, `2 h 14 min`.

use std::fmt;

/// A number for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.char_indices() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A number of things: `1 row goes`, `1,234 rows go`.
#[must_use]
pub fn counted(n: u64, one: &str, several: &str) -> String {
    format!("{} {}", Number(n), if n == 1 { one } else { several })
}

/// Seconds for people: `2 h 14 min`, `3 min 20 s`, `45 s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting(pub u64);

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, rest) = (self.0 / 3_600, self.0 / 60 % 60, self.0 % 60);
        match (hours, minutes, rest) {
            (0, 0, s) => write!(f, "{s} s"),
            (0, m, 0) => write!(f, "{m} min"),
            (0, m, s) => write!(f, "{m} min {s} s"),
            (h, 0, _) => write!(f, "{} h", Number(h)),
            (h, m, _) => write!(f, "{} h {m} min", Number(h)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_told_from_several() {
        assert_eq!([0, 1, 1_234].map(|n| counted(n, "row", "rows")), ["0 rows", "1 row", "1,234 rows"]);
    }

    #[test]
    fn lengths_of_time_are_told_as_people_say_them() {
        for (seconds, text) in
            [(0, "0 s"), (45, "45 s"), (60, "1 min"), (200, "3 min 20 s"), (3_600, "1 h"), (8_040, "2 h 14 min")]
        {
            assert_eq!(Lasting(seconds).to_string(), text);
        }
    }
}
