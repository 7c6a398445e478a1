//! An organisation, a client of it, and the way from roster to outcomes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rosterdiff::api::wire::{Lost, Reply, Request, Wire};
use rosterdiff::api::{Client, Credentials, Options};
use rosterdiff::apply::journal::{self, Journal};
use rosterdiff::apply::ledger::{Binding, Ledger};
use rosterdiff::apply::{self, Outcome, Outcomes};
use rosterdiff::error::Result;
use rosterdiff::files::plan_dir;
use rosterdiff::plan::{Keep, Plan};
use rosterdiff::roster;
use rosterdiff::sim::{Direct, Org, Settings};
use rosterdiff::snapshot::Snapshot;
use rosterdiff::take;
use tokio::sync::watch;

/// What a test does to a request: `Ok` lets it through.
pub type Mischief = dyn Fn(u64, &Request) -> Mischance + Send + Sync;

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischance {
    /// Nothing.
    None,
    /// The connection is refused.
    Refused,
    /// It is lost on the way there.
    LostBefore,
    /// It is carried out and the reply is lost.
    LostAfter,
    /// It is answered with that status, and not carried out.
    Answered(u16),
}

/// The simulator with a bad line in front of it.
pub struct Line {
    pub inner: Direct,
    n_sent: AtomicU64,
    mischief: Box<Mischief>,
}

impl Wire for Line {
    async fn send(&self, request: Request) -> Result<Reply, Lost> {
        let n = self.n_sent.fetch_add(1, Ordering::Relaxed);
        match (self.mischief)(n, &request) {
            Mischance::None => self.inner.send(request).await,
            Mischance::Refused => Err(Lost::NotSent("connection refused".to_owned())),
            Mischance::LostBefore => Err(Lost::Unknown("connection reset".to_owned())),
            Mischance::Answered(status) => Ok(Reply { status, headers: Vec::new(), body: b"{}".to_vec() }),
            Mischance::LostAfter => {
                self.inner.send(request).await?;
                Err(Lost::Unknown("connection reset".to_owned()))
            }
        }
    }
}

pub struct Rig {
    pub direct: Direct,
    pub client: Arc<Client<Line>>,
}

pub fn is_create(request: &Request) -> bool {
    request.path == "/api/v2/users" && format!("{request:?}").starts_with("Post")
}

pub fn rig(org: Org) -> Rig {
    rig_with(org, Options::default(), |_, _| Mischance::None)
}

pub fn rig_with(
    org: Org,
    options: Options,
    mischief: impl Fn(u64, &Request) -> Mischance + Send + Sync + 'static,
) -> Rig {
    let direct = Direct::new(org);
    Rig { client: client(&direct, options, mischief), direct }
}

/// Another client of the same organisation, as a new process would be.
pub fn client(
    direct: &Direct,
    options: Options,
    mischief: impl Fn(u64, &Request) -> Mischance + Send + Sync + 'static,
) -> Arc<Client<Line>> {
    let credentials = Credentials::client("demo-client", "demo-secret");
    let line = Line { inner: direct.clone(), n_sent: AtomicU64::new(0), mischief: Box::new(mischief) };
    Client::new(line, credentials, options)
}

/// An organisation with users `old0@example.com`…, every tenth inactive, every twentieth deleted.
pub fn org_of(n_users: usize, settings: Settings) -> Org {
    let mut org = Org::new(settings);
    let rows: Vec<String> = (0..n_users)
        .map(|n| {
            let state = if n % 20 == 5 {
                "deleted"
            } else if n % 10 == 0 {
                "inactive"
            } else {
                "active"
            };
            format!("old{n}@example.com,Old {n},{state}")
        })
        .collect();
    org.seed_csv(&format!("email,name,state\n{}", rows.join("\n"))).unwrap();
    org
}

/// A roster with the first `n_old` users of the organisation and `n_new` others, mixed.
pub fn roster_of(n_old: usize, n_new: usize) -> String {
    let old = (0..n_old).map(|n| format!("OLD{n}@Example.com,Old {n},Sales"));
    let new = (0..n_new).map(|n| format!("New{n}@example.com,New {n},Sales"));
    let mut rows: Vec<String> = old.chain(new).collect();
    rows.sort_by_key(|row| blake3::hash(row.as_bytes()).to_hex().to_string());
    format!("email,name,department\n{}\n", rows.join("\n"))
}

impl Rig {
    pub async fn snapshot(&self) -> Snapshot {
        let mut users = Vec::new();
        let sink = |page: &[_]| {
            users.extend_from_slice(page);
            Ok(())
        };
        let certificate = take::take(&self.client, &|| "2026-01-01T00:00:00Z".to_owned(), sink, |_| {}).await.unwrap();
        Snapshot::from_users(&users, Some(certificate)).unwrap()
    }

    pub async fn plan(&self, roster: &str) -> Plan {
        plan(roster, &self.snapshot().await)
    }

    pub async fn apply(&self, plan: &Plan, dir: &Path) -> Result<()> {
        apply_with(&self.client, plan, dir, Duration::from_secs(180)).await
    }
}

pub fn plan(roster: &str, snapshot: &Snapshot) -> Plan {
    let records = roster::open_bytes("roster.csv", roster.as_bytes().to_vec(), roster::Opening::default()).unwrap();
    let mapping = roster::map(&records, &[]).unwrap();
    Plan::build(&roster::check(records, mapping).unwrap(), snapshot, Keep::First).unwrap()
}

pub async fn apply_with<W: Wire>(client: &Arc<Client<W>>, plan: &Plan, dir: &Path, settle: Duration) -> Result<()> {
    let (_go, stop) = watch::channel(false);
    let (journal, ledger) = Journal::open(dir, &binding(), || "2026-01-01T00:00:00Z".to_owned(), || Ok(()))?;
    let options = apply::Options { settle, ..apply::Options::default() };
    apply::apply(client, &Arc::new(journal), &ledger, plan.people()?, options, stop, |_| {}).await
}

/// What the journals of these tests belong to.
pub fn binding() -> Binding {
    let [plan, manifest, org] = ["plan", "manifest", "org"].map(str::to_owned);
    Binding { plan, manifest, org }
}

pub fn ledger(dir: &Path) -> Ledger {
    journal::replay(&dir.join(journal::FILE)).unwrap().ledger
}

pub fn outcomes(plan: &Plan, dir: &Path) -> Outcomes {
    plan_dir::outcomes(plan, &ledger(dir)).unwrap()
}

/// Each planned key is there exactly once and active, and every id that the journal calls ours is that user's.
pub fn assert_exactly_once(direct: &Direct, plan: &Plan, dir: &Path) {
    let ledger = ledger(dir);
    for person in plan.people().unwrap() {
        let users = direct.with_org(|org| org.users_with(&person.email));
        assert_eq!(users.len(), 1, "row {}", person.row);
        let row = ledger.row(person.row).unwrap();
        if matches!(row.outcome(), Outcome::Created | Outcome::Adopted) {
            assert_eq!(row.user_id.as_deref(), Some(users[0].id.as_str()), "row {}", person.row);
            assert_eq!((users[0].state.as_str(), users[0].version), ("active", 1), "row {}", person.row);
            assert_eq!((users[0].name.as_str(), &users[0].department), (person.name.as_str(), &person.department));
        }
    }
    assert_eq!(direct.with_org(|org| org.counts().n_modified), 0);
}
