//! The program from outside: a child process over real sockets and real files, held to what its edges promise.

mod bad_input;
mod diff;
mod edges;
mod kill;
mod memory;
mod readme;
mod rosters;
mod run;
mod unproven;
mod world;
