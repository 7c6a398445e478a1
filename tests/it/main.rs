//! One binary, so that polars is linked once. Names are sentences about behaviour.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::let_underscore_must_use
)]

mod fuzz;
mod laws;
mod program;
mod simulation;
#[path = "../simulation/splitmix.rs"]
mod splitmix;
mod steps;
mod support;
mod tidy;
