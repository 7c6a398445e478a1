//! The program from outside: a child process over real sockets and real files, held to what its edges promise.

mod audit;
mod bad_input;
mod canary;
mod connect;
mod diff;
mod doctor;
mod edges;
mod effort;
mod encodings;
mod evidence;
mod feeding_back;
mod fields;
mod front;
mod gates;
mod hardening;
mod kill;
mod memory;
mod readme;
mod rosters;
mod run;
mod stopping;
mod suspects;
mod tls;
mod unproven;
mod workbooks;
mod world;
