//! `status`: how far a run is, from its journal alone; another process may be at work meanwhile.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::args;
use super::going::Going;
use super::render::{Render, Screen, count};
use crate::apply::journal::{self, Journal, Tail};
use crate::apply::{Outcome, Outcomes};
use crate::error::{Kind, Result};
use crate::files::manifest::Manifest;
use crate::files::{plan_dir, quoted};
use crate::number::Lasting;
use crate::plan::Plan;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn run(args: &args::Status, render: &Render) -> Result<u8> {
    let (manifest, plan) = plan_dir::open(&args.dir)?;
    let mut run = Followed::new(args, &manifest, &plan)?;
    if args.follow {
        super::diff::tell_counts(&manifest.counts, render);
        run.follow(render).await?;
    }
    run.tell(!args.follow, render)?;
    render.object(&run.object()?)?;
    Ok(0)
}

/// A run that is looked at: what was read of its journal is not read again.
struct Followed<'a> {
    args: &'a args::Status,
    manifest: &'a Manifest,
    plan: &'a Plan,
    tail: Tail,
    going: Going,
    outcomes: Outcomes,
    /// Who is at work, in words.
    at_work: Option<String>,
}

impl<'a> Followed<'a> {
    fn new(args: &'a args::Status, manifest: &'a Manifest, plan: &'a Plan) -> Result<Self> {
        let tail = Tail::new(args.dir.join(journal::FILE));
        let (going, outcomes) = (Going::default(), Outcomes::default());
        let mut run = Self { args, manifest, plan, tail, going, outcomes, at_work: None };
        run.look()?;
        Ok(run)
    }

    /// Reads what has come.
    fn look(&mut self) -> Result<()> {
        // In this order: whoever is away now has written everything.
        let busy = Journal::check_free(&self.args.dir).err().filter(|error| error.kind() == Kind::Unsafe);
        self.at_work = busy.map(|error| error.to_string());
        let going = &mut self.going;
        let n_new = self.tail.catch_up(|line| going.take(super::second_of(&line.at), line))?;
        if n_new > 0 || self.outcomes.sum() == 0 {
            // A plan that was made anew meanwhile is another one.
            plan_dir::check_bound(&self.args.dir, self.manifest, self.tail.ledger())?;
            self.outcomes = plan_dir::outcomes(self.plan, self.tail.ledger())?;
        }
        Ok(())
    }

    fn n_left(&self) -> Result<u64> {
        let open = self.outcomes.of(Outcome::Unprocessed) + self.outcomes.of(Outcome::Unknown);
        Ok(open.saturating_sub(self.plan.n_held()?))
    }

    const fn has_begun(&self) -> bool {
        self.tail.ledger().bound_to.is_some()
    }

    /// Tells until the run ends; where none has begun, until one has begun and ended.
    async fn follow(&mut self, render: &Render) -> Result<()> {
        let mut told: Option<Instant> = None;
        if !self.has_begun() {
            render.say("No run has begun: waiting for one. Ctrl-C ends this.");
        }
        while self.at_work.is_some() || !self.has_begun() {
            render.voice().event("progress", &self.members()?);
            let screen = &render.voice().screen;
            if screen.is_live() {
                screen.show(Some(&self.block(Screen::width())?));
            } else if told.is_none_or(|at| at.elapsed() >= LINE_EVERY) && self.has_begun() {
                told = Some(Instant::now());
                render.say(self.line()?);
            }
            tokio::time::sleep(LOOK_EVERY).await;
            self.look()?;
        }
        render.voice().screen.show(None);
        Ok(())
    }

    /// One line, for whoever has no terminal.
    fn line(&self) -> Result<String> {
        let (now, n_left) = (super::second(), self.n_left()?);
        let pace = self.going.pace(now, n_left).map_or_else(String::new, |pace| format!("; {pace}"));
        let waiting = self.going.waiting().map_or_else(String::new, |why| format!("; {why}"));
        let sum = super::apply::sum(&self.outcomes);
        Ok(format!("{sum}{pace}{waiting}; last entry {} ago.", self.age(now)))
    }

