//! What can be typed. Only clap knows these types; nothing below the door sees them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::audit::By;
use crate::files::table::Picks;
use crate::lanes::{Effort, Stop};
use crate::plan::{Defaults, Keep, Policy, Verdict};
use crate::roster::encoding::Encoding;
use crate::roster::{Delimiter, Headline, Opening, Wanted};

/// Bring a CSV of people into a Genesys Cloud organisation: no 409, no double, no lost row.
#[derive(Debug, Parser)]
#[command(name = "rosterdiff", version, max_term_width = 110, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to talk.
    #[command(flatten)]
    pub talk: Talk,
}

/// Options of every command.
#[derive(Clone, Copy, Debug, Args)]
pub struct Talk {
    /// Print exactly one JSON object on stdout at the end
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See the whole promise kept on sample data, against a simulated organisation on loopback
    Demo(Demo),
    /// Page through ALL users of every state into one parquet with a completeness certificate
    Snapshot(Snapshot),
    /// Compare offline: the new rows to stdout or to a file, nothing else written
    Diff(Diff),
    /// Find who is there more than once, inside and across rosters and snapshots
    Audit(Audit),
    /// Give every row exactly one verdict; writes a plan directory, changes nothing at the service
    Plan(Plan),
    /// Create the new rows of a plan; run again, it resumes
    Apply(Apply),
    /// Say how far a plan's run is, from its journal
    Status(Status),
    /// Read back what was created, field by field, and prove the sums
    Verify(Verify),
    /// Say what a run would meet and how long it would take; reads only
    Doctor(Doctor),
    /// Serve a simulated organisation on loopback
    Simulate(Simulate),
}

/// Where the organisation is. Credentials and region come from the environment (`GENESYSCLOUD_OAUTHCLIENT_ID`,
/// `GENESYSCLOUD_OAUTHCLIENT_SECRET` or `GENESYSCLOUD_ACCESS_TOKEN`, and `GENESYSCLOUD_REGION`) or from a profile of
/// `~/.gc/config.toml`, never from an argument.
#[derive(Clone, Debug, Default, Args)]
pub struct Connection {
    /// Profile of ~/.gc/config.toml to take credentials and region from, instead of the environment
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Replaces the region's API host
    #[arg(long, value_name = "URL", env = "ROSTERDIFF_API_URL", hide_env_values = true)]
    pub api_url: Option<String>,
    /// Replaces the region's login host (by default the API host, if that is on loopback)
    #[arg(long, value_name = "URL", env = "ROSTERDIFF_LOGIN_URL", hide_env_values = true)]
    pub login_url: Option<String>,
    /// PEM file of certificate authorities to trust beside the system's
    #[arg(long, value_name = "FILE", env = "ROSTERDIFF_CA_FILE", hide_env_values = true)]
    pub ca_file: Option<PathBuf>,
    /// OAuth tokens to spread calls over; each has its own limit at the service
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=50))]
    pub tokens: u8,
    /// Cap on calls per minute for the whole run, on top of what the service allows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub per_min: Option<u32>,
}

/// How a roster is read.
#[derive(Clone, Debug, Default, Args)]
pub struct Reading {
    /// Which column holds a field: email, name, department, title, division or phone; name="First Name"+"Last Name"
    /// joins two, and title= leaves a field out
    #[arg(long = "map", value_name = "FIELD=COLUMN", value_parser = parse_map)]
    pub maps: Vec<Wanted>,
    /// The first line is a record already: columns by number, as in --map email=2 --map name=3+4; without --map they are
    /// those of Genesys Cloud's own import template
    #[arg(long)]
    pub no_header: bool,
    /// What new rows are created with where the roster says nothing: department, title or division
    #[arg(long = "default", value_name = "FIELD=VALUE", value_parser = parse_default)]
    pub defaults: Vec<(DefaultField, String)>,
    /// Which of several rows with one key stands
    #[arg(long, value_enum, default_value_t = KeepWord::First)]
    pub keep: KeepWord,
    /// What parts the cells: one character, or "tab" [default: what the header shows]
    #[arg(long, value_name = "CHAR", value_parser = parse_delimiter)]
    pub delimiter: Option<u8>,
    /// Encoding of the file: utf-8, utf-16le, utf-16be or windows-1252 [default: what its bytes show]
    #[arg(long, value_name = "NAME", value_parser = parse_encoding)]
    pub encoding: Option<Encoding>,
    /// Sheet of a workbook, by name or number [default: the first visible one that holds anything]
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// Threads to read and compare with [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub threads: Option<u8>,
    /// Whether the work is still wanted: nothing that anybody says in words.
    #[arg(skip)]
    pub stop: Stop,
}

