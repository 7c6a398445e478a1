//! Numbers as people write them, and what is said of those that are none.

/// A whole number from `least` to `most`; the greatest `most` is no bound but that of `T`.
pub(super) fn whole<T: TryFrom<u64>>(least: u64, most: u32) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.trim().replace('_', "").parse::<u64>().ok();
        let number = number
            .filter(|n| *n >= least && (most == u32::MAX || *n <= u64::from(most)))
            .and_then(|n| T::try_from(n).ok());
        number.ok_or_else(|| match most {
            u32::MAX => format!("write a whole number, {least} or more"),
            most => format!("write a whole number from {least} to {most}"),
        })
    }
}

/// Seconds, parts of them too.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.trim().parse::<f64>().ok().filter(|s| s.is_finite() && *s >= 0.0);
    seconds.ok_or_else(|| "write seconds as a number, such as 2 or 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_none_or_out_of_bounds_is_told_in_words() {
        assert_eq!(whole::<u8>(1, 50)(" 50 "), Ok(50));
        assert_eq!(whole::<u32>(0, u32::MAX)("40_000"), Ok(40_000));
        for text in ["0", "51", "x", "", "-1", "1.5", "99999999999999999999"] {
            assert_eq!(whole::<u8>(1, 50)(text), Err("write a whole number from 1 to 50".to_owned()), "{text}");
        }
        assert_eq!(whole::<u32>(1, u32::MAX)("0"), Err("write a whole number, 1 or more".to_owned()));
        assert!(whole::<u8>(1, u32::MAX)("300").is_err() && seconds("inf").is_err() && seconds("-1").is_err());
    }
}
