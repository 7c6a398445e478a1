//! The door: arguments in, files and words out. All printing happens in `render`, the environment and the wall clock are
//! read here; nothing below knows about either.
//!
#![doc = include_str!("cli/manual.md")]

mod after;
mod apply;
pub mod args;
mod audit;
mod canary;
pub mod config;
mod connect;
mod demo;
mod diff;
mod doctor;
mod events;
mod forecast;
mod fresh;
mod gates;
mod gauge;
mod going;
mod init;
mod lines;
mod look;
mod offline;
mod plan;
mod profile;
mod progress;
mod render;
mod report;
mod restore;
mod resume;
mod rollback;
mod rows;
mod simulate;
mod since;
mod snapshot;
mod status;
mod stop;
mod verify;
mod voice;

use std::io::IsTerminal;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use args::{Cli, Command, Reading};
use config::Config;
use render::Render;

use crate::error::{self, Error, Kind, Result};
use crate::lanes::{Meter, Stop};

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
    let (cli, config) = match typed() {
        Ok(typed) => typed,
        Err(args::Stop::Told(code)) => return code,
        Err(args::Stop::Wrong(error)) => {
            let json = std::env::args_os().any(|arg| arg == "--json");
            Render::eventless(args::Talk { json, quiet: false, verbose: false, events: None }).error(&error);
            return error.kind().exit_code();
        }
    };
    let render = match Render::new(cli.talk.clone(), &name(&cli.command)) {
        Ok(render) => render,
        // Before anything else is done: whoever wants to watch is not left in the dark.
        Err(error) => {
            Render::eventless(cli.talk).error(&error);
            return error.kind().exit_code();
        }
    };
    // The hook has said where; the code says what, and events end whatever happened.
    let code = std::panic::catch_unwind(AssertUnwindSafe(|| begin(cli.command, config.as_ref(), &render)));
    let code = code.unwrap_or_else(|_| {
        render.fault();
        Kind::Bug.exit_code()
    });
    render.end(code);
    code
}

fn begin(command: Command, config: Option<&Config>, render: &Render) -> u8 {
    if let Some(config) = config {
        config.tell(render);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let code = match runtime {
        Ok(runtime) => runtime.block_on(run(command, render)),
        Err(e) => Err(Error::new(Kind::File, "cannot start the runtime").because(e)),
    };
    code.unwrap_or_else(|error| {
        let error = match config {
            Some(config) => config.place(error),
            None => error,
        };
        render.error(&error);
        error.kind().exit_code()
    })
}

/// What was typed, and what a file of settings says where nothing was.
fn typed() -> Result<(Cli, Option<Config>), args::Stop> {
    let mut cli = args::parse()?;
    if !cli.command.takes_settings() {
        return Ok((cli, None));
    }
    let mut config = Config::find(&cli.settings).map_err(args::Stop::Wrong)?;
    if let Some(config) = &mut config {
        (cli, config.uses) = args::parse_with(&config.entries)?;
    }
    if let Some(connection) = cli.command.connection() {
        connection.filed.asked = cli.settings.clone();
        connection.filed.hosts = config.as_ref().map(Config::found_hosts).unwrap_or_default();
    }
    Ok((cli, config))
}

/// What a command is called: its variant's name is the word that was typed.
fn name(command: &Command) -> String {
    let text = format!("{command:?}");
    text.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
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
    // the signal, unless events are told of: every end is one. The others are dropped, and with them every half-written file.
    let work = Stop::new();
    let ends_in_order = render.voice().has_events();
    let _watch = reading(&mut command).map(|(reading, writes_files)| {
        reading.meter = Meter::new();
        if writes_files || ends_in_order {
            reading.stop = work;
        }
        // Rows that run over a terminal need no line that says so.
        render.watch(reading.meter, writes_files || !std::io::stdout().is_terminal())
    });
    match &command {
        Command::Plan(_) => {}
        Command::Diff(args) if args.output.is_some() => {}
        Command::Audit(args) if args.output.is_some() => {}
        Command::Diff(_) | Command::Audit(_) | Command::Status(_) if ends_in_order => {}
        Command::Snapshot(_) | Command::Report(_) | Command::Verify(_) | Command::Doctor(_) | Command::Demo(_) => {}
        Command::Diff(_)
        | Command::Audit(_)
        | Command::Apply(_)
        | Command::Rollback(_)
        | Command::Status(_)
        | Command::Init(_)
        | Command::Completions(_)
        | Command::Simulate(_) => return dispatch(command, render).await,
    }
    let mut stop = stop::watched(work, render);
    tokio::select! {
        done = dispatch(command, render) => done,
        _ = stop.wait_for(|stopping| *stopping) => Err(Error::interrupted()),
    }
}

/// How a command reads big files, if it does, and whether it writes files of its own.
const fn reading(command: &mut Command) -> Option<(&mut Reading, bool)> {
    match command {
        Command::Plan(args) => Some((&mut args.reading, true)),
        Command::Diff(args) => Some((&mut args.reading, args.output.is_some())),
        Command::Audit(args) => Some((&mut args.reading, args.output.is_some())),
        _ => None,
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
        Command::Status(args) => status::run(&args, render).await,
        Command::Report(args) => aside(move || Ok((report::make(&args)?, args)))
            .await
            .and_then(|(made, args)| report::tell(&made, &args, render)),
        Command::Verify(args) => verify::run(&args, || connect::Session::new(&args.connection, render), render).await,
        Command::Doctor(args) => doctor::run(&args, || connect::Session::new(&args.connection, render), render).await,
        Command::Simulate(args) => simulate::run(&args, render).await,
        Command::Init(args) => init::run(&args, render).await,
        Command::Completions(args) => Render::text(&args.script()).map(|()| 0),
    }
}

/// The wall clock as an RFC 3339 time stamp in UTC, to the second.
fn now() -> String {
    jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).map_or_else(|_| String::new(), |t| t.to_string())
}

/// The wall clock in so much time, to the millisecond.
fn stamp(later: Duration) -> String {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::try_from(later).unwrap_or_default();
    jiff::Timestamp::from_millisecond(at.as_millisecond()).map_or_else(|_| String::new(), |t| t.to_string())
}

/// The wall clock, to the millisecond.
fn now_ms() -> String {
    stamp(Duration::ZERO)
}

/// Seconds that have passed since an RFC 3339 time stamp; none if it is none.
fn seconds_since(at: &str) -> Option<i64> {
    second_of(at).map(|at| second() - at)
}

/// The wall clock, in seconds.
fn second() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// An RFC 3339 time stamp in seconds; none if it is none.
fn second_of(at: &str) -> Option<i64> {
    at.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}
