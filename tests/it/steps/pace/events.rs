//! The ledger alone against a service that only counts: a day of calls in a second. Between the two lies a line with
//! its own moods, and beside us there may be a stranger on the same token.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use rosterdiff::api::pace::{Haste, Limits, Pace, Slot};

use crate::splitmix::SplitMix64;

/// How the service cuts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// The first call after a window's end opens the next one.
    Anchored,
    /// By the clock.
    Aligned,
    /// At any time the last minute counts.
    Sliding,
}

/// How long a call is on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Line {
    /// Half of it there, half back.
    Fixed(f64),
    /// About 0.05 s there, lognormal around 0.3 s at the service, 0.05 s back.
    Typical,
    /// The same, and every 97 s everything that is sent waits for 4 s and arrives together.
    Stalls,
    /// The same, and one call in a hundred is held up for up to 2 s on its way and 5 s at the service.
    Spikes,
}

#[derive(Clone, Copy, Debug)]
pub struct World {
    pub windows: Windows,
    pub line: Line,
    pub plus_one: bool,
    /// Seconds are rounded down.
    pub down: bool,
    pub headers: bool,
    /// Calls a second of somebody else.
    pub foreign_per_s: f64,
    /// Nothing runs between these two instants: the machine sleeps.
    pub asleep: (f64, f64),
    /// What the service allows at a time.
    pub allowed: fn(f64) -> u32,
}

impl Default for World {
    fn default() -> Self {
        Self {
            windows: Windows::Anchored,
            line: Line::Typical,
            plus_one: false,
            down: false,
            headers: true,
            foreign_per_s: 0.0,
            asleep: (f64::MAX, f64::MAX),
            allowed: |_| 300,
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub own: u64,
    pub foreign: u64,
    pub throttled: u64,
    pub wakes: u64,
    pub seconds: f64,
    /// Most calls that left within one second.
    pub burst: usize,
    /// When a call was turned away.
    pub turned_away: Vec<f64>,
}

impl Told {
    /// Part of what a token may do in that time that was done by anybody.
    pub fn used(&self) -> f64 {
        (self.own + self.foreign) as f64 / (self.seconds * 5.0)
    }
}

const WINDOW: f64 = 60.0;
const CALLERS: u32 = 64;

/// A stream of numbers that are the same in every run.
#[derive(Debug)]
pub struct Chance(SplitMix64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64(seed))
    }

    /// Above 0 and up to 1.
    fn next(&mut self) -> f64 {
        ((self.0.next() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
    }

    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.next().ln()
    }

    fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        let normal = (-2.0 * self.next().ln()).sqrt() * (std::f64::consts::TAU * self.next()).cos();
        median * (sigma * normal).exp()
    }

    /// There, and from there back.
    pub fn way(&mut self, line: Line, now: f64) -> (f64, f64) {
        let mut hop = || 0.03 + self.exponential(0.02);
        let (there, back) = match line {
            Line::Fixed(seconds) => return (seconds / 2.0, seconds / 2.0),
            Line::Typical | Line::Stalls | Line::Spikes => (hop(), hop()),
        };
        let at_service = self.lognormal(0.3, 0.5);
        match line {
            Line::Stalls if now % 97.0 >= 93.0 => (97.0 - now % 97.0 + 0.03, at_service + back),
            Line::Spikes if self.next() < 0.01 => (there + 2.0 * self.next(), at_service + 5.0 * self.next() + back),
            _ => (there, at_service + back),
        }
    }
}

#[derive(Default)]
struct Service {
    start: Option<f64>,
    count: u32,
    log: VecDeque<f64>,
}

