//! What can befall a call between a client and the service: one list, for scenarios and for the stories of the tests.

use serde::Deserialize;

use super::answer::{header, page_of_html};
use crate::api::wire::Reply;

/// What can befall one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The connection is refused. Not for a scenario: who listens cannot refuse.
    NotSent,
    /// Lost on the way there.
    LostBefore,
    /// Carried out, and the reply is lost.
    LostAfter,
    /// The client has given up, and it is carried out all the same. Not for a scenario: a client gives up by itself.
    Late,
    /// A 5xx or 408 instead of the deed.
    ErrorBefore,
    /// A 5xx or 408 after the deed.
    ErrorAfter,
    /// Carried out, and the reply is a page of something else.
    Garbage,
    /// 429, with a time to wait or without one.
    Throttled,
    /// Slow, within the client's patience.
    Slow,
    /// All tokens are revoked just before.
    Revoked,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::NotSent,
        Self::LostBefore,
        Self::LostAfter,
        Self::Late,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::Garbage,
        Self::Throttled,
        Self::Slow,
        Self::Revoked,
    ];

    /// Its name in a scenario and in a record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::LostBefore => "lost_before",
            Self::LostAfter => "lost_after",
            Self::Late => "late",
            Self::ErrorBefore => "error_before",
            Self::ErrorAfter => "error_after",
            Self::Garbage => "garbage",
            Self::Throttled => "throttled",
            Self::Slow => "slow",
            Self::Revoked => "revoked",
        }
    }

    /// The reply that comes instead of the deed, if one does. `draw` is asked for a status, or for seconds to wait.
    pub fn instead(self, draw: impl FnOnce() -> Drawn) -> Option<Reply> {
        match self {
            Self::ErrorBefore => Some(Reply { status: draw().status, headers: Vec::new(), body: b"<html>".to_vec() }),
            // The body of before 2021.
            Self::Throttled => {
                let wait = draw().wait_s.map(|seconds| header("retry-after", &seconds.to_string()));
                let body = br#"{"code":"too.many.requests","status":429}"#.to_vec();
                Some(Reply { status: 429, headers: wait.into_iter().collect(), body })
            }
            _ => None,
        }
    }

    /// What is left of the reply to a deed; nothing if it is lost.
    pub fn spoil(self, reply: Reply, draw: impl FnOnce() -> Drawn) -> Option<Reply> {
        match self {
            Self::LostBefore | Self::LostAfter => None,
            Self::ErrorAfter => Some(Reply { status: draw().status, ..reply }),
            Self::Garbage => Some(page_of_html(Reply { status: 200, ..reply })),
            _ => Some(reply),
        }
    }
}

/// What chance adds to a fault.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    /// Status of an error.
    pub status: u16,
    /// Seconds that a 429 asks to wait, if it says so.
    pub wait_s: Option<u64>,
}
