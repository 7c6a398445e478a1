//! The whole job over the simulator's core, in virtual time: snapshot, plan (looking rows up where nothing proves them),
//! apply, verify, and then snapshot and plan once more.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rosterdiff::api::{Client, Credentials, Options};
use rosterdiff::apply::{Outcome, Outcomes};
use rosterdiff::error::Result;
use rosterdiff::lanes::Effort;
use rosterdiff::plan::{Keep, Plan, Policy, Teller, Verdicts};
use rosterdiff::probe::probe;
use rosterdiff::roster::{self, Opening};
use rosterdiff::sim::{Direct, Org, Origin};
use rosterdiff::snapshot::Snapshot;
use rosterdiff::take;
use rosterdiff::verify::{Expected, What, verify};

use super::rig::{apply_with, ledger, outcomes};
use crate::support::scratch;

/// How long an unknown create is looked for.
const SETTLE: Duration = Duration::from_secs(180);

/// A job, before it is done.
pub struct Job {
    pub direct: Direct,
    pub roster: String,
    pub n_tokens: usize,
    /// What strangers do between plan and apply.
    pub meanwhile: fn(&mut Org, Duration),
    /// How long that, and what the run creates, takes to be seen everywhere.
    pub rest: Duration,
    /// Most runs of `apply`: one that leaves rows unknown may be repeated.
    pub n_runs: u32,
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    pub verdicts: BTreeMap<String, u64>,
    /// Whether the first snapshot was complete.
    pub is_complete: bool,
    /// Whether every verdict of the first plan was proven.
    pub is_proven: bool,
    pub outcomes: Outcomes,
    /// New rows of the plan after the run.
    pub new_again: u64,
    /// What the program would have ended with, run by run of `apply`.
    pub exits: Vec<u8>,
    pub n_posts: u64,
    pub n_conflicts: u64,
    pub n_throttled: u64,
    pub n_searches: u64,
    /// Users created through the API whom no row of the journal calls its own, rows that call one theirs who is not, and
    /// users who are not read back as they were sent.
    pub n_astray: u64,
}

impl Done {
    pub fn verdict(&self, word: &str) -> u64 {
        self.verdicts.get(word).copied().unwrap_or(0)
    }
}

impl Job {
    pub fn new(org: Org, roster: String) -> Self {
        Self {
            direct: Direct::new(org),
            roster,
            n_tokens: 1,
            meanwhile: |_, _| {},
            rest: Duration::from_secs(120),
            n_runs: 1,
        }
    }

    /// A client as a new process makes one.
    fn client(&self) -> Arc<Client<Direct>> {
        let options = Options { n_tokens: self.n_tokens, per_min: None };
        Client::new(self.direct.clone(), Credentials::client("demo-client", "demo-secret"), options)
    }

    /// Does it.
    ///
    /// # Errors
    /// Those of a snapshot or a look, which end the program.
    pub async fn run(&self) -> Result<Done> {
        let (plan, is_complete, is_proven) = self.plan().await?;
        self.direct.with_org(|org| (self.meanwhile)(org, self.direct.shared().now()));
        tokio::time::sleep(self.rest).await;
        let dir = scratch();
        let mut exits = Vec::new();
        for _ in 0..self.n_runs {
            exits.push(self.apply(&plan, dir.path()).await);
            if exits.last() != Some(&1) {
                break;
            }
        }
        tokio::time::sleep(self.rest).await;
        let n_differing = self.verify(&plan, dir.path()).await?;
        let (again, ..) = self.plan().await?;
        let n_astray = self.n_astray(&plan, dir.path()) + n_differing;
        let outcomes = outcomes(&plan, dir.path());
        assert_eq!(outcomes.sum(), plan.counts().new, "the second sum is law");
        Ok(self.direct.with_org(|org| Done {
            verdicts: verdicts(&plan),
            is_complete,
            is_proven,
            outcomes,
            new_again: again.counts().new,
            exits,
            n_posts: org.counts().n("POST", "/api/v2/users"),
            n_conflicts: org.counts().n_conflicts(),
            n_throttled: org.counts().n_throttled(),
            n_searches: org.counts().n("POST", "/api/v2/users/search"),
            n_astray,
        }))
    }

