//! Whether plan, journal and results belong together and nothing was altered: told from a directory alone.
//!
//! Everything hangs on one thread. The manifest is sealed and holds the digests of the plan's files and of what it was
//! made from; the journal's header holds the manifest's digest; every line of the journal holds the one before; its last
//! line holds the digests of the results. Nothing of it is signed: whoever can write all of it anew can make another
//! directory that is as whole. The end of the chain, kept elsewhere, tells the two apart.

use std::collections::BTreeSet;
use std::path::Path;

use crate::apply::Outcomes;
use crate::apply::journal::{self, Replayed};
use crate::apply::ledger::Ledger;
use crate::error::{Error, Kind, Result};
use crate::files::after::Since;
use crate::files::manifest::{self, Digest, Input, Manifest};
use crate::files::parquet;
use crate::files::plan_dir::{self, PLAN, REPORT, REPORT_MASKED, SNAPSHOT};
use crate::plan::{Counts, Plan};

/// What came of looking at one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is what it was.
    Whole,
    /// It is not, or it is gone.
    Altered,
    /// It cannot be read for what it is.
    Damaged,
    /// Nothing proves it, and nothing has to.
    Aside,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Name of the file.
    pub name: String,
    /// What came of it.
    pub found: Found,
    /// The same in words.
    pub what: String,
}

/// What a directory proves.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Everything that was looked at, in order.
    pub checked: Vec<Checked>,
    /// Whether a run has begun.
    pub begun: bool,
    /// Whether the journal ends with the digests of the results.
    pub closed: bool,
    /// The end of the journal's chain.
    pub chain: Option<String>,
    /// Rows by verdict: the first sum holds.
    pub counts: Option<Counts>,
    /// New rows by outcome: the second sum holds.
    pub outcomes: Option<Outcomes>,
    /// The first thing that cannot be read for what it is.
    pub damage: Option<Error>,
}

/// Looks at every file of a plan directory.
///
/// # Errors
/// `File` if it holds no plan, or if a file cannot be read. What is altered or damaged is a finding, not an error.
pub fn examine(dir: &Path) -> Result<Evidence> {
    let names = names(dir)?;
    let mut evidence = Evidence::default();
    let manifest = evidence.manifest(dir, &names)?;
    if let Some(manifest) = &manifest {
        for (name, digest) in &manifest.outputs {
            evidence.file(dir, name, digest, "the manifest")?;
        }
        evidence.inputs(dir, manifest)?;
        evidence.waves(dir, manifest)?;
    }
    let replayed = evidence.journal(dir, &names)?;
    let belongs = match &replayed {
        Some(replayed) => {
            let belongs = evidence.binding(dir, manifest.as_ref(), &replayed.ledger)?;
            evidence.close(dir, replayed)?;
            belongs
        }
        None => true,
    };
    if let Some(manifest) = &manifest
        && belongs
        && evidence.is_whole(PLAN)
    {
        evidence.sums(dir, manifest, replayed.map(|r| r.ledger))?;
    }
    evidence.others(&names);
    Ok(evidence)
}

