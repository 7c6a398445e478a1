//! What is around the organisation while a client works: strangers, and a network that fails.
//!
//! Pure as the rest: strangers act at a steady pace counted from the first call, whenever the next call makes it known;
//! everything else is drawn from the seed. After a long silence they catch up with so many deeds and no more.

use std::time::Duration;

use serde::Deserialize;

use super::chance::Chance;
use super::fault::{Drawn, Fault};
use super::org::{Org, method_name};
use super::settings::check_lengths;
use super::spelling;
use super::user::{Origin, State};
use crate::api::wire::{Method, Reply, Request};

/// Most that a stranger may do in a minute.
const PER_MINUTE_MAX: f64 = 60_000.0;
/// Least, if he does anything: once a day.
const PER_MINUTE_MIN: f64 = 1.0 / 1_440.0;
/// Most deeds that one call makes known: whoever calls after a night would else wait for all of it.
const CATCH_UP_MAX: usize = 10_000;

/// What somebody else does meanwhile. Whomever a client of ours has created is left alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Strangers {
    /// Calls a minute with the client's newest token.
    pub calls_per_minute: f64,
    /// Users created a minute: invented people, nobody whom a roster wants.
    pub creates_per_minute: f64,
    /// Users deleted a minute, or restored if all are deleted.
    pub deletes_per_minute: f64,
    /// Users a minute who are made inactive, or active again.
    pub changes_per_minute: f64,
    /// Share of the creates before which a stranger creates that very user.
    pub takes: f64,
    /// Share of the creates before which a stranger creates that very user and deletes him again.
    pub takes_and_deletes: f64,
}

/// Shares of the calls that meet a fault; none meets two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Lost on the way there.
    pub lost_before: f64,
    /// Carried out, and the reply is lost.
    pub lost_after: f64,
    /// 500, 502, 503 or 504 instead of the deed.
    pub error_before: f64,
    /// The same after the deed.
    pub error_after: f64,
    /// Carried out, and the reply is a page of HTML with status 200.
    pub garbage: f64,
    /// 429 for nothing that was done, in the body of before 2021, half of the time without `Retry-After`.
    pub throttled: f64,
    /// Answered late.
    pub slow: f64,
    /// How late that is.
    #[serde(deserialize_with = "spelling::seconds")]
    pub slow_for: Duration,
    /// All tokens are revoked just before.
    pub revoked: f64,
}

impl Strangers {
    /// What cannot be meant.
    pub(super) fn check(&self) -> Result<(), String> {
        let paces = [
            ("calls_per_minute", self.calls_per_minute),
            ("creates_per_minute", self.creates_per_minute),
            ("deletes_per_minute", self.deletes_per_minute),
            ("changes_per_minute", self.changes_per_minute),
        ];
        let is_odd = |pace: f64| pace != 0.0 && !(PER_MINUTE_MIN..=PER_MINUTE_MAX).contains(&pace);
        if let Some((name, _)) = paces.iter().find(|(_, pace)| is_odd(*pace)) {
            return Err(format!("strangers.{name} is 0, or from once a day to {PER_MINUTE_MAX} times a minute"));
        }
        check_shares("strangers", &[("takes", self.takes), ("takes_and_deletes", self.takes_and_deletes)])
    }
}

impl Network {
    /// What cannot be meant.
    pub(super) fn check(&self) -> Result<(), String> {
        check_lengths(&[("slow_for", Some(self.slow_for))])?;
        check_shares("network", &self.shares().map(|(fault, share)| (fault.as_str(), share)))
    }

    const fn shares(&self) -> [(Fault, f64); 8] {
        [
            (Fault::LostBefore, self.lost_before),
            (Fault::LostAfter, self.lost_after),
            (Fault::ErrorBefore, self.error_before),
            (Fault::ErrorAfter, self.error_after),
            (Fault::Garbage, self.garbage),
            (Fault::Throttled, self.throttled),
            (Fault::Slow, self.slow),
            (Fault::Revoked, self.revoked),
        ]
    }
}

fn check_shares(table: &str, shares: &[(&str, f64)]) -> Result<(), String> {
    if let Some((name, share)) = shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
        return Err(format!("{table}.{name} is a share, from 0 to 1, and not {share}"));
    }
    if shares.iter().map(|(_, share)| share).sum::<f64>() > 1.0 {
        return Err(format!("the shares of [{table}] are together not above 1"));
    }
    Ok(())
}

/// What a stranger does at a pace.
#[derive(Clone, Copy)]
enum Deed {
    Call,
    Create,
    Delete,
    Change,
}

/// Time between two deeds at a pace a minute.
fn gap(pace: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(60.0 / pace).ok()
}

/// Strangers and network of one organisation, and how far they have got.
pub(super) struct Outside {
    strangers: Strangers,
    network: Network,
    chance: Chance,
    /// When each deed is due next, once somebody has called.
    due: Option<[Option<Duration>; 4]>,
    n_created: u64,
}

impl Outside {
    pub(super) const fn new(strangers: Strangers, network: Network, seed: u64) -> Self {
        Self { strangers, network, chance: Chance::new(seed, "outside"), due: None, n_created: 0 }
    }

    fn paces(&self) -> [(Deed, f64); 4] {
        let all = &self.strangers;
        [
            (Deed::Call, all.calls_per_minute),
            (Deed::Create, all.creates_per_minute),
            (Deed::Delete, all.deletes_per_minute),
            (Deed::Change, all.changes_per_minute),
        ]
    }

