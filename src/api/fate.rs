//! What became of a call: the class of the outcome *is* the decision.

use std::time::Duration;

use serde::Deserialize;

use crate::api::wire::{Lost, Reply};
use crate::error::{Error, Kind};

/// Longest `Retry-After` we obey. Official clients give up above 180 s too: more means a daily limit, which waiting
/// will not mend, and the journal makes stopping cheap.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(180);

/// Shortest wait after a 429, and longest that is believed, in seconds.
const RETRY_AFTER_S: std::ops::RangeInclusive<u64> = 1..=86_400;

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
            Lost::NotSent(why) | Lost::Untrusted(why) | Lost::Barred(why) => Self::NotSent(why),
            Lost::Unknown(why) => Self::Unknown(why),
        }
    }

    /// Classifies a reply that is not a success.
    pub(super) fn of_reply(reply: &Reply) -> Self {
        match reply.status {
            429 => Self::Throttled(retry_after(reply).unwrap_or(Duration::from_secs(1))),
            401 => Self::Auth(words(reply)),
            403 => Self::Forbidden(words(reply)),
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
                    .hint("run the same command again after that time; what was done is recorded")
            }
            Self::NotSent(why) | Self::Unknown(why) | Self::Malformed(why) => {
                Error::new(Kind::Unreachable, format!("{call}: {why}")).hint("safe to run again")
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

/// `Retry-After` in seconds, or `inin-ratelimit-reset` where it is missing or a date (which needs no clock of ours).
fn retry_after(reply: &Reply) -> Option<Duration> {
    let seconds = |name: &str| reply.header(name).and_then(|v| v.trim().parse::<u64>().ok());
    let said = seconds("retry-after").or_else(|| seconds("inin-ratelimit-reset"));
    said.map(|s| Duration::from_secs(s.clamp(*RETRY_AFTER_S.start(), *RETRY_AFTER_S.end())))
}