    /// Some lines, for a terminal of that many columns.
    fn block(&self, width: usize) -> Result<String> {
        let (now, n_left) = (super::second(), self.n_left()?);
        let of = |outcome: &Outcome| (self.outcomes.of(*outcome), outcome.as_str());
        let parts = Outcome::ALL.iter().map(of).filter(|(n, _)| *n > 0);
        let parts: Vec<String> = parts.map(|(n, word)| format!("{} {word}", count(n))).collect();
        let last = self.going.last.map(|_| format!("last entry {} ago", self.age(now)));
        let lines = [
            Some(format!("{} new: {}", count(self.outcomes.sum()), parts.join(", "))),
            self.going.pace(now, n_left),
            self.going.waiting(),
            last,
            self.at_work.clone(),
        ];
        let cut = |line: String| line.chars().take(width).collect::<String>();
        Ok(lines.into_iter().flatten().map(cut).collect::<Vec<_>>().join("\n"))
    }

    fn age(&self, now: i64) -> Lasting {
        Lasting(self.going.last.map_or(0, |last| now.saturating_sub(last).max(0).unsigned_abs()))
    }

    fn tell(&self, with_counts: bool, render: &Render) -> Result<()> {
        let ledger = self.tail.ledger();
        if with_counts {
            super::diff::tell_counts(&self.manifest.counts, render);
        }
        render.say(super::apply::sum(&self.outcomes));
        super::apply::tell_held(self.plan.held()?, render);
        super::rollback::tell_removed(ledger, render);
        super::restore::tell(self.manifest, self.plan, ledger, render)?;
        let now = super::second();
        match &ledger.last_at {
            Some(at) => render.say(format!(
                "Last entry of the journal: {at}, {} ago ({} lines)",
                self.age(now),
                count(ledger.n_lines)
            )),
            None => render.say("No run has begun."),
        }
        self.tell_who(now, render)
    }

    /// Who is at work and how fast, or how to go on.
    fn tell_who(&self, now: i64, render: &Render) -> Result<()> {
        let ledger = self.tail.ledger();
        if let Some(busy) = &self.at_work {
            render.say(format!("{busy}."));
            if self.outcomes.of(Outcome::Unknown) > 0 {
                render.say("Rows whose calls are in the air count as unknown until they are answered.");
            }
            if let Some(pace) = self.going.pace(now, self.n_left()?) {
                render.say(format!("{pace}."));
            }
            if let Some(why) = self.going.waiting() {
                render.say(format!("It waits: {why}."));
            }
        } else if self.has_begun() && ledger.closed.is_none() {
            let verb = if ledger.changes.has_removals() { "rollback" } else { "apply" };
            let dir = quoted(&self.args.dir.display().to_string());
            render.say(format!("The last run was cut off: rosterdiff {verb} {dir} goes on."));
        }
        Ok(())
    }

    /// What is known of a run that is at work; nothing of one that is not.
    fn pace(&self) -> Result<[(&'static str, Value); 4]> {
        let (now, n_left) = (super::second(), self.n_left()?);
        let is_at_work = self.at_work.is_some();
        let at_work = |value: Option<Value>| value.filter(|_| is_at_work).unwrap_or_default();
        Ok([
            ("per_min", at_work(self.going.per_min(now).map(Value::from))),
            ("allowed_per_min", at_work(self.going.allowed_per_min.map(Value::from))),
            ("left_s", at_work(self.going.left_s(now, n_left).map(Value::from))),
            ("waiting", at_work(self.going.waiting().map(Value::from))),
        ])
    }

    /// What programs are told meanwhile.
    fn members(&self) -> Result<Value> {
        let total = self.outcomes.sum();
        let mut members = json!({ "stage": "create", "done": total - self.n_left()?, "total": total });
        self.pace()?.into_iter().for_each(|(name, value)| members[name] = value);
        Ok(members)
    }

    fn object(&self) -> Result<Value> {
        let ledger = self.tail.ledger();
        let (manifest, last_at) = (self.manifest, ledger.last_at.as_deref());
        let mut object = json!({ "new": manifest.counts.new, "complete": manifest.complete, "last_at": last_at });
        for outcome in Outcome::ALL {
            object[outcome.as_str()] = self.outcomes.of(outcome).into();
        }
        object["removed"] = super::rollback::n_removed(ledger).into();
        object["at_work"] = self.at_work.is_some().into();
        object["closed"] = ledger.closed.is_some().into();
        self.pace()?.into_iter().for_each(|(name, value)| object[name] = value);
        super::restore::count_in(&mut object, &self.args.dir, manifest, self.plan)?;
        Ok(object)
    }
}