    /// The deed that is due first, and when, if that is not after `now`.
    fn next(&mut self, now: Duration) -> Option<(Deed, Duration)> {
        let paces = self.paces();
        let due = self.due.get_or_insert_with(|| paces.map(|(_, pace)| gap(pace).map(|gap| now + gap)));
        let (at, when) =
            (0..).zip(due.iter()).filter_map(|(at, when)| Some((at, (*when)?))).min_by_key(|(_, when)| *when)?;
        if when > now {
            return None;
        }
        let (deed, pace): (Deed, f64) = paces[at];
        due[at] = gap(pace).map(|gap| when + gap);
        Some((deed, when))
    }

    /// Leaves undone what is still due: the next of each is a gap from `now`.
    fn skip(&mut self, now: Duration) {
        let paces = self.paces();
        for (when, (_, pace)) in self.due.iter_mut().flatten().zip(paces) {
            *when = when.and_then(|when| if when > now { Some(when) } else { gap(pace).map(|gap| now + gap) });
        }
    }

    fn fault(&mut self) -> Option<Fault> {
        let mut drawn = self.chance.share();
        self.network.shares().into_iter().find_map(|(fault, share)| {
            drawn -= share;
            (drawn < 0.0).then_some(fault)
        })
    }

    fn drawn(&mut self) -> Drawn {
        let status = [500, 502, 503, 504][self.chance.below(4)];
        let wait_s = [None, Some(1 + self.chance.below(5) as u64)][self.chance.below(2)];
        Drawn { status, wait_s }
    }
}

/// What comes of one request on its way there and back.
pub struct Exchanged {
    /// The reply, if one gets through.
    pub reply: Option<Reply>,
    /// How late it is, beside the latency of the settings.
    pub late: Duration,
}

impl Org {
    /// Lets strangers and a network that fails be around this organisation from now on; they show in
    /// [`Org::exchange`] alone.
    ///
    /// # Errors
    /// Says which share or pace cannot be meant.
    pub fn beset(&mut self, strangers: Strangers, network: Network) -> Result<(), String> {
        strangers.check()?;
        network.check()?;
        self.outside = Some(Outside::new(strangers, network, self.settings.seed));
        Ok(())
    }

    /// One request at `now` with all that is around: what strangers did until then, the fault it may meet, its reply.
    pub fn exchange(&mut self, request: &Request, now: Duration) -> Exchanged {
        let Some(mut outside) = self.outside.take() else {
            return Exchanged { reply: Some(self.reply(request, now)), late: Duration::ZERO };
        };
        for _ in 0..CATCH_UP_MAX {
            let Some((deed, when)) = outside.next(now) else { break };
            self.stranger_acts(deed, when, &mut outside);
        }
        outside.skip(now);
        self.stranger_takes(request, now, &mut outside);
        let fault = outside.fault();
        let exchanged = self.meet(fault, request, now, &mut outside);
        self.outside = Some(outside);
        exchanged
    }

    fn meet(&mut self, fault: Option<Fault>, request: &Request, now: Duration, outside: &mut Outside) -> Exchanged {
        let Some(fault) = fault else {
            return Exchanged { reply: Some(self.reply(request, now)), late: Duration::ZERO };
        };
        if fault == Fault::Revoked {
            self.revoke_tokens();
        }
        let reply = match fault.instead(|| outside.drawn()) {
            Some(reply) => Some(reply),
            None if fault == Fault::LostBefore => None,
            None => fault.spoil(self.respond(request, now), || outside.drawn()),
        };
        self.tell(method_name(request.method), request, reply.as_ref(), Some(fault), now);
        let late = if fault == Fault::Slow { outside.network.slow_for } else { Duration::ZERO };
        Exchanged { reply, late }
    }

    fn stranger_acts(&mut self, deed: Deed, when: Duration, outside: &mut Outside) {
        match deed {
            Deed::Call => {
                let Self { tokens, settings, .. } = self;
                tokens.count_stranger(when, settings);
            }
            Deed::Create => {
                outside.n_created += 1;
                let email = format!("stranger{}@elsewhere.example", outside.n_created);
                self.stranger_creates(&email, State::Active, when);
            }
            Deed::Delete => {
                let Some((email, state)) = self.somebody(outside) else { return };
                let other = if state == State::Deleted { State::Active } else { State::Deleted };
                self.stranger_sets_state(&email, other, when);
            }
            Deed::Change => {
                let Some((email, state)) = self.somebody(outside) else { return };
                let other = if state == State::Active { State::Inactive } else { State::Active };
                if state != State::Deleted {
                    self.stranger_sets_state(&email, other, when);
                }
            }
        }
    }

    /// Anybody whom no client of ours has created.
    fn somebody(&self, outside: &mut Outside) -> Option<(String, State)> {
        let all = self.store.all();
        let first = outside.chance.below(all.len());
        let from_there = all[first..].iter().chain(&all[..first]);
        let mut theirs =
            from_there.filter(|user| !matches!(user.created_by, Origin::Token(_)) && !user.email.is_empty());
        theirs.next().map(|user| (user.email.clone(), user.state))
    }

    fn stranger_takes(&mut self, request: &Request, now: Duration, outside: &mut Outside) {
        if request.method != Method::Post || request.path != "/api/v2/users" {
            return;
        }
        let Strangers { takes, takes_and_deletes, .. } = outside.strangers;
        let drawn = outside.chance.share();
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let Some(email) = body["email"].as_str().filter(|_| drawn < takes + takes_and_deletes) else { return };
        let state = if drawn < takes { State::Active } else { State::Deleted };
        self.stranger_creates(email, state, now);
    }
}
