//! What can be typed. Only clap knows these types; nothing below the door sees them.

mod comparing;
mod reading;
mod report;
mod running;
mod simulated;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use comparing::{Audit, ByWord, Diff, Plan};
pub use reading::{DefaultField, KeepWord, Reading, VerdictWord};
pub use report::Report;
pub use running::{AGE_MAX_H, Accept, Apply, Doctor, Rollback, SETTLE_S, Snapshot, Status, Verify};
pub use simulated::{Demo, Simulate};

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
    /// Make one HTML page with pictures of a plan and its runs
    Report(Report),
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
