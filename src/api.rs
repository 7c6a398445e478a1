//! The service as a client sees it, above the one seam ([`wire::Wire`]).
//!
//! [`Client`] owns tokens and pace; `users` knows the calls. What a lost or refused call means is decided in one place,
//! [`Fate`], and matched without wildcard: what counts is the call's effect, not its HTTP method. A read may be sent
//! again; a create only when the service provably did nothing.

mod changes;
mod client;
mod date;
mod fate;
pub mod http;
mod lane;
mod login;
pub mod pace;
mod places;
pub mod proxy;
pub mod region;
mod seen;
mod shapes;
mod token;
mod users;
pub mod wire;

pub use changes::{Changed, Fields, Remover, Restorer};
pub use client::{Client, Options, Permit, Standing, Tally, Waiting};
pub use fate::{Fate, RETRY_AFTER_MAX, Words};
pub use places::Organisation;
pub use seen::Seen;
pub use token::Credentials;
pub use users::{Created, CursorPage, IDS_PER_CALL, PAGE_SIZES, Page};
