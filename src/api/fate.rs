//! What became of a call: the class of the outcome *is* the decision.

use std::time::Duration;

use serde::Deserialize;

use crate::api::date;
use crate::api::wire::{Lost, Reply};
use crate::error::{Error, Kind};

/// Longest `Retry-After` we obey. Official clients give up above 180 s too: more means a daily limit, which waiting
/// will not mend, and the journal makes stopping cheap.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(180);

/// Shortest wait after a 429, and longest that is believed, in seconds.
const RETRY_AFTER_S: std::ops::RangeInclusive<u64> = 1..=86_400;
/// Wait after a 429 that says nothing: the length of a window.
const RETRY_AFTER_DEFAULT_S: u64 = 60;

/// What the service said when it refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// HTTP status.
    pub status: u16,
    /// Stable code, such as `general.conflict`.
    pub code: Option<String>,
    /// Its message. It may repeat an address: keep it out of logs and errors.
    pub message: Option<String>,
    /// Correlation id, for a support case.
    pub correlation_id: Option<String>,
}

/// Why there is no good reply, by what may be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Not processed: too many calls. Wait that long.
    Throttled(Duration),
    /// Not processed: the request never left.
    NotSent(String),
    /// Not processed, and trying again is in vain: the host's certificate is not trusted.
    Untrusted(String),
    /// Not processed, and trying again is in vain: the proxy refuses the credentials in front of it, or the token has a
    /// character that no header can hold.
    Barred(String),
    /// It may have happened: look, do not resend.
    Unknown(String),
    /// A success whose body cannot be read. It may well have happened: look, do not resend.
    Malformed(String),
    /// Not processed: the token is not accepted (401).
    Auth(Words),
    /// Not processed: a permission is missing (403).
    Forbidden(Words),
    /// The service said no.
    Refused(Words),
}

impl Fate {
    pub(super) fn of_loss(lost: Lost) -> Self {
        match lost {
            Lost::NotSent(why) => Self::NotSent(why),
            Lost::Untrusted(why) => Self::Untrusted(why),
            Lost::Barred(why) => Self::Barred(why),
            Lost::Unknown(why) => Self::Unknown(why),
        }
    }

    /// Classifies a reply that is not a success.
    pub(super) fn of_reply(reply: &Reply) -> Self {
        match reply.status {
            429 => Self::Throttled(retry_after(reply)),
            401 => Self::Auth(words(reply)),
            403 => Self::Forbidden(words(reply)),
            407 => Self::Barred("the proxy wants other credentials (HTTP 407)".to_owned()),
            // A proxy in front answers 408 and 5xx too, so they say nothing about what the service did.
            408 | 500..=599 | 100..=199 => Self::Unknown(format!("HTTP {}", reply.status)),
            _ => Self::Refused(words(reply)),
        }
    }

