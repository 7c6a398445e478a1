//! Gates at the door: told when a plan is made, and in the way of `apply` until each is accepted by its flag.

use super::args;
use super::render::Render;
use crate::error::{Error, Kind, Result};
use crate::files::manifest::Manifest;
use crate::plan::gates::{Gate, Which};

/// Tells what would stop `apply`.
pub(super) fn tell(manifest: &Manifest, render: &Render) {
    let tripped = || manifest.gates.iter().filter(|gate| gate.tripped);
    tripped().for_each(|gate| render.say(format!("Gate: {}.", gate.what)));
    let flags: Vec<String> = tripped().map(|gate| gate.accept(&manifest.to_create())).collect();
    if !flags.is_empty() {
        render.say(format!("`apply` refuses this plan without {}.", flags.join(" ")));
    }
}

/// Refuses a plan for a gate that nobody has accepted. Whoever has begun has accepted those of the plan; a limit that is
/// said now counts now.
///
/// # Errors
/// `Unsafe`, with the numbers and the flag.
pub(super) fn check(args: &args::Apply, manifest: &Manifest, has_begun: bool) -> Result<()> {
    let is_accepted = |which: Which| match which {
        Which::LowMatch => args.accept.accept_low_match,
        Which::DuplicateRows => args.accept.accept_duplicate_rows,
        Which::OtherNames => args.accept.accept_other_names,
        Which::NewDomains => args.accept.accept_new_domains,
        Which::EmptySnapshot => args.accept.accept_empty_snapshot,
        Which::ShrunkSnapshot => args.accept.accept_shrunk_snapshot,
        // What is said now stands instead of what was said then.
        Which::MaxCreates => args.accept.max_creates.is_some(),
    };
    let now = args.accept.max_creates.map(|limit| limit.gate(&manifest.to_create()));
    let open = manifest.gates.iter().filter(|gate| !has_begun && !is_accepted(gate.gate)).chain(now.as_ref());
    let tripped: Vec<&Gate> = open.filter(|gate| gate.tripped).collect();
    if tripped.is_empty() {
        return Ok(());
    }
    let whats: Vec<&str> = tripped.iter().map(|gate| gate.what.as_str()).collect();
    let flags: Vec<String> = tripped.iter().map(|gate| gate.accept(&manifest.to_create())).collect();
    let hint = format!("look at the plan; if it is right, add {}; nothing was sent", flags.join(" "));
    Err(Error::new(Kind::Unsafe, whats.join("; and ")).hint(hint))
}
