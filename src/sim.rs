//! The simulator: a Genesys Cloud organisation in memory, for tests, for the demo and for trying things out.
//!
//! ```text
//! shared ── server (HTTP/1.1 on loopback) ┐
//!        └─ direct (a call, virtual time) ┴─▶ org: request, now → reply
//!                                             route → token (who, how often) → list · search · write · places
//!                                             store (users now) + view (users as an index shows them)   seed
//! ```
//!
//! [`Org`] is a pure state machine; all time comes in as a value. It never uses the client's JSON types: both sides are
//! written to the published shapes, so that a misspelt field fails instead of being mirrored. Deliberately absent:
//! faults of the network (a test wraps its wire), expansions but that of the employer, roles, queues and everything else that is not about which
//! users there are.

mod answer;
mod codec;
mod counts;
mod direct;
mod list;
mod org;
mod page;
mod places;
mod route;
mod search;
mod seed;
mod server;
mod settings;
mod shared;
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
pub use org::{After, Before, Org};
pub use server::Server;
pub use settings::{PageCaps, Settings};
pub use shared::Shared;
pub use token::WindowRecord;
pub use user::{Origin, State, User};
