//! What can be typed of the commands that need no organisation but a simulated one.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::examples;
use super::numbers::{seconds, whole};

/// `demo`.
#[derive(Debug, Args)]
#[command(override_usage = "rosterdiff demo [OPTIONS]", after_long_help = examples::DEMO)]
pub struct Demo {
    /// Where to put the files [default: a fresh temporary directory]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `simulate`.
#[derive(Debug, Args)]
#[command(override_usage = "rosterdiff simulate [OPTIONS]", after_long_help = examples::SIMULATE)]
pub struct Simulate {
    /// Loopback address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", value_parser = parse_listen)]
    pub listen: SocketAddr,
    /// What the service is like, who is there and what happens meanwhile: a TOML such as those in data/scenarios. Every
    /// other flag wins over it; users are added to its own
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Invented users to begin with
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u32>(0, u32::MAX))]
    pub users: u32,
    /// Users to begin with: a CSV with the column email and, where wanted, id, name, username, state, department, title,
    /// division, employee_id, contacts, roles
    #[arg(long, value_name = "FILE")]
    pub seed_csv: Option<PathBuf>,
    /// Client id that may log in [default: demo-client]
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Calls allowed per token and window [default: 300]
    #[arg(long, value_name = "N", value_parser = whole::<u32>(0, u32::MAX))]
    pub rate: Option<u32>,
    /// Length of a rate window [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = whole::<u32>(1, u32::MAX))]
    pub window: Option<u32>,
    /// Send no inin-ratelimit-* headers
    #[arg(long)]
    pub no_rate_headers: bool,
    /// Seconds until listings and searches see a write [default: 0]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub lag: Option<f64>,
    /// Milliseconds that every call takes [default: 0]
    #[arg(long, value_name = "MS", value_parser = whole::<u64>(0, u32::MAX))]
    pub latency_ms: Option<u64>,
    /// A deleted user's address may be used again
    #[arg(long)]
    pub deleted_is_free: bool,
    /// The cursor listing does not exist (404)
    #[arg(long)]
    pub no_cursor: bool,
    /// Most values that one search takes; above it the answer is 400 [default: 100]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(0, u32::MAX))]
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
    #[arg(long, value_name = "N", value_parser = whole::<u32>(0, u32::MAX))]
    pub page_cap: Option<u32>,
    /// Write every exchange as a line of JSON to this file, which is made, or replaced if it is such a record. Values
    /// that open doors are masked by their names; people are not, so it is readable by you alone
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost", "127.0.0.1");
    text.parse().map_err(|_| "write an address and a port, such as 127.0.0.1:8080".to_owned())
}
