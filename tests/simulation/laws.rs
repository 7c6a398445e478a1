//! What has to hold when all is calm.

use rosterdiff::apply::Outcome;
use rosterdiff::apply::ledger::{Ledger, Row};
use rosterdiff::person::Person;
use rosterdiff::sim::{Direct, Fault as OfACall, Origin, User};

use super::fault::Fault;
use super::world::World;

/// Creates of one row in one run that may have been carried out.
const ATTEMPTS_MAX: u64 = 3;

pub fn check(world: &World, org: &Direct, people: &[Person], ledger: &Ledger, journal: &[u8]) {
    let mut broken = Vec::new();
    for person in people {
        let holders = org.with_org(|org| org.users_with(&person.email));
        let ours: Vec<&User> =
            holders.iter().map(|user| &**user).filter(|user| matches!(user.created_by, Origin::Token(_))).collect();
        let row = ledger.row(person.row);
        let outcome = row.map_or(Outcome::Unprocessed, Row::outcome);
        world.inner().tally.outcomes[outcome as usize] += 1;
        let n_runs = world.inner().tally.runs;
        if row.is_some_and(|row| u64::from(row.attempts) > ATTEMPTS_MAX * n_runs) {
            broken.push(format!("row {} was sent {} times in {n_runs} runs", person.row, row.unwrap().attempts));
        }
        if let Some(law) = law_broken(outcome, row, &ours, holders.len()) {
            broken.push(format!("row {}, {outcome:?}: {law}", person.row));
        }
    }
    if ledger.n_rows() > people.len() {
        broken.push("the journal speaks of people whom nobody wanted".to_owned());
    }
    if org.with_org(|org| org.counts().n_modified) > 0 {
        broken.push("somebody was changed".to_owned());
    }
    if journal.contains(&b'@') {
        broken.push("an address is in the journal".to_owned());
    }
    let throttled: u64 = org.with_org(|org| org.windows().iter().map(|w| u64::from(w.throttled)).sum());
    // A call that arrives late is counted in a window that nobody expects it in.
    if throttled > world.inner().tally.of(Fault::Call(OfACall::Late)) {
        broken.push(format!("{throttled} calls met a full window"));
    }
    broken.into_iter().for_each(|law| world.accuse(law));
}

fn law_broken(outcome: Outcome, row: Option<&Row>, ours: &[&User], n_holders: usize) -> Option<String> {
    let id = row.and_then(|row| row.user_id.as_deref());
    match outcome {
        _ if ours.len() > 1 => Some(format!("created {} times", ours.len())),
        Outcome::Created | Outcome::Adopted if ours.first().map(|user| user.id.as_str()) != id => {
            Some("it is not the user that was created".to_owned())
        }
        Outcome::Created | Outcome::Adopted => None,
        Outcome::Taken | Outcome::Refused if !ours.is_empty() => Some("we created it".to_owned()),
        Outcome::Taken if n_holders == 0 => Some("nobody holds it".to_owned()),
        Outcome::Taken | Outcome::Refused => None,
        Outcome::Unknown | Outcome::Unprocessed => Some("not settled in calm".to_owned()),
    }
}
