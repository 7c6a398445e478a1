//! What a plan was made from and what it consists of, with digests.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::files::{self, atomic};
use crate::plan::{Counts, Defaults, Keep};
use crate::roster::Named;
use crate::snapshot::{Certificate, Probe};

/// File name in a plan directory.
pub const FILE: &str = "manifest.json";
/// Version of the layout of a plan directory.
const FORMAT: u32 = 2;

/// Size and BLAKE3 of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Bytes.
    pub bytes: u64,
    /// BLAKE3, 64 hexadecimal digits.
    pub blake3: String,
}

impl Digest {
    /// The digest of bytes in memory.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, blake3: blake3::hash(bytes).to_hex().to_string() }
    }

    /// The digest of a file, read in pieces.
    ///
    /// # Errors
    /// `File`, naming the path.
    pub fn of_file(path: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| Error::file("read", path, e);
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let mut hasher = blake3::Hasher::new();
        let bytes = std::io::copy(&mut file, &mut hasher).map_err(failed)?;
        Ok(Self { bytes, blake3: hasher.finalize().to_hex().to_string() })
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
    /// Rows by verdict.
    pub counts: Counts,
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

    /// Reads the manifest of a plan directory.
    ///
    /// # Errors
    /// `File` if there is none; `Damaged` if it cannot be parsed or is of another layout.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Err(Error::new(Kind::File, format!("{} holds no plan (no {FILE})", dir.display()))
                .hint("make one with `rosterdiff plan ROSTER -o DIR`"));
        }
        let damaged = || Error::new(Kind::Damaged, format!("{} cannot be parsed", path.display()));
        let manifest: Self = serde_json::from_slice(&files::read(&path)?).map_err(|e| damaged().because(e))?;
        if manifest.format != FORMAT {
            return Err(damaged().hint(format!("it has layout {}, this program reads {FORMAT}", manifest.format)));
        }
        Ok(manifest)
    }

    /// Writes it into a plan directory.
    ///
    /// # Errors
    /// `File`.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::bug("the manifest is no JSON").because(e))?;
        let path = dir.join(FILE);
        atomic::write(&path, |out| out.write_all(&text).map_err(|e| Error::file("write", &path, e)))
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
                return Err(
                    Error::new(Kind::Unsafe, format!("{} {how}", path.display())).hint("plan again; nothing was sent")
                );
            }
        }
        Ok(())
    }
}
