//! The door: arguments in, files and words out. All printing happens in `render`, the environment and the wall clock are
//! read here; nothing below knows about either.

mod apply;
pub mod args;
mod audit;
mod canary;
mod connect;
mod demo;
mod diff;
mod doctor;
mod fresh;
mod gates;
mod look;
mod offline;
mod plan;
mod profile;
mod render;
mod report;
mod restore;
mod resume;
mod rollback;
mod simulate;
mod snapshot;
mod status;
mod stop;
mod verify;

use clap::Parser;

use args::{Cli, Command};
use render::Render;

use crate::error::{self, Error, Kind, Result};
use crate::lanes::Stop;

/// Exit code of a run that finished with refused or unknown rows.
const EXIT_ROWS_LEFT: u8 = 1;

/// Runs the program with the arguments of the process; the result is its exit code.
#[must_use]
pub fn main() -> u8 {
    report_panics();
    // The hook has said where; the code says what.
    std::panic::catch_unwind(process).unwrap_or(Kind::Bug.exit_code())
}

fn process() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout with exit 0, wrong usage to stderr with exit 2; clap knows which.
            let wrong = error.use_stderr();
            let printed = error.print().is_ok();
            if wrong && std::env::args_os().any(|arg| arg == "--json") {
                render::wrong_usage();
            }
            return if printed && !wrong { 0 } else { Kind::Usage.exit_code() };
        }
    };
    let render = Render::new(cli.talk);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let code = match runtime {
        Ok(runtime) => runtime.block_on(run(cli.command, &render)),
        Err(e) => Err(Error::new(Kind::File, "cannot start the runtime").because(e)),
    };
    code.unwrap_or_else(|error| {
        render.error(&error);
        error.kind().exit_code()
    })
}

/// From now on a panic tells where it happened and nothing else: what it would say may quote people's data.
///
/// There is nothing to switch this off with, `RUST_BACKTRACE` included.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if error::is_guarded() {
            return;
        }
        let place = panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        render::fault(&place);
    }));
}

async fn run(mut command: Command, render: &Render) -> Result<u8> {
    // A run of creates or deletes settles what is in the air and the simulator stops in order; what writes no file may simply end by
    // the signal. The others are dropped, and with them every half-written file.
    let work = Stop::new();
    match &mut command {
        Command::Plan(args) => args.reading.stop = work,
        Command::Diff(args) if args.output.is_some() => args.reading.stop = work,
        Command::Audit(args) if args.output.is_some() => args.reading.stop = work,
        Command::Snapshot(_) | Command::Report(_) | Command::Verify(_) | Command::Doctor(_) | Command::Demo(_) => {}
        Command::Diff(_)
        | Command::Audit(_)
        | Command::Apply(_)
        | Command::Rollback(_)
        | Command::Status(_)
        | Command::Simulate(_) => return dispatch(command, render).await,
    }
    let mut stop = stop::watched(work);
    tokio::select! {
        done = dispatch(command, render) => done,
        _ = stop.wait_for(|stopping| *stopping) => Err(Error::interrupted()),
    }
}

/// Does what may wait for long, such as for a pipe that stays silent, on a thread of its own: a signal is heard meanwhile.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (send, done) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || drop(send.send(work())));
    done.await.map_err(|e| Error::bug("a thread was lost").because(e))?
}

async fn dispatch(command: Command, render: &Render) -> Result<u8> {
    match command {
        Command::Demo(args) => demo::run(&args, render).await,
        Command::Snapshot(args) => {
            snapshot::run(&args, || connect::Session::new(&args.connection, render), render).await
        }
        Command::Diff(args) => diff::run(&args, render).await,
        Command::Audit(args) => audit::run(&args, render).await,
        Command::Plan(args) => plan::run(&args, || connect::Session::find(&args.connection, render), render).await,
        Command::Apply(args) => apply::run(&args, || connect::Session::new(&args.connection, render), render).await,
        Command::Rollback(args) => {
            rollback::run(&args, || connect::Session::new(&args.connection, render), render).await
        }
        Command::Status(args) => status::run(&args, render),
        Command::Report(args) => aside(move || Ok((report::make(&args)?, args)))
            .await
            .and_then(|(made, args)| report::tell(&made, &args, render)),
        Command::Verify(args) => verify::run(&args, || connect::Session::new(&args.connection, render), render).await,
        Command::Doctor(args) => doctor::run(&args, || connect::Session::new(&args.connection, render), render).await,
        Command::Simulate(args) => simulate::run(&args, render).await,
    }
}

/// The wall clock as an RFC 3339 time stamp in UTC, to the second.
fn now() -> String {
    jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).map_or_else(|_| String::new(), |t| t.to_string())
}

/// Seconds that have passed since an RFC 3339 time stamp; none if it is none.
fn seconds_since(at: &str) -> Option<i64> {
    at.parse::<jiff::Timestamp>().ok().map(|at| jiff::Timestamp::now().as_second() - at.as_second())
}
