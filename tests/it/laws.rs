//! Laws of the pure rooms, against an oracle that is slow, obvious and shares no code with them.

mod after;
mod bytes;
mod clusters;
mod joins;
mod oracle;
mod sample;
mod suspects;
mod verdicts;