fn parse_encoding(text: &str) -> Result<Encoding, String> {
    let names = Encoding::ALL.map(Encoding::as_str).join(", ");
    Encoding::from_name(text).ok_or_else(|| format!("\"{text}\" is not read here; {names} are"))
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.to_ascii_lowercase().as_str() {
        "tab" | "\\t" => return Ok(b'\t'),
        _ => {}
    }
    match text.as_bytes() {
        // Quotes, line ends, and whatever our own words and numbers are made of.
        [b'"' | b'\'' | b'\n' | b'\r' | 0 | b'.' | b'_' | b'+' | b'-' | b'@' | b' '] => {
            Err(format!("{text:?} stands inside of cells and cannot part them"))
        }
        [byte] if byte.is_ascii_alphanumeric() => Err(format!("{text:?} stands inside of cells and cannot part them")),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("write one ASCII character, such as \";\", or \"tab\"".to_owned()),
    }
}

fn parse_map(text: &str) -> Result<Wanted, String> {
    let (field, column) = text.split_once('=').ok_or("write FIELD=COLUMN, as in email=\"Work Email\"")?;
    Ok(Wanted { field: field.trim().to_ascii_lowercase(), column: column.to_owned() })
}

impl Reading {
    /// How the file is opened.
    #[must_use]
    pub fn opening(&self) -> Opening {
        Opening {
            delimiter: self.delimiter.map_or(Delimiter::Detect, Delimiter::Said),
            headline: if self.no_header { Headline::Missing } else { Headline::Named },
            effort: self.effort(),
        }
    }

    /// What is said of the file.
    #[must_use]
    pub fn picks(&self) -> Picks {
        Picks { encoding: self.encoding, sheet: self.sheet.clone() }
    }

    /// How much is done at a time.
    #[must_use]
    pub fn effort(&self) -> Effort {
        let effort = self.threads.map_or_else(Effort::default, |threads| Effort::of_threads(threads.into()));
        Effort { stop: self.stop, ..effort }
    }

    /// What decides beside roster and snapshot.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let mut defaults = Defaults::default();
        for (field, value) in &self.defaults {
            let slot = match field {
                DefaultField::Department => &mut defaults.department,
                DefaultField::Title => &mut defaults.title,
                DefaultField::Division => &mut defaults.division,
            };
            *slot = Some(value.clone());
        }
        Policy { keep: self.keep.into(), defaults }
    }
}

/// What `--default` can fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words speak for themselves")]
pub enum DefaultField {
    Department,
    Title,
    Division,
}

fn parse_default(text: &str) -> Result<(DefaultField, String), String> {
    let (field, value) = text.split_once('=').ok_or("write FIELD=VALUE, as in department=\"New hires\"")?;
    let field = match field.trim().to_ascii_lowercase().as_str() {
        "department" => DefaultField::Department,
        "title" => DefaultField::Title,
        "division" => DefaultField::Division,
        other => return Err(format!("\"{other}\" has no default; department, title and division have")),
    };
    let value = value.trim();
    if value.is_empty() { Err("a default needs a value".to_owned()) } else { Ok((field, value.to_owned())) }
}

