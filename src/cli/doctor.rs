//! `doctor`: what a run would meet, told line by line. Nothing is created or changed.

use std::path::Path;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::{Value, json};

use super::args;
use super::connect::Session;
use super::render::{Render, count};
use crate::api::Words;
use crate::apply::Outcome;
use crate::doctor::{Findings, Forecast, Listed, examine};
use crate::error::{Error, Kind, Result};
use crate::files::manifest::Manifest;
use crate::files::plan_dir;
use crate::number::Lasting;
use crate::person::State;
use crate::plan::Plan;
use crate::snapshot::TOTAL_DOUBTED;

/// Seconds by which the two clocks may differ unmentioned: the header has whole seconds, and a reply takes time.
const SKEW_S_MAX: i64 = 5;

pub(super) async fn run(args: &args::Doctor, session: impl FnOnce() -> Result<Session>, render: &Render) -> Result<u8> {
    let opened = args.dir.as_deref().map(plan_dir::open).transpose()?;
    let session = session()?;
    let found = examine(&session.client).await?;
    let skew_s = found.seen.date.as_deref().and_then(skew_s);
    tell(&found, skew_s, render);
    let n_tokens = session.client.n_tokens() as u64;
    let wanted = match args.dir.as_deref().zip(opened.as_ref()) {
        Some((dir, (manifest, plan))) => vec![left(dir, manifest, plan)?],
        None => vec![1_000, 40_000],
    };
    let forecast = found.forecast(args.connection.per_min.map(f64::from));
    tell_forecast(&found, forecast, &wanted, n_tokens, render);
    let lacks = found.listings.as_ref().err().or(found.search.as_ref().err());
    if let Some((manifest, _)) = &opened
        && manifest.organisation_id.as_ref().is_some_and(|id| *id != found.organisation.id)
    {
        return Err(Error::new(Kind::Unsafe, "the plan is for another organisation")
            .hint("check the region and the OAuth client, or plan again"));
    }
    render.object(&object(&found, forecast, &wanted, n_tokens, skew_s, session.client.tally().requests))?;
    Ok(lacks.map_or(0, |error| error.kind().exit_code()))
}

/// New rows of a plan that are not settled yet.
fn left(dir: &Path, manifest: &Manifest, plan: &Plan) -> Result<u64> {
    let outcomes = plan_dir::outcomes(plan, &plan_dir::ledger(dir, manifest)?)?;
    Ok(outcomes.of(Outcome::Unprocessed) + outcomes.of(Outcome::Unknown) - plan.n_held()?)
}

/// Seconds by which the service's clock is ahead of ours.
fn skew_s(date: &str) -> Option<i64> {
    let theirs = DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(theirs.as_second() - Timestamp::now().as_second())
}

fn tell(found: &Findings, skew_s: Option<i64>, render: &Render) {
    let name = found.organisation.name.as_deref().map_or_else(String::new, |name| format!("\"{name}\", "));
    let line = |label: &str, text: String| render.say(format!("{label:<14}{text}"));
    line("Organisation", format!("{name}{}", found.organisation.id));
    line("Credentials", "accepted".to_owned());
    line("Permissions", permissions(found));
    if let Ok(listings) = &found.listings {
        line("Users", listings.iter().map(users).collect::<Vec<_>>().join(", "));
        line("Listings", format!("{}; pages of {}", caps(listings), found.page_size));
    }
    line("Cursor", cursor(found));
    line("Search", search(found));
    line("Divisions", said(&found.n_divisions.as_ref().map(|n| format!("{} can be seen", count(*n as u64)))));
    line("Limits", said(&found.limits.as_ref().map(limits)));
    line("Rate headers", rate_headers(found));
    line("Clock", clock(skew_s));
}

fn permissions(found: &Findings) -> String {
    let view = match found.listings.as_ref().err().or(found.search.as_ref().err()) {
        None => "directory:user:view yes".to_owned(),
        Some(missing) => format!("MISSING: {missing}"),
    };
    format!("{view}; directory:user:add shows only when apply creates its first user")
}

fn users(listed: &Listed) -> String {
    let total = listed.total.map_or_else(|| "an unknown number".to_owned(), count);
    format!("{total} {}", listed.state)
}

