//! `snapshot`: everybody, with proof.

use std::path::Path;

use serde_json::{Value, json};

use super::args;
use super::connect::Session;
use super::gauge::Stage;
use super::render::{Render, count};
use crate::error::{Error, Kind, Result};
use crate::files::parquet::SnapshotWriter;
use crate::number::counted;
use crate::person::State;
use crate::snapshot::Certificate;
use crate::take;

pub(super) async fn run(
    args: &args::Snapshot,
    session: impl FnOnce() -> Result<Session>,
    render: &Render,
) -> Result<u8> {
    if !args.output.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet")) {
        return Err(Error::new(Kind::Usage, format!("-o {}: a snapshot is a parquet", args.output.display()))
            .hint("end the name in .parquet"));
    }
    let session = session()?;
    let certificate = take_to(&args.output, &session, render).await?;
    render.say(format!("Written to {}.", args.output.display()));
    render.object(&object(&certificate, &session))?;
    Ok(if certificate.complete { 0 } else { Kind::Incomplete.exit_code() })
}

/// Takes a snapshot into `path`, page by page, and says what it proves.
pub(super) async fn take_to(path: &Path, session: &Session, render: &Render) -> Result<Certificate> {
    let mut writer = SnapshotWriter::new(path)?;
    let task = render.stage(Stage::Snapshot, &session.client);
    let certificate = take::take(
        &session.client,
        &super::now,
        |users| writer.append(users),
        |progress| {
            task.at(progress.users, progress.promised.max(progress.users));
            if progress.pass > 1 {
                task.note(|| format!("pass {}: users came or went", progress.pass), None);
            }
        },
    )
    .await;
    drop(task);
    let certificate = certificate?;
    writer.finish(&certificate)?;
    tell(&certificate, render);
    Ok(certificate)
}

fn tell(certificate: &Certificate, render: &Render) {
    let name = certificate.organisation_name.as_ref().map_or_else(String::new, |name| format!("\"{name}\", "));
    render.say(format!("Organisation: {name}{}.", certificate.organisation_id));
    let n = |state| count(certificate.users_of(state));
    render.say(format!(
        "Snapshot: {} ({} active, {} inactive, {} deleted).",
        counted(certificate.users(), "user", "users"),
        n(State::Active),
        n(State::Inactive),
        n(State::Deleted)
    ));
    for proof in &certificate.states {
        let said = |total: Option<u64>| total.map_or_else(|| "?".to_owned(), count);
        let way = if proof.walked { ", by cursor" } else { "" };
        render.detail(format!(
            "  {}: {} pages{way}, {} promised at the start, {} at the end, {} unique",
            proof.state,
            count(proof.pages),
            said(proof.total_start),
            said(proof.total_end),
            count(proof.unique)
        ));
    }
    if certificate.complete {
        render.say("Complete: every state came as promised, at the start and at the end.");
        if certificate.passes > 1 {
            render.say(format!("Users came or went meanwhile: it took {} passes.", certificate.passes));
        }
    } else {
        render.say(format!("INCOMPLETE: {}.", certificate.gaps().join("; ")));
    }
}

fn object(certificate: &Certificate, session: &Session) -> Value {
    json!({
        "users": certificate.users(),
        "active": certificate.users_of(State::Active),
        "inactive": certificate.users_of(State::Inactive),
        "deleted": certificate.users_of(State::Deleted),
        "complete": certificate.complete,
        "requests": session.client.tally().requests,
    })
}
