//! `rosterdiff`: bring a CSV of people into a Genesys Cloud organisation without a 409, a double or a lost row.
//!
//! The program is a thin door (`cli`) over this library; everything that it does can be done from here, piece by piece:
//!
//! | step | from | to |
//! |---|---|---|
//! | read and check a roster | bytes, a file, a frame | [`roster::Roster`]: every row with its key, or why it has none |
//! | list the organisation | [`take::take`] over a [`api::Client`], users of your own, a frame | [`snapshot::Snapshot`] and what it proves |
//! | compare | roster and snapshot | [`plan::Plan`]: exactly one verdict a row, as a polars frame |
//! | create | [`plan::Plan::people`] | [`apply::apply`]: an intent on the disk before every create, an outcome behind it |
//! | find doubles | rosters and snapshots | [`audit`] |
//!
//! Nothing below [`cli`] prints, reads the environment or looks at the wall clock: time stamps come in as a function. The rooms
//! ([`roster`], [`snapshot`], [`plan`], [`audit`]) are pure; the hands ([`api`], [`take`], [`probe`], [`apply`], [`files`] and their
//! like) do what takes time. `ARCHITECTURE.md` has the map.
//!
//! # A plan in memory
//!
//! ```
//! use rosterdiff::plan::{Keep, Plan};
//! use rosterdiff::roster::{self, Opening};
//! use rosterdiff::snapshot::Snapshot;
//! use rosterdiff::person::{State, User};
//!
//! let csv = "Work Email;Full Name\nAda@Example.com;Ada Lovelace\n grace@example.com ;Grace Hopper\nnobody;No One\n";
//! let records = roster::open_bytes("hr.csv", csv.as_bytes().to_vec(), Opening::default())?;
//! let mapping = roster::map(&records, &[])?;
//! let people = roster::check(records, mapping)?;
//!
//! let users = [User::new("7", "ada@example.com", State::Inactive)];
//! let plan = Plan::build(&people, &Snapshot::from_users(users, None)?, Keep::First)?;
//!
//! let counts = plan.counts();
//! assert_eq!((counts.new, counts.present, counts.invalid), (1, 1, 1));
//! assert_eq!(plan.people()?[0].email, "grace@example.com");
//! # Ok::<(), rosterdiff::error::Error>(())
//! ```
//!
//! # A wire of your own
//!
//! Whatever sends requests can carry this crate: a client that your company has already, a recorder, a fake. Here one that keeps
//! a log of what leaves, in front of the simulator:
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use rosterdiff::api::wire::{Lost, Reply, Request, Wire};
//! use rosterdiff::api::{Client, Credentials, Options};
//! use rosterdiff::sim::{Direct, Org, Settings};
//! use rosterdiff::snapshot::Snapshot;
//! use rosterdiff::take::take;
//!
//! struct Logged<W> {
//!     inner: W,
//!     log: Arc<Mutex<Vec<String>>>,
//! }
//!
//! impl<W: Wire> Wire for Logged<W> {
//!     async fn send(&self, request: Request) -> Result<Reply, Lost> {
//!         // Method and path: a request shows neither its token nor a person.
//!         self.log.lock().unwrap().push(format!("{request:?}"));
//!         self.inner.send(request).await
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut org = Org::new(Settings::default());
//! org.seed_csv("email,state\nada@example.com,active\nbob@example.com,deleted\n")?;
//! let log = Arc::default();
//! let wire = Logged { inner: Direct::new(org), log: Arc::clone(&log) };
//! let client = Client::new(wire, Credentials::client("demo-client", "demo-secret"), Options::default());
//!
//! let mut users = Vec::new();
//! let now = || "2026-01-01T00:00:00Z".to_owned();
//! let keep = |page: &[_]| {
//!     users.extend_from_slice(page);
//!     Ok(())
//! };
//! let certificate = take(&client, &now, keep, |_progress| {}).await?;
//! let snapshot = Snapshot::from_users(&users, Some(certificate))?;
//!
//! assert!(snapshot.is_complete() && snapshot.len() == 2);
//! assert!(log.lock().unwrap().contains(&"Get /api/v2/users".to_owned()));
//! # Ok(())
//! # }
//! ```
//!
//! How new rows become users is shown at [`apply`].

pub mod cells;
pub mod columns;
pub mod email;
pub mod error;
pub mod lanes;
pub mod name;
pub mod number;
pub mod person;
pub mod phone;
pub mod reason;
pub mod strings;

pub mod audit;
pub mod plan;
pub mod roster;
pub mod snapshot;

pub mod api;
pub mod apply;
pub mod doctor;
pub mod files;
pub mod find;
pub mod probe;
pub mod report;
pub mod restore;
pub mod rollback;
mod stepwise;
pub mod take;
pub mod verify;

pub mod cli;
pub mod sim;
