//! `demo`: the whole promise on real input, against the simulator, over real sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::{self, Connection, Reading};
use super::connect::Session;
use super::render::{Render, count};
use super::{apply, plan, report, simulate, snapshot, verify};
use crate::api::Credentials;
use crate::api::http::{Hosts, Http, Route, base};
use crate::error::{Error, Kind, Result};
use crate::files::atomic;
use crate::files::manifest::Manifest;
use crate::sim::{Org, Server, Settings};

const ROSTER: &str = include_str!("../../data/roster.csv");
const ORGANISATION: &str = include_str!("../../data/org.csv");
/// Calls a minute that the simulated service allows: ten times the real default, so that the demo ends soon.
const RATE: u32 = 3_000;
/// How long listings and searches of the simulated service lag behind writes.
const LAG: Duration = Duration::from_secs(3);

pub(super) async fn run(args: &args::Demo, render: &Render) -> Result<u8> {
    let dir = directory(args)?;
    let server = serve()?;
    render.say(format!(
        "A simulated organisation listens on {}: {} users, {} calls a minute (the real default is 300).",
        server.base_url(),
        count(server.with_org(|org| org.users().len() as u64)),
        count(u64::from(RATE))
    ));
    let stages = Stages { server: &server, dir: &dir, quiet: render };
    stages.all().await?;
    let (conflicts, throttled, posts) = server.with_org(|org| {
        (org.counts().n_conflicts(), org.counts().n_throttled(), org.counts().n("POST", "/api/v2/users"))
    });
    render.say(format!(
        "\nThe organisation saw {} creates, {conflicts} conflicts (409) and {throttled} throttled calls (429).",
        count(posts)
    ));
    render.say(format!(
        "Everything is in {}: start with {}.",
        dir.display(),
        dir.join("hr.plan/report.html").display()
    ));
    server.stop().await;
    render.object(&serde_json::json!({ "dir": dir, "created": posts - conflicts, "conflicts": conflicts, "throttled": throttled }))?;
    Ok(0)
}

fn directory(args: &args::Demo) -> Result<PathBuf> {
    let Some(dir) = &args.dir else { return atomic::fresh_dir("rosterdiff-demo-") };
    std::fs::create_dir_all(dir).map_err(|e| Error::file("make", dir, e))?;
    let is_empty = std::fs::read_dir(dir).map_err(|e| Error::file("read", dir, e))?.next().is_none();
    if is_empty {
        return Ok(dir.clone());
    }
    Err(Error::new(Kind::File, format!("{} is not empty", dir.display())).hint("choose another --dir"))
}

fn serve() -> Result<Server> {
    let settings = Settings { rate_allowed: RATE, list_lag: LAG, search_lag: LAG, ..Settings::default() };
    let mut org = Org::new(settings);
    org.seed_csv(ORGANISATION).map_err(Error::bug)?;
    Server::start(org, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .map_err(|e| Error::new(Kind::File, "cannot listen on loopback").because(e))
}

/// The stages, each the command that a person would type.
struct Stages<'a> {
    server: &'a Server,
    dir: &'a Path,
    quiet: &'a Render,
}

impl Stages<'_> {
    async fn all(&self) -> Result<()> {
        let roster = self.dir.join("hr.csv");
        atomic::write(&roster, |out| out.write_all(ROSTER.as_bytes()).map_err(|e| Error::file("write", &roster, e)))?;
        let org = self.snapshot("org.parquet").await?;
        let first = self.plan(&roster, &org, "hr.plan").await?;
        self.apply("hr.plan").await?;
        self.verify("hr.plan").await?;
        self.report("hr.plan")?;
        self.say(&format!("\nListings lag {} s behind writes here; waiting that long.", LAG.as_secs()));
        tokio::time::sleep(LAG + Duration::from_millis(200)).await;
        let org = self.snapshot("org-after.parquet").await?;
        let second = self.plan(&roster, &org, "hr-after.plan").await?;
        if second.counts.new > 0 {
            return Err(Error::new(Kind::Differs, format!("{} rows are new after the run", second.counts.new)));
        }
        self.say(&format!("The plan after the run has 0 new rows; the one before had {}.", count(first.counts.new)));
        Ok(())
    }

    fn say(&self, text: &str) {
        self.quiet.say(text);
    }

    fn command(&self, text: &str) {
        self.say(&format!("\n$ rosterdiff {text}"));
    }

    /// A stage talks like the demo, but only the demo prints an object.
    fn render(&self) -> Render {
        self.quiet.without_object()
    }

    fn session(&self) -> Result<Session> {
        let url = base(&self.server.base_url())?;
        let credentials = Credentials::client(Settings::default().client_id, simulate::SECRET);
        let wire = Http::new(Hosts { login: url.clone(), api: url }, &Route::default())?;
        Session::with(wire, credentials, &Connection::default())
    }

    async fn snapshot(&self, name: &str) -> Result<PathBuf> {
        self.command(&format!("snapshot -o {name}"));
        let output = self.dir.join(name);
        let args = args::Snapshot { output: output.clone(), connection: Connection::default() };
        done(snapshot::run(&args, || self.session(), &self.render()).await?, "snapshot")?;
        Ok(output)
    }

    async fn plan(&self, roster: &Path, org: &Path, name: &str) -> Result<Manifest> {
        self.command(&format!("plan hr.csv --snapshot {} -o {name}", crate::files::name(org)));
        let dir = self.dir.join(name);
        let args = args::Plan {
            roster: roster.to_owned(),
            snapshot: Some(org.to_owned()),
            output: Some(dir.clone()),
            overwrite: false,
            max_creates: None,
            hold_suspects: false,
            restore_deleted: false,
            earlier: None,
            after: Vec::new(),
            reading: Reading::default(),
            connection: Connection::default(),
        };
        done(plan::run(&args, || self.session().map(Some), &self.render()).await?, "plan")?;
        Manifest::read(&dir)
    }

    async fn apply(&self, name: &str) -> Result<()> {
        self.command(&format!("apply {name} --yes"));
        let (dir, connection) = (self.dir.join(name), Connection::default());
        let args = args::Apply {
            dir,
            yes: true,
            accept_unproven: false,
            age_max: args::AGE_MAX_H,
            canary: None,
            max_failures: None,
            accept: args::Accept::default(),
            settle: 180,
            connection,
        };
        done(apply::run(&args, || self.session(), &self.render()).await?, "apply")
    }

    fn report(&self, name: &str) -> Result<()> {
        self.command(&format!("report {name}"));
        let args = args::Report { dir: self.dir.join(name), output: None, mask: false };
        done(report::tell(&report::make(&args)?, &args, &self.render())?, "report")
    }

    async fn verify(&self, name: &str) -> Result<()> {
        self.command(&format!("verify {name}"));
        let args = args::Verify { dir: self.dir.join(name), offline: false, connection: Connection::default() };
        done(verify::run(&args, || self.session(), &self.render()).await?, "verify")
    }
}

fn done(code: u8, stage: &str) -> Result<()> {
    if code == 0 {
        Ok(())
    } else {
        Err(Error::new(Kind::Differs, format!("{stage} of the demo ended with exit code {code}")))
    }
}
