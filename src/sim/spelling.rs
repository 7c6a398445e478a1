//! How lengths of time and limits are written in a scenario.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};

/// A length of time, in seconds.
pub(super) fn seconds<'de, D: Deserializer<'de>>(source: D) -> Result<Duration, D::Error> {
    length(f64::deserialize(source)?)
}

/// A length of time, in seconds, or `"none"`.
pub(super) fn seconds_or_none<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Duration>, D::Error> {
    limit(source)?.map(length).transpose()
}

/// A number, or `"none"`.
pub(super) fn limit<'de, D: Deserializer<'de>, T: Deserialize<'de>>(source: D) -> Result<Option<T>, D::Error> {
    Ok(match Limit::deserialize(source)? {
        Limit::Some(number) => Some(number),
        Limit::None(Word::None) => None,
    })
}

fn length<E: Error>(seconds: f64) -> Result<Duration, E> {
    Duration::try_from_secs_f64(seconds).map_err(|_| E::custom(format!("{seconds} is not a length of time in seconds")))
}

#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "neither a whole number within reason nor \"none\"")]
enum Limit<T> {
    Some(T),
    None(Word),
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    None,
}
