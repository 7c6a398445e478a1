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
    /// Latest `Date`.
    pub date: Option<String>,
    window: Option<Window>,
    /// Most foreign calls of a window that is over.
    foreign: u32,
}

/// Counts of one window, in whatever order replies came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    first: u32,
    most: u32,
    own: u32,
}

impl Window {
    /// Calls that were counted beside those of this client.
    const fn foreign(self) -> u32 {
        (self.most - self.first + 1).saturating_sub(self.own)
    }
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
        self.window = match self.window {
            Some(w) if count > w.first => Some(Window { most: w.most.max(count), own: w.own + 1, ..w }),
            // The same count again, or a lower one: the next window.
            over => {
                self.foreign = self.foreign.max(over.map_or(0, Window::foreign));
                Some(Window { first: count, most: count, own: 1 })
            }
        };
    }

    /// Calls that the service counted in a window beyond those of this client, which has none in flight now: somebody
    /// else uses the token.
    #[must_use]
    pub fn foreign(&self) -> u32 {
        self.foreign.max(self.window.map_or(0, Window::foreign))
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
        // Replies overtake each other; that is nobody's doing.
        for (count, reset_s) in [(7, 31), (9, 30), (8, 30), (1, 61), (2, 60)] {
            seen.note(&reply(count, reset_s));
        }
        assert_eq!((seen.foreign(), seen.with_rate, seen.allowed, seen.window_s), (0, 5, Some(180), Some(61)));
        seen.note(&reply(6, 58));
        assert_eq!(seen.foreign(), 3);
        seen.note(&Reply { status: 200, headers: Vec::new(), body: Vec::new() });
        assert_eq!((seen.replies, seen.with_rate), (7, 6));
    }
}
