//! What a plan was made from and what it consists of, with digests.
//!
//! The file is sealed: it ends with `,⏎  "seal": "…"⏎}⏎`, and the 64 hexadecimal digits in there are the BLAKE3 of every byte
//! before that ending (the comma is the first byte that is not hashed).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::email::Folds;
use crate::error::{Error, Kind, Result};
use crate::files::after::Wave;
use crate::files::atomic::{self, Draft};
use crate::files::plan_dir::PLAN;
use crate::files::{self, source};
use crate::lanes::Effort;
use crate::plan::after;
use crate::plan::gates::Gate;
use crate::plan::{Counts, Defaults, Disagreeing, Keep};
use crate::roster::{Named, Text};
use crate::snapshot::{Certificate, Probe};

/// File name in a plan directory.
pub const FILE: &str = "manifest.json";
/// Version of the layout of a plan directory; 4 knew no earlier plans, and no reason but one that holds a row back;
/// 5 knew no gate of repeated addresses, and none of other names.
const FORMAT: u32 = 6;
/// The oldest layout that means here what it meant there.
const FORMAT_MIN: u32 = 4;
/// What to do about a manifest that is not what it was.
const BRING_BACK: &str = "bring it back as it was, or plan again into another directory; nothing was sent";
/// What stands before and behind the digits of the seal, to the end of the file.
const SEAL: [&str; 2] = [",\n  \"seal\": \"", "\"\n}\n"];

/// Size and BLAKE3 of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Bytes.
    pub bytes: u64,
    /// BLAKE3, 64 hexadecimal digits.
    pub blake3: String,
}

impl Digest {
    /// The digest of a text, read in pieces: long enough for the hash to use all of a processor's width.
    ///
    /// # Errors
    /// As reading it.
    pub fn of_text(text: &dyn Text) -> Result<Self> {
        let (mut hasher, mut buffer, mut at) = (blake3::Hasher::new(), Vec::new(), 0);
        let bytes = text.n_bytes();
        while at < bytes {
            let end = (at + Effort::CHUNK_BYTES as u64).min(bytes);
            hasher.update(text.read(at..end, &mut buffer)?);
            at = end;
        }
        Ok(Self { bytes, blake3: hasher.finalize().to_hex().to_string() })
    }

    /// The digest of a file.
    ///
    /// # Errors
    /// `File`, naming the path.
    pub fn of_file(path: &Path) -> Result<Self> {
        Self::of_text(&*source::open(path)?)
    }
}

/// A file on its way to its name, whose digest is made while it is written.
#[derive(Debug)]
pub struct Digested {
    draft: Draft,
    path: PathBuf,
    hasher: Box<blake3::Hasher>,
    bytes: u64,
}

impl Digested {
    /// Begins a file that will be at `path`.
    ///
    /// # Errors
    /// `File` if nothing can be written there.
    pub fn new(path: &Path) -> Result<Self> {
        let hasher = Box::new(blake3::Hasher::new());
        Ok(Self { draft: Draft::new(path)?, path: path.to_owned(), hasher, bytes: 0 })
    }

    /// The error of a write that failed.
    #[must_use]
    pub fn failed(&self, cause: std::io::Error) -> Error {
        Error::file("write", &self.path, cause)
    }

    /// The file itself, for whoever brings it to the disk meanwhile.
    ///
    /// # Errors
    /// `File`, naming the path.
    pub fn share(&mut self) -> Result<File> {
        self.draft.file().try_clone().map_err(|e| Error::file("write", &self.path, e))
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// `File`, naming the path.
    pub fn commit(self) -> Result<Digest> {
        self.draft.commit()?;
        Ok(Digest { bytes: self.bytes, blake3: self.hasher.finalize().to_hex().to_string() })
    }
}

impl Write for Digested {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.draft.file().write(bytes)?;
        self.hasher.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.draft.file().flush()
    }
}

/// A file that a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Path as it was given.
    pub path: String,
    /// What it held.
    #[serde(flatten)]
    pub digest: Digest,
}

impl Input {
    /// A file as it is.
    ///
    /// # Errors
    /// `File`, naming the path.
    pub fn of(path: &Path) -> Result<Self> {
        Ok(Self { path: path.display().to_string(), digest: Digest::of_file(path)? })
    }
}

/// What every layout says of itself.
#[derive(Deserialize)]
struct Layout {
    format: u32,
}

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout version.
    pub format: u32,
    /// Program and version.
    pub tool: String,
    /// When the plan was made, RFC 3339, UTC.
    pub made_at: String,
    /// The organisation that the snapshot is of; none for an export made elsewhere.
    pub organisation_id: Option<String>,
    /// The roster.
    pub roster: Input,
    /// The snapshot.
    pub snapshot: Input,
    /// Cell delimiter of the roster and of every CSV made from it.
    pub delimiter: char,
    /// Which columns were taken for what.
    pub mapping: Named,
    /// Which of several rows with one key stands.
    pub keep: Keep,
    /// What a create sends where the roster says nothing.
    pub defaults: Defaults,
    /// What made keys alike beyond the address itself.
    pub folds: Folds,
    /// Whether `apply` also restores the users of `deleted` rows.
    pub restore_deleted: bool,
    /// What nobody should create people over without a second look, as it was found.
    pub gates: Vec<Gate>,
    /// An earlier snapshot that this one was held against.
    pub earlier: Option<Input>,
    /// The earlier plans that were asked, in the order of their paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Wave>,
    /// Rows by what they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_rows: Option<after::Counts>,
    /// Rows by verdict.
    pub counts: Counts,
    /// Present rows that disagree with the organisation.
    pub disagreeing: Disagreeing,
    /// Likenesses of new rows to somebody, by kind.
    pub suspects: BTreeMap<String, u64>,
    /// New rows that resemble somebody.
    pub suspect_rows: u64,
    /// New rows that are held back.
    pub held: u64,
    /// Whether every verdict is proven.
    pub complete: bool,
    /// What the snapshot proved.
    pub certificate: Option<Certificate>,
    /// What looking keys up proved, where that was done.
    pub probe: Option<Probe>,
    /// The files of the plan.
    pub outputs: BTreeMap<String, Digest>,
}

