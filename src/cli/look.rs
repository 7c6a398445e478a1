//! What a plan has to have proven before it is applied, and how that is caught up on: keys are looked up.

use std::path::Path;

use super::connect::Session;
use super::gauge::Stage;
use super::render::Render;
use crate::error::{Error, Kind, Result};
use crate::files::manifest::Manifest;
use crate::files::{self, plan_dir};
use crate::number::counted;
use crate::plan::{Plan, Sought};
use crate::probe;
use crate::snapshot::Snapshot;

/// Looks up every key that nobody seems to hold, and adds whoever holds one to the snapshot.
pub(super) async fn look_up(
    sought: &[Sought],
    snapshot: &mut Snapshot,
    session: &Session,
    render: &Render,
) -> Result<()> {
    let organisation = session.client.organisation().await.map_err(|e| match e.kind() {
        Kind::Unreachable => e.hint(
            "the rows that this snapshot does not settle are looked up where there are credentials: run it again, or \
             without credentials for a plan that is not proven",
        ),
        _ => e,
    })?;
    if snapshot.organisation_id().is_some_and(|id| id != organisation.id) {
        let what = format!("the snapshot is of another organisation than {}", organisation.shown());
        return Err(
            Error::new(Kind::Unsafe, what).hint("check the region and the OAuth client, or take a new snapshot")
        );
    }
    let mut probed = look(sought, session, render).await?;
    (probed.proof.organisation_id, probed.proof.ended_at) = (organisation.id, super::now());
    snapshot.add_probed(&probed.users, probed.proof)
}

/// Looks keys up, and says nothing of it but how far it is.
pub(super) async fn ask(sought: &[Sought], session: &Session, render: &Render) -> Result<probe::Probed> {
    let task = render.stage(Stage::LookUp, &session.client);
    probe::probe(&session.client, sought, |progress| task.at(progress.done, progress.values)).await
}

/// Looks keys up and says what came of it.
pub(super) async fn look(sought: &[Sought], session: &Session, render: &Render) -> Result<probe::Probed> {
    let probed = ask(sought, session, render).await?;
    let proof = &probed.proof;
    if proof.keys == 0 {
        return Ok(probed);
    }
    render.say(format!(
        "Looked up {} that no live user seemed to hold, over users of every state: {} held. {}, up to {} each.",
        counted(proof.keys, "address", "addresses"),
        counted(proof.held, "is", "are"),
        counted(proof.calls, "search", "searches"),
        counted(proof.values_max, "address", "addresses")
    ));
    if !proof.usernames {
        render.say(
            "The service does not search usernames: somebody whose login name differs from the e-mail may be missed.",
        );
    }
    Ok(probed)
}

/// The plan in a directory, held against its digests; refuses one that is not proven unless that is accepted.
pub(super) fn open_proven(dir: &Path, accept_unproven: bool) -> Result<(Manifest, Plan)> {
    let (manifest, plan) = plan_dir::open(dir)?;
    if !accept_unproven && (!manifest.complete || manifest.organisation_id.is_none()) {
        let what =
            format!("the plan in {} is not proven: its snapshot is incomplete or somebody's export", files::name(dir));
        return Err(Error::new(Kind::Unsafe, what).hint(
            "plan again with credentials, or against a complete snapshot; or add --accept-unproven, which looks every row \
             up first; nothing was sent",
        ));
    }
    Ok((manifest, plan))
}
