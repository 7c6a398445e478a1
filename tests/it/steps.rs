//! The real client, pace, worker and journal over the simulator's core, in virtual time: hours in milliseconds.

mod apply;
mod faults;
mod freshness;
mod job;
mod pace;
mod probing;
mod pulse;
mod restore;
mod rig;
mod rollback;
mod scenarios;
mod snapshot;
mod stubborn;
mod switches;
