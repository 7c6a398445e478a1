//! A disk that takes no more: the run ends, and the next one loses nobody.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use super::kill::{N_PEOPLE, RESUME, assert_sums_hold, finish, lagging, set_latency};
use super::world::{World, people};
use crate::support::Ran;

/// SIGXFSZ: a file would have become larger than the process may write.
const XFSZ: i32 = 25;

/// The same command with no file larger than so many KiB; `trap` says what a larger one comes to.
pub fn limited(inner: &Command, kib: u64, trap: &str) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", &format!("ulimit -f {kib}; {trap} exec \"$0\" \"$@\"")]);
    command.arg(inner.get_program()).args(inner.get_args()).env_clear();
    command.current_dir(inner.get_current_dir().unwrap());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// KiB that the results of such a plan take less of (39), and its whole journal more (51).
const KIB: u64 = 44;

/// Ends the run that the limit has cut off, in the middle of its creates.
fn assert_goes_on(world: &World) {
    let n_users = world.server.with_org(|org| org.users().len());
    assert!((20..N_PEOPLE).contains(&n_users), "{n_users} users");
    assert_sums_hold(&world.done("status hr.plan --json").json());
    finish(world);
    assert_eq!(world.done("verify hr.plan --json").json()["as_sent"], N_PEOPLE);
}

// Row 17
#[test]
fn a_file_that_may_not_grow_ends_the_run_with_3_and_the_next_one_goes_on() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    // Not even the first file is written: nothing is sent.
    let ran = Ran::of(limited(&world.command(RESUME), 8, "trap '' XFSZ;").output().unwrap());
    assert_eq!((ran.code, world.n_posts()), (Some(3), 0), "{ran:?}");
    set_latency(&world, 40);
    let ran = Ran::of(limited(&world.command(RESUME), KIB, "trap '' XFSZ;").output().unwrap());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("error: ") && ran.err.contains("hr.plan/journal.jsonl"), "{ran:?}");
    assert_sums_hold(&ran.json());
    assert_goes_on(&world);
}

// Row 17
#[test]
fn a_process_that_is_killed_for_the_size_of_a_file_leaves_what_can_be_gone_on_with() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    set_latency(&world, 40);
    let status = limited(&world.command(RESUME), KIB, "").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.signal(), Some(XFSZ), "{status:?}");
    assert_goes_on(&world);
}
