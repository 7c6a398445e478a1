//! What can be typed of the commands that compare: `diff`, `audit` and `plan`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::examples;
use super::{Connection, Reading, VerdictWord};
use crate::audit::By;
use crate::plan::gates::Limit;

/// `init`.
#[derive(Debug, Args)]
#[command(override_usage = "rosterdiff init [OPTIONS] <ROSTER>", after_long_help = examples::INIT)]
pub struct Init {
    /// CSV, TSV, XLSX or parquet of people; - is standard input
    #[arg(value_name = "ROSTER")]
    pub roster: PathBuf,
    /// File to write
    #[arg(short, long, value_name = "FILE", default_value = crate::cli::config::NAME)]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub overwrite: bool,
    /// How the roster is read.
    #[command(flatten, next_help_heading = "Reading the roster")]
    pub reading: Reading,
}

/// `diff`.
#[derive(Debug, Args)]
#[command(override_usage = "rosterdiff diff [OPTIONS] --snapshot <FILE> <ROSTER>", after_long_help = examples::DIFF)]
pub struct Diff {
    /// CSV, TSV, XLSX or parquet of people; - is standard input
    #[arg(value_name = "ROSTER")]
    pub roster: PathBuf,
    /// A parquet of `snapshot`, or any CSV, XLSX or parquet export with an e-mail column
    #[arg(long, value_name = "FILE")]
    pub snapshot: PathBuf,
    /// File to write, .csv or .parquet [default: CSV to stdout]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which rows to write
    #[arg(long, value_enum, default_value_t = VerdictWord::New)]
    pub verdict: VerdictWord,
    /// How the roster is read.
    #[command(flatten, next_help_heading = "Reading the roster")]
    pub reading: Reading,
}

/// `--by`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum ByWord {
    /// The normalised address; of a user the e-mail and the username
    #[default]
    Email,
    /// The name, whatever its case, its blanks and the form of its letters
    Name,
    /// The employee id, a column of that name or --map employee-id=COLUMN
    EmployeeId,
}

impl From<ByWord> for By {
    fn from(word: ByWord) -> Self {
        match word {
            ByWord::Email => Self::Email,
            ByWord::Name => Self::Name,
            ByWord::EmployeeId => Self::EmployeeId,
        }
    }
}

/// `audit`.
#[derive(Debug, Args)]
#[command(
    override_usage = "rosterdiff audit [OPTIONS] <FILE>...",
    after_long_help = examples::AUDIT,
    mut_arg("defaults", |arg| arg.hide(true)),
    mut_arg("maps", |arg| arg.help(
        "Which column of the rosters holds a field: email, name, department, title, or employee-id for --by employee-id"
    )),
    mut_arg("keep", |arg| arg.help("Which row of a cluster stands, where no live user is in it")),
)]
pub struct Audit {
    /// Rosters (CSV, TSV, XLSX or parquet; - is standard input) and parquets of `snapshot`, in any number: a parquet of
    /// `snapshot` is known by its certificate, everything else is a roster, and the flags about reading hold for every one
    #[arg(value_name = "FILE", required_unless_present = "snapshots")]
    pub files: Vec<PathBuf>,
    /// A file that lists an organisation, and is no roster: a parquet of `snapshot`, or any CSV, XLSX or parquet export
    /// with an e-mail column. May be given several times; comes behind every FILE
    #[arg(long = "snapshot", value_name = "FILE")]
    pub snapshots: Vec<PathBuf>,
    /// File to write, .csv or .parquet [default: CSV to stdout]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What people of one cluster have in common
    #[arg(long, value_enum, default_value_t = ByWord::Email)]
    pub by: ByWord,
    /// How the rosters are read.
    #[command(flatten, next_help_heading = "Reading the roster")]
    pub reading: Reading,
}

/// `plan`.
#[derive(Debug, Args)]
#[command(override_usage = "rosterdiff plan [OPTIONS] <ROSTER>", after_long_help = examples::PLAN)]
pub struct Plan {
    /// CSV, TSV, XLSX or parquet of people; - is standard input
    #[arg(value_name = "ROSTER")]
    pub roster: PathBuf,
    /// A parquet of `snapshot`, or any CSV, XLSX or parquet export with an e-mail column [default: take a snapshot first]
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// Directory to write [default: the roster's name with .plan, in the current directory]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Replace a plan whose run has not begun
    #[arg(long)]
    pub overwrite: bool,
    /// Most users that `apply` may create: a number, or a share of the rows such as 5%
    #[arg(long, value_name = "N|P%", value_parser = Limit::parse)]
    pub max_creates: Option<Limit>,
    /// Do not create new rows that resemble a user, or a new row before them, until somebody has looked at suspects.csv
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set, default_value_t = false, hide_default_value = true, hide_possible_values = true, value_name = "true|false")]
    pub hold_suspects: bool,
    /// Let `apply` restore the users of `deleted` rows, too: without their roles and other things they had
    #[arg(long)]
    pub restore_deleted: bool,
    /// An earlier snapshot of the same organisation: one that has shrunk since stops `apply`
    #[arg(long, value_name = "FILE")]
    pub earlier: Option<PathBuf>,
    /// Directories of earlier plans of the same organisation, behind the ROSTER: whom their journals know to be there is
    /// present, what they have not settled is held back, and who was refused before is in again.csv
    #[arg(long, value_name = "DIR", num_args = 1..)]
    pub after: Vec<PathBuf>,
    /// How the roster is read.
    #[command(flatten, next_help_heading = "Reading the roster")]
    pub reading: Reading,
    /// Where the organisation is.
    #[command(flatten, next_help_heading = "Connection")]
    pub connection: Connection,
}