    /// What `plan` does without a snapshot: takes one, and looks up what it leaves open.
    async fn plan(&self) -> Result<(Plan, bool, bool)> {
        let client = self.client();
        let mut users = Vec::new();
        let sink = |page: &[_]| {
            users.extend_from_slice(page);
            Ok(())
        };
        let certificate = take::take(&client, &|| "2026-01-01T00:00:00Z".to_owned(), sink, |_| {}).await?;
        let mut snapshot = Snapshot::from_users(&users, Some(certificate))?;
        let is_complete = snapshot.is_complete();
        let sheet = roster::open_bytes("roster.csv", self.roster.as_bytes().to_vec(), Opening::default())?;
        let mapping = roster::map(&sheet, &[])?;
        let roster = roster::check(sheet, mapping)?;
        if !is_complete {
            let policy = Policy::default();
            let verdicts = Verdicts::decide(&roster, &snapshot, &policy, Effort::default())?;
            let teller = Teller { roster: &roster, snapshot: &snapshot, verdicts: &verdicts, policy: &policy };
            let probed = probe(&client, &teller.sought()?, |_| {}).await?;
            snapshot.add_probed(&probed.users, probed.proof)?;
        }
        Ok((Plan::build(&roster, &snapshot, Keep::First)?, is_complete, snapshot.is_proven()))
    }

    /// What `apply` does, and what the program would end with.
    async fn apply(&self, plan: &Plan, dir: &Path) -> u8 {
        let client = self.client();
        let ended = async {
            client.organisation().await?;
            client.learn_limits().await;
            apply_with(&client, plan, dir, SETTLE).await
        };
        if let Err(error) = ended.await {
            return error.kind().exit_code();
        }
        let done = outcomes(plan, dir);
        u8::from(done.of(Outcome::Refused) + done.of(Outcome::Unknown) > 0)
    }

    /// Reads everybody back: how many are not there as they were sent.
    async fn verify(&self, plan: &Plan, dir: &Path) -> Result<u64> {
        let ledger = ledger(dir);
        let mut expected = Vec::new();
        for person in plan.people()? {
            let row = ledger.row(person.row).filter(|row| is_ours(row.outcome())).and_then(|row| row.user_id.clone());
            expected.extend(row.map(|user_id| Expected {
                row: person.row,
                user_id: user_id.to_string(),
                is_young: false,
                what: What::Created(person),
            }));
        }
        let verified = verify(&self.client(), &expected, |_| {}).await?;
        Ok(expected.len() as u64 - verified.n_as_sent)
    }

    /// Laws that hold on every side of every switch: nobody else's user is changed, what the journal calls ours was created
    /// with a token of ours, and whoever was created so is called ours, once.
    fn n_astray(&self, plan: &Plan, dir: &Path) -> u64 {
        let ledger = ledger(dir);
        let people = plan.people().unwrap();
        let rows = people.iter().filter_map(|person| ledger.row(person.row));
        let ours = rows.filter(|row| is_ours(row.outcome())).filter_map(|row| row.user_id.clone());
        let mut ours: Vec<String> = ours.map(|id| id.to_string()).collect();
        ours.sort_unstable();
        let created = self.direct.with_org(|org| {
            assert_eq!(org.counts().n_modified, 0, "somebody else's user was changed");
            assert!(org.unknown_fields().is_empty(), "{:?}", org.unknown_fields());
            let created = |user: &rosterdiff::sim::User| matches!(user.created_by, Origin::Token(_));
            org.users().into_iter().filter(|user| created(user)).map(|user| user.id.clone()).collect::<Vec<_>>()
        });
        let missing = ours.iter().filter(|id| !created.contains(id)).count();
        let unclaimed = created.iter().filter(|id| ours.binary_search(id).is_err()).count();
        let doubles = ours.windows(2).filter(|pair| pair[0] == pair[1]).count();
        (missing + unclaimed + doubles) as u64
    }
}

const fn is_ours(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Created | Outcome::Adopted)
}

fn verdicts(plan: &Plan) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for word in plan.frame().column("verdict").unwrap().str().unwrap().iter() {
        *counts.entry(word.unwrap().to_owned()).or_default() += 1;
    }
    counts
}
