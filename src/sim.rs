//! The simulator: a Genesys Cloud organisation in memory, for tests, for the demo and for trying things out.
//!
//! ```text
//! shared ── server (HTTP/1.1 on loopback) ┐
//!        └─ direct (a call, virtual time) ┴─▶ outside (strangers, faults) ─▶ org: request, now → reply
//!                                             route → token (who, how often) → list · search · write · places
//!                                             store (users now) + view (users as an index shows them)   seed
//! ```
//!
//! [`Org`] is a pure state machine; all time comes in as a value. It never uses the client's JSON types: both sides are
//! written to the published shapes, so that a misspelt field fails instead of being mirrored. Deliberately absent:
//! expansions but that of the employer, roles, queues and everything else that is not about which users there are.
//!
//! A [`Scenario`] is all of it as a person writes it down; [`record`] is what passed, as lines of JSON.

mod answer;
mod chance;
mod codec;
mod counts;
mod direct;
mod fault;
mod list;
mod org;
mod outside;
mod page;
mod places;
pub mod record;
mod route;
mod scenario;
mod search;
mod seed;
mod server;
mod settings;
mod shared;
mod spelling;
mod store;
mod token;
mod typed;
mod user;
mod view;
mod write;

#[cfg(test)]
mod tests;

pub use counts::Counts;
pub use direct::Direct;
pub use fault::{Drawn, Fault};
pub use org::{After, Before, Observer, Org};
pub use outside::{Exchanged, Network, Strangers};
pub use scenario::{Scenario, Users};
pub use server::Server;
pub use settings::{Maintenance, PageCaps, RetryAfter, Settings};
pub use shared::Shared;
pub use token::WindowRecord;
pub use user::{Origin, State, User};
