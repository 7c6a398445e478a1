//! `simulate`: a Genesys Cloud organisation on loopback, for whoever wants to try something.

mod record;

use std::path::Path;
use std::time::Duration;

use record::Failure;

use super::args;
use super::render::{Render, count};
use super::stop::Signals;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::sim::{Org, Origin, PageCaps, Scenario, Server, Settings, State};

/// The secret of the simulated client: an invented organisation has no secrets.
pub(super) const SECRET: &str = "demo-secret";

pub(super) async fn run(args: &args::Simulate, render: &Render) -> Result<u8> {
    let mut org = organisation(args)?;
    let (n_users, told) = (org.users().len() as u64, org.settings().clone());
    let mut signals = Signals::catch();
    // The address first: whoever does not get it must not have emptied the record of who has. Calls wait meanwhile.
    let listener = Server::bind(args.listen).map_err(|e| cannot_listen(e, args))?;
    let mut failure = match &args.record {
        Some(path) => record::start(&mut org, path)?,
        None => Failure::NONE,
    };
    let server = Server::serve(org, listener).map_err(|e| cannot_listen(e, args))?;
    render.say(format!(
        "{} users, {} calls per {} s and token; client id {}, secret {}",
        count(n_users),
        count(u64::from(told.rate_allowed)),
        told.rate_window.as_secs_f64(),
        told.client_id,
        told.client_secret
    ));
    Render::line(&format!("listening on {}", server.base_url()))?;
    let failed = serve_until(&mut signals, &mut failure, render).await;
    let (told, unknown) = server.with_org(|org| (summary(org), org.unknown_fields().clone()));
    server.stop().await;
    render.say(told);
    // Ignored by the service as well: somebody who mistyped a field would see nothing of it.
    unknown.iter().for_each(|name| render.say(format!("not of the service, and ignored: {name}")));
    let late = failure.late().inspect(|error| render.error(error));
    Ok(failed.or(late).map_or(0, |error| error.kind().exit_code()))
}

/// What a rehearsal came to, as the service saw it.
fn summary(org: &Org) -> String {
    let (counts, users) = (org.counts(), org.users());
    let n = |state| count(users.iter().filter(|user| user.state == state).count() as u64);
    let [active, inactive, deleted] = State::ALL.map(n);
    let created = users.iter().filter(|user| matches!(user.created_by, Origin::Token(_))).count() as u64;
    format!(
        "answered {} calls, {} with 409 and {} with 429; {} users created; now {active} active, {inactive} inactive, \
         {deleted} deleted",
        count(counts.by_status.values().sum()),
        count(counts.n_conflicts()),
        count(counts.n_throttled()),
        count(created),
    )
}

/// Until somebody stops it. A failure is told at once, and whoever is served goes on being served.
async fn serve_until(signals: &mut Signals, failure: &mut Failure, render: &Render) -> Option<Error> {
    let error = tokio::select! {
        () = signals.next() => return None,
        error = failure.wait() => error,
    };
    render.error(&error);
    signals.next().await;
    Some(error)
}

fn cannot_listen(e: std::io::Error, args: &args::Simulate) -> Error {
    let kind = if e.kind() == std::io::ErrorKind::InvalidInput { Kind::Usage } else { Kind::File };
    Error::new(kind, format!("cannot listen on {}", args.listen))
        .because(e)
        .hint("say --listen 127.0.0.1:0, which takes a free port")
}

/// What the scenario says, then what the flags say, and everybody whom either brings.
fn organisation(args: &args::Simulate) -> Result<Org> {
    let mut scenario = match &args.scenario {
        Some(path) => Scenario::parse(&text(path)?).map_err(|why| {
            let what = format!("cannot use {}: {why}", path.display());
            Error::new(Kind::File, what)
                .hint("data/README.md tells what a scenario may hold, and data/scenarios has examples")
        })?,
        None => Scenario::default(),
    };
    set(&mut scenario.service, args)?;
    // What is wrong only now came with a flag.
    let mut org = scenario.org().map_err(|why| Error::new(Kind::Usage, why))?;
    if let Some(path) = &args.seed_csv {
        org.seed_csv(&text(path)?).map_err(|why| Error::file("use", path, why))?;
    }
    org.seed_users(args.users as usize);
    Ok(org)
}

fn text(path: &Path) -> Result<String> {
    String::from_utf8(files::read(path)?).map_err(|e| Error::file("use", path, e))
}

/// The flags that were given.
fn set(settings: &mut Settings, args: &args::Simulate) -> Result<()> {
    fn given<T>(field: &mut T, flag: Option<T>) {
        if let Some(flag) = flag {
            *field = flag;
        }
    }
    let lag = args.lag.map(Duration::try_from_secs_f64).transpose();
    let lag = lag.map_err(|e| Error::new(Kind::Usage, "--lag is not a length of time").because(e))?;
    let all = |cap| PageCaps { active: Some(cap), inactive: Some(cap), deleted: Some(cap), any: Some(cap) };
    given(&mut settings.client_id, args.client_id.clone());
    given(&mut settings.rate_allowed, args.rate);
    given(&mut settings.rate_window, args.window.map(|s| Duration::from_secs(u64::from(s))));
    given(&mut settings.list_lag, lag);
    given(&mut settings.search_lag, lag);
    given(&mut settings.latency, args.latency_ms.map(Duration::from_millis));
    given(&mut settings.search_values_max, args.search_values.map(|n| n.max(1)));
    given(&mut settings.page_cap, args.page_cap.map(all));
    given(&mut settings.rate_headers, args.no_rate_headers.then_some(false));
    given(&mut settings.deleted_holds, args.deleted_is_free.then_some(false));
    given(&mut settings.cursor, args.no_cursor.then_some(false));
    given(&mut settings.search_usernames, args.no_username_search.then_some(false));
    given(&mut settings.search_folds_case, args.search_case.then_some(false));
    settings.divisions.extend(args.divisions.iter().cloned());
    Ok(())
}