/// `--keep`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum KeepWord {
    /// The first row stands
    #[default]
    First,
    /// The last row stands
    Last,
    /// None of them stands
    None,
}

impl From<KeepWord> for Keep {
    fn from(word: KeepWord) -> Self {
        match word {
            KeepWord::First => Self::First,
            KeepWord::Last => Self::Last,
            KeepWord::None => Self::None,
        }
    }
}

/// `--verdict`.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[expect(missing_docs, reason = "the words speak for themselves")]
pub enum VerdictWord {
    New,
    Present,
    Deleted,
    Duplicate,
    Invalid,
    All,
}

impl VerdictWord {
    /// The verdicts meant.
    #[must_use]
    pub fn verdicts(self) -> Vec<Verdict> {
        match self {
            Self::New => vec![Verdict::New],
            Self::Present => vec![Verdict::Present],
            Self::Deleted => vec![Verdict::Deleted],
            Self::Duplicate => vec![Verdict::Duplicate],
            Self::Invalid => vec![Verdict::Invalid],
            Self::All => Verdict::ALL.to_vec(),
        }
    }
}

/// `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Where to put the files [default: a fresh temporary directory]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `snapshot`.
#[derive(Debug, Args)]
pub struct Snapshot {
    /// File to write
    #[arg(short, long, value_name = "FILE", default_value = "org.parquet")]
    pub output: PathBuf,
    /// Where the organisation is.
    #[command(flatten)]
    pub connection: Connection,
}

/// `diff`.
#[derive(Debug, Args)]
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
    #[command(flatten)]
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
    #[command(flatten)]
    pub reading: Reading,
}

/// `plan`.
#[derive(Debug, Args)]
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
    /// How the roster is read.
    #[command(flatten)]
    pub reading: Reading,
    /// Where the organisation is.
    #[command(flatten)]
    pub connection: Connection,
}

/// `apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// Directory of the plan
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Apply a plan that is not proven: it is bound to the organisation it meets, and every row is looked up first
    #[arg(long)]
    pub accept_unproven: bool,
    /// Seconds for which an unknown create is looked for before it may be sent again
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    pub settle: u32,
    /// Where the organisation is.
    #[command(flatten)]
    pub connection: Connection,
}

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Directory of the plan
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Directory of the plan
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Where the organisation is.
    #[command(flatten)]
    pub connection: Connection,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// A plan to forecast [default: 1,000 and 40,000 users]
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Where the organisation is.
    #[command(flatten)]
    pub connection: Connection,
}

/// `simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Loopback address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Invented users to begin with
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub users: u32,
    /// Users to begin with: a CSV with the columns id, name, email, username, state, department, title
    #[arg(long, value_name = "FILE")]
    pub seed_csv: Option<PathBuf>,
    /// Client id that may log in
    #[arg(long, value_name = "ID", default_value = "demo-client")]
    pub client_id: String,
    /// Calls allowed per token and window
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub rate: u32,
    /// Length of a rate window
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub window: u32,
    /// Send no inin-ratelimit-* headers
    #[arg(long)]
    pub no_rate_headers: bool,
    /// Seconds until listings and searches see a write
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    pub lag: f64,
    /// Milliseconds that every call takes
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency_ms: u64,
    /// A deleted user's address may be used again
    #[arg(long)]
    pub deleted_is_free: bool,
    /// The cursor listing does not exist (404)
    #[arg(long)]
    pub no_cursor: bool,
    /// Most values that one search takes; above it the answer is 400
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub search_values: usize,
    /// Usernames cannot be searched (400)
    #[arg(long)]
    pub no_username_search: bool,
    /// The search tells upper from lower case
    #[arg(long)]
    pub search_case: bool,
    /// Divisions beside the home division
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub divisions: Vec<String>,
    /// Users after which the listing of a state answers 400 [default: 10,000 for inactive, none for the others]
    #[arg(long, value_name = "N")]
    pub page_cap: Option<u32>,
}
