//! One seed's story: an organisation is listed, new people are created over many runs that die, and in the end all is calm.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rosterdiff::api::{Client, Credentials, Options};
use rosterdiff::apply::journal::Journal;
use rosterdiff::apply::ledger::{Binding, Ledger};
use rosterdiff::apply::{self, Broken};
use rosterdiff::error::{Error, Kind};
use rosterdiff::person::Person;
use rosterdiff::plan::Sought;
use rosterdiff::plan::gates::Limit;
use rosterdiff::probe::probe;
use rosterdiff::sim::{Direct, Org, Settings};
use rosterdiff::snapshot::Keys;
use rosterdiff::take;
use tokio::sync::watch;
use tokio::time::Instant;

use super::chance::Chance;
use super::disk::Platter;
use super::fault::Tally;
use super::laws;
use super::line::Line;
use super::world::{End, Ill, World};

/// Users whom the organisation has before the story begins.
const N_OLD: u32 = 30;
/// Of them, those whom the roster wants too.
const N_WANTED_OLD: u32 = 5;
/// Calm runs in which all has to come to an end.
const N_CALM: u32 = 5;
/// Longest that a run without faults may take, beside what its calls take at the allowed rate: it has three settling times
/// at most before it.
const CALM_MAX: Duration = Duration::from_secs(20 * 60);

/// Longest that a run goes on after Ctrl-C: as long as a call may take.
const STOP_MAX: Duration = Duration::from_secs(35);

/// What a story begins with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub seed: u64,
    pub settings: Settings,
    pub n_people: u32,
    pub n_tokens: usize,
    pub settle: Duration,
    pub late_max: Duration,
    pub ill: Ill,
    /// Runs in which things go wrong.
    pub n_ill: u32,
    /// Events at which a run ends, the next one last.
    pub ends: Vec<(u64, End)>,
    pub broken: Option<Broken>,
    pub tells: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Told {
    pub tally: Tally,
    pub n_events: u64,
    pub trace: u64,
    pub text: Option<String>,
    /// Laws that were broken.
    pub broken: Vec<String>,
}

impl Setup {
    /// The world of a seed.
    pub fn drawn(seed: u64, broken: Option<Broken>, tells: bool) -> (Self, Chance) {
        let mut chance = Chance::new(seed);
        let c = &mut chance;
        let settle_s = c.between(90, 180);
        // What is on its way and what the index does not show yet both have to be over when the settling time is.
        let (lag_s, late_s) = (c.between(0, settle_s / 4), c.between(1, settle_s / 3));
        let rate_headers = !c.one_in(6);
        let settings = Settings {
            seed,
            search_lag: Duration::from_secs(lag_s),
            list_lag: Duration::from_secs(c.between(0, 5)),
            rate_headers,
            rate_allowed: if rate_headers { c.pick(&[300, 300, 90]) as u32 } else { 300 },
            reset_plus_one: c.one_in(3),
            page_size_max: c.pick(&[7, 100]) as u32,
            page_size_capped: true,
            search_values_max: c.pick(&[100, 100, 9, 1]) as usize,
            search_usernames: !c.one_in(4),
            search_folds_case: !c.one_in(4),
            deleted_holds: c.one_in(2),
            uniqueness_lags: c.one_in(3),
            token_lifetime: Duration::from_secs(c.pick(&[86_399, 120, 60])),
            mints_per_minute: c.one_in(3).then_some(10),
            ..Settings::default()
        };
        let ill = Ill {
            calls: c.pick(&[0, 20, 60, 200]),
            refusals: c.pick(&[0, 10, 50]),
            strangers: c.pick(&[0, 20, 80]),
            outages: c.pick(&[0, 0, 5]),
            disk: c.pick(&[0, 0, 3]),
        };
        // Sixty rows make some three hundred events at least: both crashes come before the end.
        let first = c.between(1, 120);
        let second = first + c.between(1, 80);
        let mut ends = vec![(second, c.pick(&[End::Kill, End::Power])), (first, c.pick(&[End::Kill, End::Power]))];
        if c.one_in(4) {
            ends.insert(0, (second + c.between(1, 80), c.pick(&[End::Stop, End::Kill, End::NoSpace])));
        }
        let setup = Self {
            seed,
            settings,
            n_people: c.between(50, 65) as u32,
            n_tokens: c.pick(&[1, 1, 2, 3]) as usize,
            settle: Duration::from_secs(settle_s),
            late_max: Duration::from_secs(late_s),
            ill,
            n_ill: c.between(2, 4) as u32,
            ends,
            broken,
            tells,
        };
        (setup, chance)
    }
}