impl Manifest {
    /// The layout version of this program.
    pub const FORMAT: u32 = FORMAT;

    /// The counts of what `apply` would create: without the rows that are held back.
    #[must_use]
    pub const fn to_create(&self) -> Counts {
        Counts { new: self.counts.new.saturating_sub(self.held), ..self.counts }
    }

    /// Reads the manifest of a plan directory.
    ///
    /// # Errors
    /// `File` if there is none; `Damaged` if it cannot be parsed or is of another layout; `Unsafe` if its seal is broken.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Err(Error::new(Kind::File, format!("{} holds no plan (no {FILE})", dir.display()))
                .hint("make one with `rosterdiff plan ROSTER -o DIR`"));
        }
        let damaged = || Error::new(Kind::Damaged, format!("{} cannot be parsed", path.display())).hint(BRING_BACK);
        let text = files::read(&path)?;
        // First of all: what another layout says may not be understood here.
        let Layout { format } = serde_json::from_slice(&text).map_err(|e| damaged().because(e))?;
        if !(FORMAT_MIN..=FORMAT).contains(&format) {
            let hint = format!("it has layout {format}, this program reads {FORMAT_MIN} to {FORMAT}");
            return Err(damaged().hint(hint));
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|e| damaged().because(e))?;
        if !is_sealed(&text) {
            return Err(Error::new(Kind::Unsafe, format!("{} was altered since the plan was made", path.display()))
                .hint(BRING_BACK));
        }
        Ok(manifest)
    }

    /// Writes it into a plan directory, sealed.
    ///
    /// # Errors
    /// `File`.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::bug("the manifest is no JSON").because(e))?;
        let body = text.strip_suffix(b"\n}").ok_or_else(|| Error::bug("the manifest is no JSON object"))?;
        let text = [body, &ending(body)].concat();
        let path = dir.join(FILE);
        atomic::write(&path, |out| out.write_all(&text).map_err(|e| Error::file("write", &path, e)))
    }

    /// BLAKE3 of the plan's frame.
    #[must_use]
    pub fn plan_digest(&self) -> &str {
        self.outputs.get(PLAN).map_or("", |digest| digest.blake3.as_str())
    }

    /// How many deleted users `apply` is to restore.
    #[must_use]
    pub const fn to_restore(&self) -> u64 {
        if self.restore_deleted { self.counts.deleted } else { 0 }
    }

    /// Holds a directory against this manifest, whose bytes have that digest: a confirmation may take minutes.
    ///
    /// # Errors
    /// `Unsafe` if it was planned again meanwhile, or if a file was altered.
    pub fn check_still(&self, dir: &Path, digest: &str) -> Result<()> {
        self.check_outputs(dir)?;
        if Self::read(dir)? == *self && Digest::of_file(&dir.join(FILE))?.blake3 == digest {
            return Ok(());
        }
        Err(Error::new(Kind::Unsafe, format!("{} was planned again meanwhile", dir.display()))
            .hint("look at the new plan and run the same command again; nothing was sent"))
    }

    /// Holds the files of a directory against the digests.
    ///
    /// # Errors
    /// `Unsafe` if a file was altered or is gone.
    pub fn check_outputs(&self, dir: &Path) -> Result<()> {
        for (name, expected) in &self.outputs {
            let path = dir.join(name);
            let found = path.exists().then(|| Digest::of_file(&path)).transpose()?;
            if found.as_ref() != Some(expected) {
                let how = if found.is_some() { "was altered since the plan was made" } else { "is gone" };
                return Err(Error::new(Kind::Unsafe, format!("{} {how}", path.display())).hint(BRING_BACK));
            }
        }
        Ok(())
    }
}

/// How the file ends whose other bytes are `body`: with their seal.
fn ending(body: &[u8]) -> Vec<u8> {
    [SEAL[0], blake3::hash(body).to_hex().as_str(), SEAL[1]].concat().into_bytes()
}

/// Whether a file is, byte for byte, what was sealed.
fn is_sealed(text: &[u8]) -> bool {
    let n_ending = SEAL[0].len() + 2 * blake3::OUT_LEN + SEAL[1].len();
    let parts = text.len().checked_sub(n_ending).map(|at| text.split_at(at));
    parts.is_some_and(|(body, end)| end == ending(body))
}
