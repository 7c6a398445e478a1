//! What replies say beside their bodies, for a person who wants to know what a run will meet.

use crate::api::pace::Limits;
use crate::api::wire::Reply;

/// Headers of all replies so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Replies.
    pub replies: u64,
    /// Replies that carried all three `inin-ratelimit-*` headers.
    pub with_rate: u64,
    /// Latest `inin-ratelimit-allowed`: calls in a window.
    pub allowed: Option<u32>,
    /// Largest `inin-ratelimit-reset` of a window's first call, in seconds: the length of a window, or one more.
    pub window_s: Option<u32>,
    /// Calls that the service counted in a window beyond those of this client: somebody else uses the token.
    pub foreign: u32,
    /// Latest `Date`.
    pub date: Option<String>,
    window: Option<(u32, u32)>,
}

impl Seen {
    pub(super) fn note(&mut self, reply: &Reply) {
        self.replies += 1;
        self.date = reply.header("date").map(str::to_owned).or(self.date.take());
        let Limits { allowed: Some(allowed), count: Some(count), reset_s: Some(reset_s) } = Limits::of(reply) else {
            return;
        };
        self.with_rate += 1;
        self.allowed = Some(allowed);
        if count == 1 {
            self.window_s = self.window_s.max(Some(reset_s));
        }
        // Counts rise by one with every own call; a lower one is of the next window.
        self.window = match self.window {
            Some((first, own)) if count > first => {
                let own = own + 1;
                self.foreign = self.foreign.max((count - first + 1).saturating_sub(own));
                Some((first, own))
            }
            _ => Some((count, 1)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(count: u32, reset_s: u32) -> Reply {
        let headers = [("allowed", 180), ("count", count), ("reset", reset_s)];
        let headers = headers.map(|(name, value)| (format!("inin-ratelimit-{name}"), value.to_string()));
        Reply { status: 200, headers: headers.into(), body: Vec::new() }
    }

    #[test]
    fn strangers_are_seen_by_what_they_add_to_the_count() {
        let mut seen = Seen::default();
        for (count, reset_s) in [(7, 31), (8, 30), (9, 30), (1, 61), (2, 60)] {
            seen.note(&reply(count, reset_s));
        }
        assert_eq!((seen.foreign, seen.with_rate, seen.allowed, seen.window_s), (0, 5, Some(180), Some(61)));
        seen.note(&reply(6, 58));
        assert_eq!(seen.foreign, 3);
        seen.note(&Reply { status: 200, headers: Vec::new(), body: Vec::new() });
        assert_eq!((seen.replies, seen.with_rate), (7, 6));
    }
}