/// Tells the story of a seed.
pub fn of_seed(seed: u64, broken: Option<Broken>, tells: bool) -> Told {
    let (setup, chance) = Setup::drawn(seed, broken, tells);
    tell(setup, chance)
}

/// Tells a story.
pub fn tell(setup: Setup, chance: Chance) -> Told {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async move {
        let mut story = Story::new(setup, chance);
        story.take().await;
        story.go().await;
        story.end()
    })
}

struct Story {
    setup: Setup,
    world: World,
    org: Direct,
    platter: Platter,
    people: Vec<Person>,
    /// What has ended every run is over.
    is_done: bool,
    begun: Instant,
}

impl Story {
    fn new(setup: Setup, chance: Chance) -> Self {
        let world = World::new(chance, setup.tells);
        let mut org = Org::new(setup.settings.clone());
        let state = |n| ["active", "active", "inactive", "deleted"][n as usize % 4];
        let old: Vec<String> = (0..N_OLD).map(|n| format!("old{n}@example.com,Old {n},{}", state(n))).collect();
        org.seed_csv(&format!("email,name,state\n{}", old.join("\n"))).unwrap();
        let people: Vec<Person> = (1..=setup.n_people).map(person).collect();
        {
            let mut inner = world.inner();
            inner.rows = people.iter().map(|p| (p.email.clone(), p.row)).collect();
            inner.late_max = setup.late_max;
            inner.tally.seeds = 1;
            inner.tally.rows = u64::from(setup.n_people);
            inner.ill = Ill { disk: 0, ..setup.ill };
        }
        let platter = Platter::new(world.clone());
        Self { org: Direct::new(org), platter, world, people, is_done: false, begun: Instant::now(), setup }
    }

    fn client(&self) -> Arc<Client<Line>> {
        let line = Line { org: self.org.clone(), world: self.world.clone() };
        let options = Options { n_tokens: self.setup.n_tokens, per_min: None };
        Client::new(line, Credentials::client("demo-client", "demo-secret"), options)
    }

    /// Whoever is there already is not created: the listing sees to that, and where it proves nothing, looking up.
    async fn take(&mut self) {
        // A crash of `snapshot` leaves nothing behind: the ends are for the runs.
        for n in 0.. {
            if n == 3 {
                let mut inner = self.world.inner();
                (inner.ill, inner.outage) = (Ill::default(), None);
            }
            match self.take_once().await {
                Ok(()) => break,
                Err(e) if n < 10 => self.world.note(&format!("snapshot: {e}")),
                Err(e) => return self.world.accuse(format!("no snapshot in calm: {e}")),
            }
            tokio::time::sleep(Duration::from_secs(90)).await;
        }
        let is_old = |person: &&Person| person.email.starts_with("old");
        if self.people.iter().any(|person| is_old(&person)) {
            self.world.accuse("somebody who is there passes for new".to_owned());
        }
        let mut inner = self.world.inner();
        (inner.ends, inner.n_events, inner.ill) = (self.setup.ends.clone(), 0, self.setup.ill);
    }

    async fn take_once(&mut self) -> Result<(), Error> {
        let client = self.client();
        let (mut users, mut wanted) = (Vec::new(), self.people.clone());
        wanted.extend((0..N_WANTED_OLD).map(|n| Person { email: format!("old{n}@example.com"), ..person(1_000 + n) }));
        wanted.iter_mut().for_each(|p| p.key = p.email.to_lowercase());
        let sink = |page: &[_]| {
            users.extend_from_slice(page);
            Ok(())
        };
        let certificate = take::take(&client, &clock, sink, |_| {}).await?;
        let is_held = |person: &Person, users: &[_]| users.iter().any(|user| Keys::of_user(user).contains(&person.key));
        wanted.retain(|person| !is_held(person, &users));
        if !certificate.complete {
            let sought = |p: &Person| Sought { row: p.row, key: p.key.clone(), address: p.email.clone() };
            let probed = probe(&client, &wanted.iter().map(sought).collect::<Vec<_>>(), |_| {}).await?;
            wanted.retain(|person| !is_held(person, &probed.users));
        }
        self.people = wanted;
        Ok(())
    }

