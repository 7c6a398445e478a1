//! `rosterdiff`: bring a CSV of people into a Genesys Cloud organisation without a 409, a double or a lost row.
//!
//! The map of the rooms, in the order in which a row walks through them, is `ARCHITECTURE.md`.

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