fn caps(listings: &[Listed]) -> String {
    let of = |capped: Option<bool>| {
        let states: Vec<&str> = listings.iter().filter(|l| l.capped == capped).map(|l| l.state.as_str()).collect();
        states.join(" and ")
    };
    let (small, free, capped) = (of(None), of(Some(false)), of(Some(true)));
    let limit = count(TOTAL_DOUBTED);
    let parts = [
        (!small.is_empty()).then(|| format!("{small} below {limit}, where no cap is met")),
        (!free.is_empty()).then(|| format!("{free} page on beyond {limit}")),
        (!capped.is_empty()).then(|| format!("{capped} CAPPED at {limit}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn cursor(found: &Findings) -> String {
    let capped = found.listings.as_ref().is_ok_and(|all| all.iter().any(|l| l.capped == Some(true)));
    let (then, else_) = if capped {
        ("; what a listing holds back is read by it", "; a snapshot will be incomplete, and plan looks rows up instead")
    } else {
        ("", "; it is not needed here")
    };
    match &found.cursor {
        Ok(()) => format!("works{then}"),
        Err(words) => format!("not usable (HTTP {}){else_}", words.status),
    }
}

fn search(found: &Findings) -> String {
    let proof = match &found.search {
        Ok(proof) => proof,
        Err(missing) => return format!("MISSING: {missing}"),
    };
    if proof.values_max == 0 {
        return "REFUSED: nothing can be looked up".to_owned();
    }
    let fields = if proof.usernames { "by address and username" } else { "by address, not by username" };
    let case = match proof.case_matters {
        Some(false) => "",
        Some(true) => ", CASE MATTERS: looking up proves less",
        None => ", FINDS NOBODY of those who are listed: looking up proves less",
    };
    format!("up to {} values a call, {fields}{case}", proof.values_max)
}

fn said(of: &Result<String, &Words>) -> String {
    match of {
        Ok(text) => text.clone(),
        Err(words) => format!("not to be seen (HTTP {})", words.status),
    }
}

fn limits(limits: &std::collections::BTreeMap<String, u64>) -> String {
    let of = |key: &str| limits.get(key).map(|n| format!("{key} {}", count(*n)));
    let known = ["client.credentials.token.rate.per.minute", "token.rate.per.minute", "request.bytes.max"];
    let told: Vec<String> = known.into_iter().filter_map(of).collect();
    if told.is_empty() { "none that matter here".to_owned() } else { told.join(", ") }
}

fn rate_headers(found: &Findings) -> String {
    let seen = &found.seen;
    let Some(allowed) = seen.allowed else {
        return format!("none on {} replies; paced at the documented 300 a minute", count(seen.replies));
    };
    let window = seen.window_s.map_or_else(|| "a window".to_owned(), |s| format!("about {s} s"));
    let strangers = match seen.foreign() {
        0 => "nobody else uses this token".to_owned(),
        n => format!("SOMEBODY ELSE uses this token: {n} calls meanwhile"),
    };
    format!("on {} of {} replies: {allowed} calls in {window}; {strangers}", count(seen.with_rate), count(seen.replies))
}

fn clock(skew_s: Option<i64>) -> String {
    match skew_s {
        None => "the service sends no date to compare with".to_owned(),
        Some(s) if s.abs() <= SKEW_S_MAX => "agrees with the service's".to_owned(),
        Some(s) => {
            let side = if s > 0 { "behind" } else { "ahead of" };
            format!("{} {side} the service's: pacing does not mind, ages of plans do", Lasting(s.unsigned_abs()))
        }
    }
}

fn tell_forecast(found: &Findings, forecast: Forecast, wanted: &[u64], n_tokens: u64, render: &Render) {
    let more = n_tokens.max(10);
    let tokens = if n_tokens == 1 { "one token".to_owned() } else { format!("{n_tokens} tokens") };
    let most = forecast.per_min_max.map_or_else(String::new, |most| format!(", at most {most} in all"));
    render.say(format!("\nAt {} calls a minute and token, with {tokens}{most}:", count(per_min(forecast))));
    if found.listings.is_ok() {
        let calls = found.snapshot_calls();
        render.say(format!(
            "  a snapshot takes {} calls, about {}",
            count(calls),
            Lasting(forecast.seconds(calls, n_tokens))
        ));
    }
    for n in wanted {
        let faster = match more {
            _ if more == n_tokens => String::new(),
            _ => format!(", with --tokens {more} about {}", Lasting(forecast.seconds(*n, more))),
        };
        let takes = Lasting(forecast.seconds(*n, n_tokens));
        render.say(format!("  {} new users take about {takes}{faster}", count(*n)));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is small and positive")]
fn per_min(forecast: Forecast) -> u64 {
    forecast.per_min.round() as u64
}

fn object(
    found: &Findings,
    forecast: Forecast,
    wanted: &[u64],
    n_tokens: u64,
    skew_s: Option<i64>,
    requests: u64,
) -> Value {
    let listed = |state: State| {
        let listed = found.listings.as_ref().ok()?.iter().find(|l| l.state == state)?;
        Some(json!({ "total": listed.total, "capped": listed.capped }))
    };
    let creates = |n: &u64| json!({ "users": n, "seconds": forecast.seconds(*n, n_tokens) });
    json!({
        "organisation_id": found.organisation.id,
        "organisation": found.organisation.name,
        "can_view": found.listings.is_ok() && found.search.is_ok(),
        "active": listed(State::Active),
        "inactive": listed(State::Inactive),
        "deleted": listed(State::Deleted),
        "page_size": found.page_size,
        "cursor": found.cursor.is_ok(),
        "search": found.search.as_ref().ok().map(|proof| json!({
            "values_max": proof.values_max, "usernames": proof.usernames, "case_matters": proof.case_matters,
        })),
        "divisions": found.n_divisions.as_ref().ok(),
        "limits": found.limits.as_ref().ok(),
        "rate_headers": found.seen.allowed.is_some(),
        "allowed": found.seen.allowed,
        "window_s": found.seen.window_s,
        "foreign_calls": found.seen.foreign(),
        "clock_skew_s": skew_s,
        "calls_per_minute": per_min(forecast),
        "snapshot": { "calls": found.snapshot_calls(), "seconds": forecast.seconds(found.snapshot_calls(), n_tokens) },
        "creates": wanted.iter().map(creates).collect::<Vec<_>>(),
        "requests": requests,
    })
}
