//! The whole of `take` and `apply` (client, pace, retry, journal) over the simulator's core, in virtual time, with a bad
//! line between them and a bad disk below.
//!
//! A seed draws everything: the organisation and its switches, who is wanted, which call meets which fault, what
//! strangers do meanwhile, where the process dies and what the disk then has lost. The same seed tells the same story,
//! event by event. `cargo test` tells twenty thousand of them, `cargo bench --bench simulation` any number, or one again:
//!
//! ```console
//! cargo bench --bench simulation -- --seed 42 --tell
//! ```

pub mod chance;
pub mod crashes;
pub mod disk;
pub mod fault;
pub mod laws;
pub mod line;
pub mod many;
pub mod story;
pub mod world;