/// The names in a directory that holds a plan, or what is left of one.
fn names(dir: &Path) -> Result<BTreeSet<String>> {
    let failed = |e: std::io::Error| Error::file("read", dir, e);
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        names.insert(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    if [manifest::FILE, journal::FILE, PLAN].iter().any(|name| names.contains(*name)) {
        return Ok(names);
    }
    Err(Error::new(Kind::File, format!("{} holds no plan (no {})", dir.display(), manifest::FILE))
        .hint("name the directory of a plan"))
}

impl Evidence {
    /// Names of the files that are not what they were.
    #[must_use]
    pub fn altered(&self) -> Vec<&str> {
        self.names_of(&[Found::Altered])
    }

    /// Names of the files with one of these findings, each once.
    #[must_use]
    pub fn names_of(&self, wanted: &[Found]) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for checked in self.checked.iter().filter(|c| wanted.contains(&c.found)) {
            if !names.contains(&checked.name.as_str()) {
                names.push(&checked.name);
            }
        }
        names
    }

    fn note(&mut self, name: &str, found: Found, what: impl Into<String>) {
        self.checked.push(Checked { name: name.to_owned(), found, what: what.into() });
    }

    fn damaged(&mut self, name: &str, error: Error) {
        self.note(name, Found::Damaged, format!("damaged: {error}"));
        self.damage.get_or_insert(error);
    }

    /// Takes damage in as a finding; what else goes wrong stays an error.
    fn weigh<T>(&mut self, name: &str, result: Result<T>) -> Result<Option<T>> {
        match result {
            Err(error) if error.kind() == Kind::Damaged => {
                self.damaged(name, error);
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    fn is_known(&self, name: &str) -> bool {
        self.checked.iter().any(|c| c.name == name)
    }

    fn is_whole(&self, name: &str) -> bool {
        self.checked.iter().any(|c| c.name == name && c.found == Found::Whole)
    }

    fn file(&mut self, dir: &Path, name: &str, expected: &Digest, whose: &str) -> Result<()> {
        let path = dir.join(name);
        // A directory or a pipe in its place is not read, and a pipe would be waited for.
        if path.exists() && !path.is_file() {
            self.note(name, Found::Altered, "altered: it is no file any more");
            return Ok(());
        }
        let found = path.exists().then(|| Digest::of_file(&path)).transpose()?;
        match found {
            Some(found) if found == *expected => self.note(name, Found::Whole, format!("as {whose} says")),
            Some(_) => self.note(name, Found::Altered, format!("altered: it is not what {whose} says")),
            None => self.note(name, Found::Altered, format!("gone: {whose} speaks of it")),
        }
        Ok(())
    }

    /// The manifest, if what it says can be relied on.
    fn manifest(&mut self, dir: &Path, names: &BTreeSet<String>) -> Result<Option<Manifest>> {
        if !names.contains(manifest::FILE) {
            self.note(manifest::FILE, Found::Altered, "gone: the other files are of a plan");
            return Ok(None);
        }
        if !dir.join(manifest::FILE).is_file() {
            self.note(manifest::FILE, Found::Altered, "altered: it is no file any more");
            return Ok(None);
        }
        match Manifest::read(dir) {
            Ok(manifest) => {
                self.note(manifest::FILE, Found::Whole, "its seal is unbroken");
                Ok(Some(manifest))
            }
            Err(error) if error.kind() == Kind::Unsafe => {
                self.note(
                    manifest::FILE,
                    Found::Altered,
                    "altered: its seal is broken, and what it says proves nothing",
                );
                Ok(None)
            }
            other => self.weigh(manifest::FILE, other),
        }
    }

    /// What the plan was made from: it need not be here any more, but what stands in its place is looked at.
    fn inputs(&mut self, dir: &Path, manifest: &Manifest) -> Result<()> {
        self.input(dir, "roster", &manifest.roster)?;
        if let Some(earlier) = &manifest.earlier {
            self.input(dir, "earlier snapshot", earlier)?;
        }
        let (snapshot, own) = (&manifest.snapshot, manifest.outputs.get(SNAPSHOT));
        if snapshot.path == SNAPSHOT && own == Some(&snapshot.digest) {
            return Ok(());
        }
        self.input(dir, "snapshot", snapshot)
    }

    /// The earlier plans that were asked. They may go on, or be elsewhere by now: what they were is in the manifest.
    fn waves(&mut self, dir: &Path, manifest: &Manifest) -> Result<()> {
        for wave in &manifest.after {
            let (found, what) = match wave.since(dir)? {
                Since::Same => (Found::Whole, "the earlier plan, and its journal ends where it did"),
                Since::WentOn => (Found::Aside, "the earlier plan; its journal has gone on since"),
                Since::Another => (Found::Altered, "altered: not the earlier plan that was asked, or not its journal"),
                Since::Gone => (Found::Aside, "the earlier plan is not here: only its digests are left"),
            };
            self.note(&wave.path, found, what);
        }
        Ok(())
    }

    fn input(&mut self, dir: &Path, what: &str, input: &Input) -> Result<()> {
        let given = Path::new(&input.path);
        let beside = dir.join("..");
        // As it was given, from here or from where the directory was made: another file in its place is a finding.
        let named = [given.to_owned(), beside.join(given)];
        let is_there = named.iter().any(|place| place.is_file());
        // A file beside the directory that has only the name may be anything.
        let moved = given.file_name().map(|name| beside.join(name));
        for place in named.into_iter().chain(moved).filter(|place| place.is_file()) {
            if Digest::of_file(&place)? == input.digest {
                self.note(&input.path, Found::Whole, format!("the {what} that the plan was made from"));
                return Ok(());
            }
        }
        match is_there {
            true => {
                self.note(&input.path, Found::Altered, format!("altered: not the {what} that the plan was made from"));
            }
            false => self.note(&input.path, Found::Aside, format!("the {what} is not here: only its digest is left")),
        }
        Ok(())
    }

    fn journal(&mut self, dir: &Path, names: &BTreeSet<String>) -> Result<Option<Replayed>> {
        let path = dir.join(journal::FILE);
        if names.contains(journal::FILE) {
            self.begun = true;
            if !path.is_file() {
                let what = format!("{} is no file any more", path.display());
                self.damaged(
                    journal::FILE,
                    Error::new(Kind::Damaged, what).hint("bring it back: it is the only proof"),
                );
                return Ok(None);
            }
            return self.weigh(journal::FILE, journal::replay(&path));
        }
        if let Some(result) = plan_dir::results().chain([journal::TORN]).find(|name| names.contains(*name)) {
            self.begun = true;
            let what = format!("{} is gone, and its run had begun: {result} is there", path.display());
            self.damaged(journal::FILE, Error::new(Kind::Damaged, what).hint("bring it back: it is the only proof"));
        }
        Ok(None)
    }

    /// Whether the journal is of this plan and this manifest.
    fn binding(&mut self, dir: &Path, manifest: Option<&Manifest>, ledger: &Ledger) -> Result<bool> {
        let (Some(manifest), Some(bound)) = (manifest, &ledger.bound_to) else { return Ok(true) };
        let path = dir.join(manifest::FILE);
        let found = Digest::of_file(&path)?;
        let Err(error) = bound.check(&dir.join(journal::FILE), manifest.plan_digest(), &found.blake3) else {
            return Ok(true);
        };
        // Of two that do not belong together, one was exchanged: with another plan it is the journal.
        let name = if bound.plan == manifest.plan_digest() { manifest::FILE } else { journal::FILE };
        self.note(name, Found::Altered, error.to_string());
        Ok(false)
    }

    /// The results by the digests of the journal's last line.
    fn close(&mut self, dir: &Path, replayed: &Replayed) -> Result<()> {
        let ledger = &replayed.ledger;
        self.chain = Some(replayed.chain.clone()).filter(|chain| !chain.is_empty());
        let Some(files) = ledger.closed.as_ref().filter(|_| replayed.n_bytes_torn == 0) else {
            let torn = if replayed.n_bytes_torn > 0 { " and its last line is torn" } else { "" };
            let path = dir.join(journal::FILE);
            let what = format!("{} is not closed{torn}: a run was cut off, or one is going on", path.display());
            let verb = if ledger.changes.has_removals() { "rollback" } else { "apply" };
            let hint = format!("rosterdiff {verb} {} goes on, writes the results and closes it", dir.display());
            self.damaged(journal::FILE, Error::new(Kind::Damaged, what).hint(hint));
            return Ok(());
        };
        self.closed = true;
        self.note(
            journal::FILE,
            Found::Whole,
            format!("{} lines, each chained to the one before; closed", ledger.n_lines),
        );
        for (name, digest) in files {
            // Its seal and the header have said the same of the manifest.
            let is_said =
                name == manifest::FILE && (!self.is_whole(name) || Digest::of_file(&dir.join(name))? == *digest);
            if !is_said {
                self.file(dir, name, digest, "the journal's last line")?;
            }
        }
        Ok(())
    }

    /// Both laws, and whether the journal speaks of new rows only.
    fn sums(&mut self, dir: &Path, manifest: &Manifest, ledger: Option<Ledger>) -> Result<()> {
        let plan = parquet::read_frame(&dir.join(PLAN)).and_then(Plan::from_frame);
        let Some(plan) = self.weigh(PLAN, plan)? else { return Ok(()) };
        if *plan.counts() != manifest.counts {
            self.note(manifest::FILE, Found::Altered, format!("altered: it counts other rows than {PLAN} holds"));
            return Ok(());
        }
        self.counts = Some(manifest.counts);
        if let Some(ledger) = ledger {
            self.outcomes = self.weigh(journal::FILE, plan_dir::outcomes(&plan, &ledger))?;
        }
        Ok(())
    }

    /// Whatever else is there.
    fn others(&mut self, names: &BTreeSet<String>) {
        for name in names {
            if self.is_known(name) {
                continue;
            }
            let what = match name.as_str() {
                REPORT | REPORT_MASKED => "made of the others by `rosterdiff report`; nothing relies on it",
                journal::TORN => "what a crash left half-written; nothing proves it until the journal is closed",
                _ if plan_dir::results().any(|result| result == name) => {
                    "not proven: the journal does not end with its digest"
                }
                _ if plan_dir::is_of_a_plan(name) && !self.is_whole(manifest::FILE) => {
                    "not proven: the manifest does not count"
                }
                _ => "not part of the evidence",
            };
            self.note(name, Found::Aside, what);
        }
    }
}
