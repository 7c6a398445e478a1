//! `audit`: who is there more than once, inside and across files. Nothing is written but the clusters.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::diff::{self, Format};
use super::render::{Render, count};
use super::{args, aside};
use crate::audit::{Clusters, Crowds, Teller};
use crate::error::{Error, Kind, Result};
use crate::files::audited::{self, How, Opened};
use crate::files::{self, atomic, clusters};
use crate::number::counted;
use crate::plan::Keep;

pub(super) async fn run(args: &args::Audit, render: &Render) -> Result<u8> {
    diff::check_object(render, args.output.as_deref())?;
    check_inputs(args)?;
    let inputs: Vec<&Path> = args.files.iter().chain(&args.snapshots).map(PathBuf::as_path).collect();
    let format = args.output.as_deref().map(|path| diff::format_of(path, &inputs)).transpose()?;
    let (by, keep, effort) = (args.by.into(), Keep::from(args.reading.keep), args.reading.effort());
    let how = How { by, opening: args.reading.opening(), picks: args.reading.picks(), maps: args.reading.maps.clone() };
    let crowds = audited::crowds(open_all(args, how, render).await?, by)?;
    let found = Clusters::find(&crowds, keep, effort.stop)?;
    let teller = Teller::new(&crowds, &found, by, keep, effort)?;
    match (&args.output, format) {
        (Some(path), Some(Format::Parquet)) => clusters::write_parquet(path, &teller, effort)?,
        (Some(path), _) => atomic::write(path, |out| clusters::write_csv(out, &teller, effort))?,
        (None, _) => drop(diff::to_stdout(|out| clusters::write_csv(out, &teller, effort))?),
    }
    render.say(summary(&crowds, &found));
    render.object(&object(&crowds, &found))?;
    Ok(0)
}

/// What no file can make right.
fn check_inputs(args: &args::Audit) -> Result<()> {
    if !args.reading.defaults.is_empty() {
        let what = "--default fills what new rows leave empty, and audit makes none";
        return Err(Error::new(Kind::Usage, what).hint("leave it out"));
    }
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in args.files.iter().chain(&args.snapshots) {
        // What does not exist is told of when it is read.
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if seen.contains(&real) {
            let what = format!("{} is named twice: everybody in it would be there twice", path.display());
            return Err(Error::new(Kind::Usage, what).hint("name each file once"));
        }
        seen.push(real);
    }
    Ok(())
}

/// Reads all files, one after the other, and tells how.
async fn open_all(args: &args::Audit, how: How, render: &Render) -> Result<Vec<Opened>> {
    let how = Arc::new(how);
    let is_one = args.files.len() + args.snapshots.len() == 1;
    let files = args.files.iter().map(|path| (path, false)).chain(args.snapshots.iter().map(|path| (path, true)));
    let mut all = Vec::new();
    for (path, is_snapshot) in files {
        let (path, how) = (path.clone(), Arc::clone(&how));
        let opened =
            aside(move || if is_snapshot { audited::open_snapshot(&path, &how) } else { audited::open(&path, &how) });
        let opened = opened.await?;
        diff::tell_notes(&opened.notes, render);
        let name = if is_one { "Columns".to_owned() } else { short(&opened.crowd.name) };
        if let Some(named) = &opened.named {
            render.say(format!("{name}: {}", diff::mapping(named)));
        }
        if !opened.is_comparable {
            render.say(format!(
                "{} has no column to compare by: nobody in it is in a cluster.",
                short(&opened.crowd.name)
            ));
        }
        all.push(opened);
    }
    Ok(all)
}

/// The name of a file, without the way there.
fn short(name: &str) -> String {
    files::name(Path::new(name))
}

fn summary(crowds: &Crowds, found: &Clusters) -> String {
    let inside = crowds.all().iter().zip(found.inside()).filter(|(_, n)| **n > 0);
    let mut where_found: Vec<String> =
        inside.map(|(crowd, n)| format!("{} inside {}", count(*n), short(&crowd.name))).collect();
    if found.n_across() > 0 {
        where_found.push(format!("{} across files", count(found.n_across())));
    }
    let where_found = if where_found.is_empty() { String::new() } else { format!(" ({})", where_found.join(", ")) };
    format!(
        "{}, {} rows and users: {} with {}{where_found}",
        counted(crowds.all().len() as u64, "file", "files"),
        count(crowds.n_people().into()),
        counted(found.len() as u64, "cluster", "clusters"),
        counted(found.n_members() as u64, "member", "members"),
    )
}

fn object(crowds: &Crowds, found: &Clusters) -> Value {
    json!({
        "files": crowds.all().len(), "rows": crowds.n_people(), "clusters": found.len(), "members": found.n_members(),
        "inside": found.inside().iter().sum::<u64>(), "across": found.n_across(),
    })
}
