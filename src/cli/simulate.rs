//! `simulate`: a Genesys Cloud organisation on loopback, for whoever wants to try something.

use std::time::Duration;

use super::args;
use super::render::{Render, count};
use super::stop::Signals;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::sim::{Org, PageCaps, Server, Settings};

/// The secret of the simulated client: an invented organisation has no secrets.
pub(super) const SECRET: &str = "demo-secret";

pub(super) async fn run(args: &args::Simulate, render: &Render) -> Result<u8> {
    let mut org = Org::new(settings(args)?);
    if let Some(path) = &args.seed_csv {
        let text = String::from_utf8(files::read(path)?).map_err(|e| Error::file("use", path, e))?;
        org.seed_csv(&text).map_err(|why| Error::file("use", path, why))?;
    }
    org.seed_users(args.users as usize);
    let n_users = org.users().len() as u64;
    let mut signals = Signals::catch();
    let server = start(org, args)?;
    render.say(format!(
        "{} users, {} calls per {} s and token; client id {}, secret {SECRET}",
        count(n_users),
        count(u64::from(args.rate)),
        args.window,
        args.client_id
    ));
    Render::line(&format!("listening on {}", server.base_url()))?;
    signals.next().await;
    let unknown = server.with_org(|org| org.unknown_fields().clone());
    server.stop().await;
    // Ignored by the service as well: somebody who mistyped a field would see nothing of it.
    unknown.iter().for_each(|name| render.say(format!("not of the service, and ignored: {name}")));
    Ok(0)
}

fn start(org: Org, args: &args::Simulate) -> Result<Server> {
    Server::start(org, args.listen).map_err(|e| {
        let kind = if e.kind() == std::io::ErrorKind::InvalidInput { Kind::Usage } else { Kind::File };
        Error::new(kind, format!("cannot listen on {}", args.listen)).because(e)
    })
}

fn settings(args: &args::Simulate) -> Result<Settings> {
    let lag = Duration::try_from_secs_f64(args.lag)
        .map_err(|e| Error::new(Kind::Usage, "--lag is not a length of time").because(e))?;
    let all = |cap| PageCaps { active: Some(cap), inactive: Some(cap), deleted: Some(cap), any: Some(cap) };
    Ok(Settings {
        client_id: args.client_id.clone(),
        client_secret: SECRET.to_owned(),
        rate_allowed: args.rate,
        rate_window: Duration::from_secs(u64::from(args.window.max(1))),
        rate_headers: !args.no_rate_headers,
        list_lag: lag,
        search_lag: lag,
        latency: Duration::from_millis(args.latency_ms),
        deleted_holds: !args.deleted_is_free,
        cursor: !args.no_cursor,
        search_values_max: args.search_values.max(1),
        search_usernames: !args.no_username_search,
        search_folds_case: !args.search_case,
        divisions: ["Home"].into_iter().map(str::to_owned).chain(args.divisions.iter().cloned()).collect(),
        page_cap: args.page_cap.map_or_else(PageCaps::default, all),
        ..Settings::default()
    })
}
