//! What can be typed. Only clap knows these types; nothing below the door sees them.

mod reading;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::audit::By;
use crate::plan::gates::Limit;

pub use reading::{DefaultField, KeepWord, Reading, VerdictWord};

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
    /// Delete the users that a run created and nobody has changed since; shows them first
    Rollback(Rollback),
    /// Say how far a plan's run is, from its journal
    Status(Status),
    /// Read back what was created, field by field, and prove the sums; offline, that no file was altered
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
    /// Most users that `apply` may create: a number, or a share of the rows such as 5%
    #[arg(long, value_name = "N|P%", value_parser = Limit::parse)]
    pub max_creates: Option<Limit>,
    /// Do not create new rows that resemble a user, or a new row before them, until somebody has looked at suspects.csv
    #[arg(long)]
    pub hold_suspects: bool,
    /// Let `apply` restore the users of `deleted` rows, too: without their roles and other things they had
    #[arg(long)]
    pub restore_deleted: bool,
    /// An earlier snapshot of the same organisation: one that has shrunk since stops `apply`
    #[arg(long, value_name = "FILE")]
    pub earlier: Option<PathBuf>,
    /// How the roster is read.
    #[command(flatten)]
    pub reading: Reading,
    /// Where the organisation is.
    #[command(flatten)]
    pub connection: Connection,
}

/// Gates that are accepted.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Accept {
    /// Apply a plan although hardly anybody in it matches the organisation
    #[arg(long)]
    pub accept_low_match: bool,
    /// Apply a plan although many new rows have domains that the organisation never saw
    #[arg(long)]
    pub accept_new_domains: bool,
    /// Apply a plan although its snapshot held nobody
    #[arg(long)]
    pub accept_empty_snapshot: bool,
    /// Apply a plan although its snapshot held fewer users than an earlier one
    #[arg(long)]
    pub accept_shrunk_snapshot: bool,
    /// Most users to create, instead of what `plan` was told: a number, or a share of the rows such as 5%
    #[arg(long, value_name = "N|P%", value_parser = Limit::parse)]
    pub max_creates: Option<Limit>,
}

/// Seconds for which an unknown create is looked for, unless something else is said.
pub const SETTLE_S: u32 = 180;

/// Hours that what proves a plan may be old, unless something else is said.
pub const AGE_MAX_H: u32 = 24;

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
    /// Hours that the snapshot, or whatever else proves the plan, may be old
    #[arg(long, value_name = "HOURS", default_value_t = AGE_MAX_H, value_parser = clap::value_parser!(u32).range(1..))]
    pub age_max: u32,
    /// Create the first N new rows, read them back, and go on only if all of them are there as they were sent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub canary: Option<u32>,
    /// Stop when more than N rows, or P% of the last 200, were refused or stay unknown [default: 50%]
    #[arg(long, value_name = "N|P%", value_parser = Limit::parse)]
    pub max_failures: Option<Limit>,
    /// Gates that are accepted.
    #[command(flatten)]
    pub accept: Accept,
    /// Seconds for which an unknown create is looked for before it may be sent again
    #[arg(long, value_name = "SECONDS", default_value_t = SETTLE_S)]
    pub settle: u32,
    /// Where the organisation is.
    #[command(flatten)]
    pub connection: Connection,
}

/// `rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// Directory of the plan
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Delete those too that are inferred to be created by the run, since their replies were lost
    #[arg(long)]
    pub adopted: bool,
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
    /// Without network: prove that plan, journal and results belong together and no file was altered
    // Hosts and authorities may come from the environment, which forbids nothing: offline they are simply not used.
    #[arg(long, conflicts_with_all = ["profile", "tokens", "per_min"])]
    pub offline: bool,
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
    /// What the service is like, who is there and what happens meanwhile: a TOML such as those in data/scenarios. Every
    /// other flag wins over it; users are added to its own
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Invented users to begin with
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub users: u32,
    /// Users to begin with: a CSV with the column email and, where wanted, id, name, username, state, department, title,
    /// division, employee_id, contacts, roles
    #[arg(long, value_name = "FILE")]
    pub seed_csv: Option<PathBuf>,
    /// Client id that may log in [default: demo-client]
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Calls allowed per token and window [default: 300]
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    /// Length of a rate window [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub window: Option<u32>,
    /// Send no inin-ratelimit-* headers
    #[arg(long)]
    pub no_rate_headers: bool,
    /// Seconds until listings and searches see a write [default: 0]
    #[arg(long, value_name = "SECONDS")]
    pub lag: Option<f64>,
    /// Milliseconds that every call takes [default: 0]
    #[arg(long, value_name = "MS")]
    pub latency_ms: Option<u64>,
    /// A deleted user's address may be used again
    #[arg(long)]
    pub deleted_is_free: bool,
    /// The cursor listing does not exist (404)
    #[arg(long)]
    pub no_cursor: bool,
    /// Most values that one search takes; above it the answer is 400 [default: 100]
    #[arg(long, value_name = "N")]
    pub search_values: Option<usize>,
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
    /// Write every exchange as a line of JSON to this file, which is made, or replaced if it is such a record. Values
    /// that open doors are masked by their names; people are not, so it is readable by you alone
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}