    async fn go(&mut self) {
        for n in 0..self.setup.n_ill + N_CALM {
            let is_calm = n >= self.setup.n_ill;
            if is_calm {
                let mut inner = self.world.inner();
                (inner.ill, inner.ends, inner.outage) = (Ill::default(), Vec::new(), None);
            }
            self.world.note(if is_calm { "a calm run" } else { "a run" });
            let (begun, n_calls) = (Instant::now(), self.world.inner().tally.calls);
            let ended = self.run().await;
            let n_calls = self.world.inner().tally.calls - n_calls;
            let at_rate = Duration::from_secs(n_calls * 60 / u64::from(self.setup.settings.rate_allowed));
            if self.is_over(is_calm, ended, begun.elapsed().saturating_sub(at_rate)) {
                return;
            }
            let rest = self.world.inner().sleep(100, 60_000);
            tokio::time::sleep(if is_calm { rest + Duration::from_secs(60) } else { rest }).await;
        }
    }

    /// Whether the story ends with this run; nothing tells of one that died.
    fn is_over(&mut self, is_calm: bool, ended: Option<Result<(), Error>>, took: Duration) -> bool {
        match ended {
            None => false,
            Some(Ok(())) if is_calm => {
                self.is_done = true;
                if took > CALM_MAX {
                    self.world.accuse(format!("a calm run took {took:?}"));
                }
                true
            }
            Some(Ok(())) => false,
            Some(Err(e)) => {
                self.world.note(&format!("{:?}: {e}", e.kind()));
                let may_be = match e.kind() {
                    Kind::Unreachable => true,
                    Kind::File | Kind::Interrupted | Kind::Credentials => !is_calm,
                    _ => false,
                };
                if !may_be {
                    self.world.accuse(format!("{:?}: {e}", e.kind()));
                }
                !may_be
            }
        }
    }

    /// One process, until it ends or dies.
    async fn run(&self) -> Option<Result<(), Error>> {
        let (go, stop) = watch::channel(false);
        {
            let mut inner = self.world.inner();
            (inner.is_dead, inner.disk_is, inner.stop, inner.stopped_at) = (false, None, Some(go), None);
            inner.pauses.clear();
            inner.tally.runs += 1;
        }
        let n_durable = self.platter.n_durable_lines();
        let work = async {
            let (journal, ledger) = open(&self.platter)?;
            if ledger.n_lines < n_durable {
                self.world.accuse(format!("{} of {n_durable} lines of the journal are left", ledger.n_lines));
            }
            let max_failures = Limit::Percent(100);
            let options = apply::Options { settle: self.setup.settle, max_failures, broken: self.setup.broken };
            let (journal, people) = (Arc::new(journal), self.people.clone());
            let ended = apply::apply(&self.client(), &journal, &ledger, people, options, stop, |_| {}).await;
            ended.and(journal.end("done"))
        };
        let ended = tokio::select! {
            biased;
            () = self.world.died.notified() => None,
            ended = work => Some(ended),
        };
        self.check_stop();
        if self.world.is_dead() {
            if self.world.inner().lost_power {
                self.platter.lose_power();
            }
            return None;
        }
        ended
    }

    /// Calls in flight are waited for after Ctrl-C, and nothing else is.
    fn check_stop(&self) {
        let stopped_at = self.world.inner().stopped_at;
        if let Some(took) = stopped_at.map(|at| at.elapsed()).filter(|took| *took > STOP_MAX) {
            self.world.accuse(format!("a run went on for {took:?} after Ctrl-C"));
        }
    }

    fn end(self) -> Told {
        let bytes = self.platter.text();
        match open(&self.platter) {
            Ok((_, ledger)) if self.is_done => laws::check(&self.world, &self.org, &self.people, &ledger, &bytes),
            Ok(_) => self.world.accuse("it came to no end in calm".to_owned()),
            Err(e) => self.world.accuse(format!("the journal cannot be read in the end: {e}")),
        }
        let (trace, text) = self.world.trace();
        let mut inner = self.world.inner();
        inner.tally.virtual_s = self.begun.elapsed().as_secs();
        Told { tally: inner.tally, n_events: inner.n_events, trace, text, broken: inner.broken.clone() }
    }
}

fn open(platter: &Platter) -> Result<(Journal, Ledger), Error> {
    let [plan, manifest, org] = ["plan", "manifest", "org"].map(str::to_owned);
    let to = Binding { plan, manifest, org };
    Journal::on(Box::new(platter.clone()), PathBuf::from("journal.jsonl"), &to, clock, 1)
}

fn clock() -> String {
    "2026-01-01T00:00:00Z".to_owned()
}

/// Somebody new: every third address has capitals.
fn person(row: u32) -> Person {
    let email = if row.is_multiple_of(3) { format!("New{row}@example.com") } else { format!("new{row}@example.com") };
    Person {
        row,
        key: format!("new{row}@example.com"),
        email,
        name: format!("New {row}"),
        department: row.is_multiple_of(2).then(|| "Care".to_owned()),
        title: None,
        division: None,
        phone: None,
    }
}
