//! What can be typed of `report`.

use std::path::PathBuf;

use clap::Args;

/// What is shown behind `report --help`.
const EXAMPLES: &str = "\
Examples:
  rosterdiff report hr.plan
      writes hr.plan/report.html
  rosterdiff report hr.plan --mask
      writes hr.plan/report-masked.html, the same without addresses and names";

/// `report`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Report {
    /// Directory of the plan
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// File to write [default: DIR/report.html, or DIR/report-masked.html]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Hide who it is about, for sharing: addresses become numbers, names are left out; domains and user ids stay
    #[arg(long)]
    pub mask: bool,
}