impl Service {
    /// One call: whether it passes, and what the headers say.
    fn call(&mut self, world: &World, now: f64) -> (bool, Limits) {
        let allowed = (world.allowed)(now);
        let start = match world.windows {
            Windows::Anchored => self.start.filter(|start| now < start + WINDOW).unwrap_or(now),
            Windows::Aligned => (now / WINDOW).floor() * WINDOW,
            Windows::Sliding => {
                while self.log.front().is_some_and(|at| at + WINDOW <= now) {
                    self.log.pop_front();
                }
                self.count = self.log.len() as u32;
                self.log.front().copied().unwrap_or(now)
            }
        };
        if world.windows != Windows::Sliding && self.start != Some(start) {
            (self.start, self.count) = (Some(start), 0);
        }
        let passes = self.count < allowed;
        if passes {
            self.count += 1;
            self.log.push_back(now);
        }
        let left = (start + WINDOW - now).max(0.0);
        let left = if world.down { left.floor() } else { left.ceil() };
        let reset_s = left as u32 + u32::from(world.plus_one);
        let limits = Limits { allowed: Some(allowed), count: Some(self.count), reset_s: Some(reset_s) };
        (passes, limits)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Wake(u64),
    Arrives { sent: f64, back: f64 },
    Back { sent: f64, passes: bool, limits: Limits },
    Stranger,
}

/// Events in the order of their times.
#[derive(Default)]
struct Agenda {
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    events: Vec<What>,
}

impl Agenda {
    fn add(&mut self, at: f64, what: What) {
        self.heap.push(Reverse(((at * 1e9) as u64, self.events.len() as u64)));
        self.events.push(what);
    }

    fn next(&mut self) -> Option<(f64, What)> {
        let Reverse((at, n)) = self.heap.pop()?;
        Some((at as f64 / 1e9, self.events[n as usize]))
    }
}

/// Runs until `n_own` calls have passed.
pub fn run(world: &World, pace: &mut Pace, n_own: u64, seed: u64) -> Told {
    let mut told = Told::default();
    let (mut service, mut chance, mut agenda) = (Service::default(), Chance::new(seed), Agenda::default());
    let mut lately: VecDeque<f64> = VecDeque::new();
    let (mut in_flight, mut wake) = (0, 0);
    if world.foreign_per_s > 0.0 {
        agenda.add(chance.exponential(1.0 / world.foreign_per_s), What::Stranger);
    }
    agenda.add(0.0, What::Wake(0));
    while told.own < n_own {
        let Some((mut now, what)) = agenda.next() else { break };
        // What would happen to a sleeping machine happens when it wakes up.
        let is_ours = matches!(what, What::Wake(_) | What::Back { .. });
        if is_ours && (world.asleep.0..world.asleep.1).contains(&now) {
            now = world.asleep.1;
        }
        let time = Duration::from_secs_f64(now);
        match what {
            What::Stranger => {
                told.foreign += u64::from(service.call(world, now).0);
                agenda.add(now + chance.exponential(1.0 / world.foreign_per_s), What::Stranger);
                continue;
            }
            What::Arrives { sent, back } => {
                let (passes, limits) = service.call(world, now);
                let limits = if world.headers { limits } else { Limits::default() };
                if !passes {
                    told.turned_away.push(now);
                }
                agenda.add(now + back, What::Back { sent, passes, limits });
                continue;
            }
            What::Back { sent, passes, limits } => {
                in_flight -= 1;
                *if passes { &mut told.own } else { &mut told.throttled } += 1;
                pace.replied(Duration::from_secs_f64(sent), time, limits);
                if !passes {
                    let wait = limits.reset_s.map_or(60, |s| u64::from(s.max(1)));
                    pace.throttled(time, time + Duration::from_secs(wait));
                }
            }
            What::Wake(n) if n != wake => continue,
            What::Wake(_) => {}
        }
        told.wakes += 1;
        told.seconds = now;
        while in_flight < CALLERS {
            match pace.slot(time, Haste::Even) {
                Slot::Now => {
                    in_flight += 1;
                    pace.sent(time);
                    let (there, back) = chance.way(world.line, now);
                    agenda.add(now + there, What::Arrives { sent: now, back });
                    lately.push_back(now);
                    while lately.front().is_some_and(|at| at + 1.0 <= now) {
                        lately.pop_front();
                    }
                    told.burst = told.burst.max(lately.len());
                }
                Slot::At(at) => {
                    wake += 1;
                    agenda.add(at.as_secs_f64().max(now) + 1e-9, What::Wake(wake));
                    break;
                }
                Slot::AfterReply => break,
            }
        }
    }
    told
}
