//! What makes the third test three lines.

pub mod workbook;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A directory of its own, gone at the end of the test.
pub fn scratch() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("rosterdiff-test-").tempdir().unwrap()
}

/// Path of a file in `data/`.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

/// The program, in a clean environment but for the simulator's credentials.
pub fn program(dir: &Path, api_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rosterdiff"));
    command.current_dir(dir).env_clear().env("ROSTERDIFF_API_URL", api_url);
    command.env("GENESYSCLOUD_OAUTHCLIENT_ID", "demo-client").env("GENESYSCLOUD_OAUTHCLIENT_SECRET", "demo-secret");
    command
}

/// Runs an offline command line (split at blanks) in `dir`.
pub fn run(dir: &Path, line: &str) -> Ran {
    Ran::of(program(dir, "http://127.0.0.1:9").args(line.split_whitespace()).output().unwrap())
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The object that `--json` printed, the only thing on stdout.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}
