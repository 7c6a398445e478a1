//! What can be typed. Only clap knows these types; nothing below the door sees them.

mod comparing;
mod completing;
mod examples;
mod numbers;
mod reading;
mod report;
mod running;
mod settings;
mod simulated;
mod wrong;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::config::FoundHost;

pub use comparing::{Audit, ByWord, Diff, Init, Plan};
pub use completing::Completions;
use numbers::whole;
pub use reading::{DefaultField, KeepWord, Reading, VerdictWord};
pub use report::Report;
pub use running::{AGE_MAX_H, Accept, Apply, Doctor, Rollback, SETTLE_S, Snapshot, Status, Verify};
pub use settings::{check, parse, parse_with};
pub use simulated::{Demo, Simulate};
pub use wrong::Stop;

/// Bring a CSV of people into a Genesys Cloud organisation: no 409, no double, no lost row.
#[derive(Debug, Parser)]
#[command(
    name = "rosterdiff",
    version,
    max_term_width = 110,
    disable_help_subcommand = true,
    override_usage = "rosterdiff <COMMAND> [OPTIONS]",
    after_help = examples::SHORT,
    after_long_help = examples::ALL
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to talk.
    #[command(flatten, next_help_heading = "Output and settings")]
    pub talk: Talk,
    /// Where settings are.
    #[command(flatten)]
    pub settings: Settings,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
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
    /// Write what happens as lines of JSON to this file or pipe, for programs; a file that is no such record is kept
    #[arg(long, global = true, value_name = "FILE")]
    pub events: Option<PathBuf>,
}

/// Where settings are.
#[derive(Clone, Debug, Default, Args)]
pub struct Settings {
    /// Take settings from FILE, which flags and the environment win over [default: rosterdiff.toml, if it is in the
    /// current directory]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Take no settings from a file
    #[arg(long, global = true, conflicts_with = "config")]
    pub no_config: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See the whole promise kept on sample data, against a simulated organisation on loopback
    Demo(Demo),
    /// Page through ALL users of every state into one parquet with a completeness certificate
    Snapshot(Snapshot),
    /// Write a commented rosterdiff.toml from the roster at hand: which column was taken for what, and every setting
    Init(Init),
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
    /// Print what makes a shell complete commands and flags
    Completions(Completions),
}

impl Command {
    /// The options about reading, of a command that takes settings for them.
    pub const fn reading(&mut self) -> Option<&mut Reading> {
        match self {
            Self::Diff(Diff { reading, .. })
            | Self::Audit(Audit { reading, .. })
            | Self::Plan(Plan { reading, .. }) => Some(reading),
            _ => None,
        }
    }

    /// The options about the organisation.
    pub const fn connection(&mut self) -> Option<&mut Connection> {
        match self {
            Self::Snapshot(Snapshot { connection, .. })
            | Self::Plan(Plan { connection, .. })
            | Self::Apply(Apply { connection, .. })
            | Self::Rollback(Rollback { connection, .. })
            | Self::Verify(Verify { connection, .. })
            | Self::Doctor(Doctor { connection, .. }) => Some(connection),
            _ => None,
        }
    }
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
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u8>(1, 50))]
    pub tokens: u8,
    /// Cap on calls per minute for the whole run, on top of what the service allows
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1, u32::MAX))]
    pub per_min: Option<u32>,
    /// What a file of settings says, and no flag can.
    #[arg(skip)]
    pub filed: Filed,
}

/// What a file of settings says of the organisation. It counts where the environment has nothing to say.
#[derive(Clone, Debug, Default)]
pub struct Filed {
    /// Region, for credentials of the environment.
    pub region: Option<String>,
    /// Profile, where the environment has no credentials.
    pub profile: Option<String>,
    /// Hosts that it names, if nobody named the file: they count only where nobody says otherwise of which organisation it is.
    pub hosts: Vec<FoundHost>,
    /// Which file was asked for.
    pub asked: Settings,
}
