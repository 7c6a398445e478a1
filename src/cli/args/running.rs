//! What can be typed of the commands that talk with an organisation, or look at what did.

use std::path::PathBuf;

use clap::Args;

use super::numbers::whole;
use super::{Connection, examples};
use crate::plan::gates::Limit;

/// `snapshot`.
#[derive(Debug, Args)]
#[command(override_usage = "rosterdiff snapshot [OPTIONS]", after_long_help = examples::SNAPSHOT)]
pub struct Snapshot {
    /// File to write
    #[arg(short, long, value_name = "FILE", default_value = "org.parquet")]
    pub output: PathBuf,
    /// Where the organisation is.
    #[command(flatten, next_help_heading = "Connection")]
    pub connection: Connection,
}

/// Gates that are accepted.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Accept {
    /// Apply a plan although hardly anybody in it matches the organisation
    #[arg(long)]
    pub accept_low_match: bool,
    /// Apply a plan although most of its rows repeat the address of another row
    #[arg(long)]
    pub accept_duplicate_rows: bool,
    /// Apply a plan although most people who are there are called otherwise there
    #[arg(long)]
    pub accept_other_names: bool,
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
#[command(override_usage = "rosterdiff apply [OPTIONS] <DIR>", after_long_help = examples::APPLY)]
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
    #[arg(long, value_name = "HOURS", default_value_t = AGE_MAX_H, value_parser = whole::<u32>(1, u32::MAX))]
    pub age_max: u32,
    /// Create the first N new rows, read them back, and go on only if all of them are there as they were sent; 0
    /// is none, whatever a file of settings says
    #[arg(long, value_name = "N", value_parser = whole::<u32>(0, u32::MAX))]
    pub canary: Option<u32>,
    /// Stop when more than N rows, or P% of the last 200, were refused or stay unknown [default: 50%]
    #[arg(long, value_name = "N|P%", value_parser = Limit::parse)]
    pub max_failures: Option<Limit>,
    /// Seconds for which an unknown create is looked for before it may be sent again
    #[arg(long, value_name = "SECONDS", default_value_t = SETTLE_S, value_parser = whole::<u32>(0, u32::MAX))]
    pub settle: u32,
    /// Gates that are accepted.
    #[command(flatten, next_help_heading = "What was looked at and is accepted")]
    pub accept: Accept,
    /// Where the organisation is.
    #[command(flatten, next_help_heading = "Connection")]
    pub connection: Connection,
}

/// `rollback`.
#[derive(Debug, Args)]
#[command(override_usage = "rosterdiff rollback [OPTIONS] <DIR>", after_long_help = examples::ROLLBACK)]
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
    #[command(flatten, next_help_heading = "Connection")]
    pub connection: Connection,
}

/// `status`.
#[derive(Debug, Args)]
#[command(override_usage = "rosterdiff status [OPTIONS] <DIR>", after_long_help = examples::STATUS)]
pub struct Status {
    /// Directory of the plan
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Go on telling until the run ends
    #[arg(short, long)]
    pub follow: bool,
}

/// `verify`.
#[derive(Debug, Args)]
#[command(override_usage = "rosterdiff verify [OPTIONS] <DIR>", after_long_help = examples::VERIFY)]
pub struct Verify {
    /// Directory of the plan
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Without network: prove that plan, journal and results belong together and no file was altered
    // Hosts and authorities may come from the environment, which forbids nothing: offline they are simply not used.
    #[arg(long, conflicts_with_all = ["profile", "tokens", "per_min"])]
    pub offline: bool,
    /// Where the organisation is.
    #[command(flatten, next_help_heading = "Connection")]
    pub connection: Connection,
}

/// `doctor`.
#[derive(Debug, Args)]
#[command(override_usage = "rosterdiff doctor [OPTIONS] [DIR]", after_long_help = examples::DOCTOR)]
pub struct Doctor {
    /// A plan to forecast [default: 1,000 and 40,000 users]
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Where the organisation is.
    #[command(flatten, next_help_heading = "Connection")]
    pub connection: Connection,
}