    /// The error of a call that cannot be tried again.
    pub(crate) fn into_error(self, call: &str) -> Error {
        let said = |words: &Words| {
            let code = words.code.as_deref().unwrap_or("no code");
            let id = words.correlation_id.as_deref().unwrap_or("none");
            format!("{call}: HTTP {} ({code}), correlation id {id}", words.status)
        };
        match self {
            Self::Throttled(after) => {
                let what = format!("{call}: throttled beyond patience; the service asks to wait {} s", after.as_secs());
                Error::new(Kind::Unreachable, what)
                    .after(after)
                    .hint("run the same command again after that time; what was done is recorded")
            }
            Self::Untrusted(why) => untrusted(call, &why),
            Self::Barred(why) => barred(call, &why),
            Self::NotSent(why) | Self::Unknown(why) | Self::Malformed(why) => {
                Error::new(Kind::Unreachable, format!("{call}: {why}"))
                    .hint("safe to run again; if it comes again, check the network, the region and any proxy")
            }
            Self::Auth(words) => Error::new(Kind::Credentials, said(&words))
                .hint("check that client id, secret and region belong together and that the OAuth client is enabled"),
            Self::Forbidden(words) => Error::new(Kind::Credentials, said(&words))
                .hint("the OAuth client's role needs directory:user:view, and directory:user:add for apply"),
            Self::Refused(words) => Error::new(Kind::Unreachable, said(&words))
                .hint("the call itself was refused; report it if it stays so"),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorBody {
    message: Option<String>,
    code: Option<String>,
    #[serde(rename = "contextId")]
    context_id: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

/// The service's words: `ErrorBody`, or the form of `/oauth/token`, or nothing that can be read.
pub(super) fn words(reply: &Reply) -> Words {
    let body: ErrorBody = serde_json::from_slice(&reply.body).unwrap_or_default();
    let correlation_id = reply.header("inin-correlation-id").map(str::to_owned).or(body.context_id);
    Words {
        status: reply.status,
        code: body.code.or(body.error).filter(|code| is_code(code)),
        message: body.message.or(body.description),
        correlation_id: correlation_id.filter(|id| is_code(id)),
    }
}

/// Codes and ids go into logs and errors: what could be an address, a name or a page of HTML is none.
fn is_code(text: &str) -> bool {
    (1..=80).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
}

/// A read that was sent elsewhere. Where to is not told: the address may hold anything.
pub(super) fn redirected(call: &str, status: u16) -> Error {
    Error::new(Kind::Unsafe, format!("{call}: answered with a redirect (HTTP {status}); none is followed"))
        .hint("check the region, --api-url and --login-url; the login page of a network answers like this, too")
}

/// A host that cannot prove who it is.
pub(super) fn untrusted(call: &str, why: &str) -> Error {
    Error::new(Kind::Unreachable, format!("{call}: {why}; nothing was sent")).hint(
        "if your network inspects TLS, name its certificate authority with --ca-file FILE; the check cannot be skipped",
    )
}

/// A call that cannot leave with the credentials it has.
pub(super) fn barred(call: &str, why: &str) -> Error {
    Error::new(Kind::Credentials, format!("{call}: {why}; nothing was sent"))
        .hint("check the access token, and the user and password in HTTPS_PROXY")
}

pub(super) const fn is_redirect(status: u16) -> bool {
    matches!(status, 300..=399)
}

/// How long a 429 asks to wait: `Retry-After` in seconds, or as a date, seen from the reply's own `Date` (which needs no
/// clock of ours); else until `inin-ratelimit-reset`; else a minute.
pub(super) fn retry_after(reply: &Reply) -> Duration {
    let seconds = |text: &str| match text.trim().parse::<u64>() {
        Ok(seconds) => Some(seconds),
        // More than any number can hold is still a number.
        Err(e) => (*e.kind() == std::num::IntErrorKind::PosOverflow).then_some(u64::MAX),
    };
    let until = |text: &str| {
        let (until, from) = (date::seconds(text)?, date::seconds(reply.header("date")?)?);
        Some(until.saturating_sub(from))
    };
    let said = reply.header("retry-after").and_then(|text| seconds(text).or_else(|| until(text)));
    let said = said.or_else(|| reply.header("inin-ratelimit-reset").and_then(seconds));
    Duration::from_secs(said.unwrap_or(RETRY_AFTER_DEFAULT_S).clamp(*RETRY_AFTER_S.start(), *RETRY_AFTER_S.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(headers: &[(&str, &str)]) -> u64 {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        retry_after(&Reply { status: 429, headers, body: Vec::new() }).as_secs()
    }

    #[test]
    fn a_429_says_how_long_to_wait_in_seconds_as_a_date_or_not_at_all() {
        let (date, later) = (("date", "Sun, 28 Feb 2027 23:59:30 GMT"), "Mon, 01 Mar 2027 00:00:15 GMT");
        for (retry_after, wait_s) in [
            ("7", 7),
            (" 181 ", 181),
            ("0", 1),
            (later, 45),
            ("Sun, 28 Feb 2027 23:59:00 GMT", 1),
            ("99999999999999999999999", 86_400),
            ("-3", 33),
            ("soon", 33),
            ("", 33),
            ("Sun, 31 Feb 2027 23:59:00 GMT", 33),
        ] {
            assert_eq!(asked(&[date, ("retry-after", retry_after), ("inin-ratelimit-reset", "33")]), wait_s);
        }
        // Without the reply's own date a date says nothing.
        assert_eq!(asked(&[("retry-after", later), ("inin-ratelimit-reset", "33")]), 33);
        assert_eq!(asked(&[("retry-after", later)]), 60);
        assert_eq!((asked(&[("inin-ratelimit-reset", "x")]), asked(&[])), (60, 60));
    }

    #[test]
    fn what_proves_that_trying_again_is_in_vain_keeps_its_own_error() {
        let kinds =
            [Lost::Untrusted("why".to_owned()), Lost::Barred("why".to_owned()), Lost::NotSent("why".to_owned())]
                .map(|lost| Fate::of_loss(lost).into_error("GET users").kind());
        assert_eq!(kinds, [Kind::Unreachable, Kind::Credentials, Kind::Unreachable]);
        let proxy = Reply { status: 407, headers: Vec::new(), body: Vec::new() };
        assert!(matches!(Fate::of_reply(&proxy), Fate::Barred(_)));
    }

    #[test]
    fn beyond_patience_the_error_says_when_to_come_back() {
        let wait = Duration::from_secs(3_600);
        assert_eq!(Fate::Throttled(wait).into_error("POST users").wait(), Some(wait));
        assert_eq!(Fate::NotSent("why".to_owned()).into_error("POST users").wait(), None);
    }
}
