//! Earlier plans: what is decided is what the table in ARCHITECTURE.md says, as nested loops, in whatever order the plans
//! and their rows come.

use polars::prelude::*;
use proptest::prelude::*;
use rosterdiff::email::Folds;
use rosterdiff::lanes::Effort;
use rosterdiff::person::State;
use rosterdiff::plan::after::{After, Counts, Earlier, Listing, Past, Row};
use rosterdiff::plan::{Keep, Policy, Verdicts};
use rosterdiff::roster::Roster;
use rosterdiff::snapshot::{Cell, Snapshot};

/// A row of an earlier plan: plan, key, what became of it, when, and the user.
type Told = (u16, &'static str, Past, i64, Option<&'static str>);
/// A listed user: id, key, state.
type Listed = (&'static str, &'static str, State);
/// Verdict, reason, id of the holder.
type Decided = (String, String, Option<String>);

const KEYS: [&str; 5] = ["ada@x.example", "ada+1@x.example", "bob@x.example", "cyd@x.example", "dan@x.example"];
const IDS: [&str; 4] = ["u1", "u2", "u3", "u4"];
const HOUR_S: i64 = 3_600;
const TIMES: [i64; 6] = [0, 1, HOUR_S - 1, HOUR_S, 2 * HOUR_S, 9 * HOUR_S];

fn past() -> impl Strategy<Value = Past> {
    prop::sample::select(vec![
        Past::Unsent,
        Past::Due,
        Past::Refused,
        Past::Stranded,
        Past::Unknown,
        Past::Taken(State::Active),
        Past::Taken(State::Deleted),
        Past::RolledBack,
        Past::Created,
        Past::Created,
        Past::Restored,
    ])
}

fn told() -> impl Strategy<Value = Vec<Told>> {
    let id = prop_oneof![5 => prop::sample::select(&IDS[..]).prop_map(Some), 1 => Just(None)];
    let one = (0_u16..3, prop::sample::select(&KEYS[..]), past(), prop::sample::select(&TIMES[..]), id);
    prop::collection::vec(one, 0..9).prop_map(|mut all| {
        // A user was brought there by one row: no journal says otherwise.
        let mut seen = Vec::new();
        for row in &mut all {
            let is_new = row.4.is_none_or(|id| !seen.contains(&id));
            seen.extend(row.4);
            row.4 = row.4.filter(|_| is_new);
        }
        all
    })
}

fn listed() -> impl Strategy<Value = Vec<Listed>> {
    let state = prop::sample::select(vec![State::Active, State::Inactive, State::Deleted]);
    let one = (prop::sample::select(&KEYS[..]), state);
    prop::collection::vec(one, 0..5)
        .prop_map(|all| all.into_iter().zip(IDS).map(|((key, state), id)| (id, key, state)).collect())
}

fn listing() -> impl Strategy<Value = Listing> {
    let began = prop_oneof![1 => Just(None), 4 => prop::sample::select(&TIMES[..]).prop_map(Some)];
    (began, any::<bool>(), any::<bool>()).prop_map(|(began, is_complete, is_probed)| Listing {
        began,
        is_complete,
        is_probed,
    })
}

fn policy(plus: bool) -> Policy {
    Policy { folds: Folds { plus, ..Folds::default() }, ..Policy::from(Keep::First) }
}

/// Everything that is decided: of each row, and in all.
fn decide(rows: &[&str], users: &[Listed], told: &[Told], listing: Listing, policy: &Policy) -> (Vec<Decided>, Counts) {
    let column = |name: &str, cells: Vec<&str>| Column::new(name.into(), cells);
    let roster = DataFrame::new(rows.len(), vec![column("email", rows.to_vec())]).unwrap();
    let organisation = DataFrame::new(
        users.len(),
        vec![
            column("id", users.iter().map(|user| user.0).collect()),
            column("email", users.iter().map(|user| user.1).collect()),
            column("state", users.iter().map(|user| user.2.as_str()).collect()),
        ],
    );
    let roster = Roster::from_frame(&roster).unwrap();
    let mut snapshot = Snapshot::from_frame(&organisation.unwrap()).unwrap();
    let mut earlier = Earlier::default();
    for (plan, key, past, at, user_id) in told {
        let sent = [Some(*key), Some("Name"), None, None, None, None];
        let row = Row { key, past: *past, at: *at, user_id: *user_id, sent, said: [None, None] };
        earlier.push(*plan, row).unwrap();
    }
    let mut after = After::of(earlier, &policy.folds).unwrap();
    after.look(&mut snapshot, listing).unwrap();
    let mut verdicts = Verdicts::decide(&roster, &snapshot, policy, Effort::default()).unwrap();
    let noted = after.note(&roster, &snapshot, &mut verdicts);
    let one = |at: usize| {
        let holder = verdicts.holder(at).and_then(|holder| snapshot.cell(Cell::Id, holder.user));
        let holder = holder.filter(|id| !id.is_empty()).map(str::to_owned);
        let reason = verdicts.reason(at).code().unwrap_or_default().to_owned();
        (verdicts.verdict(at).as_str().to_owned(), reason, holder)
    };
    assert_eq!(snapshot.n_listed(), users.len());
    ((0..rows.len()).map(one).collect(), noted.counts)
}

/// The table, row by row, for a roster whose rows all have keys of their own.
mod table {
    use super::{Decided, HOUR_S, Listed, Listing, Past, State, Told};

    pub struct World<'a> {
        pub users: &'a [Listed],
        pub told: &'a [Told],
        pub listing: Listing,
        pub plus: bool,
    }

    /// What the rows that speak of a holder come to.
    enum Fate {
        Nothing,
        Gone,
        Holder(State, &'static str, Option<&'static str>),
    }

    impl World<'_> {
        fn fold(&self, key: &str) -> String {
            if self.plus { key.replace("+1", "") } else { key.to_owned() }
        }

        fn of(&self, key: &str, wanted: &dyn Fn(Past) -> bool) -> Vec<Told> {
            let mut found = Vec::new();
            for row in self.told {
                if self.fold(row.1) == self.fold(key) && wanted(row.2) {
                    found.push(*row);
                }
            }
            found
        }

        fn settles(&self, at: i64) -> bool {
            self.listing.is_complete && self.listing.began.is_some_and(|began| began - at >= HOUR_S)
        }

        /// Whether the listing began so long after it that it would show what was done then.
        fn is_late(&self, at: i64) -> bool {
            self.listing.began.is_none_or(|began| began - at >= HOUR_S)
        }

        /// Of those that say who holds the key the last one.
        fn last(&self, key: &str) -> Option<Told> {
            let rank = |past: Past| match past {
                Past::Taken(State::Deleted) => 1,
                Past::Taken(_) => 0,
                Past::RolledBack => 2,
                Past::Created => 3,
                Past::Restored => 4,
                _ => panic!("says nothing"),
            };
            let mut all = self
                .of(key, &|past| matches!(past, Past::Taken(_) | Past::RolledBack | Past::Created | Past::Restored));
            all.sort_by_key(|row| (rank(row.2) > 1, row.3, rank(row.2), row.4, row.1, row.0));
            all.pop()
        }

        fn fate(&self, key: &str) -> Fate {
            let Some((_, _, past, at, id)) = self.last(key) else { return Fate::Nothing };
            let own = self.users.iter().find(|user| Some(user.0) == id);
            let is_newer = self.listing.began.is_some_and(|began| began <= at);
            match (past, own) {
                (Past::Taken(_), _) if self.listing.is_probed => Fate::Nothing,
                (Past::Created | Past::Restored | Past::RolledBack, Some((_, _, state))) => {
                    let state = match past {
                        Past::Restored if !self.is_late(at) => State::Active,
                        Past::RolledBack if !self.is_late(at) => State::Deleted,
                        _ => *state,
                    };
                    match state {
                        State::Deleted => Fate::Gone,
                        live => Fate::Holder(live, "after.renamed", id),
                    }
                }
                (Past::Taken(state), Some(_)) if is_newer => Fate::Holder(state, "after.taken", id),
                (Past::Taken(_), Some(_)) => Fate::Nothing,
                (Past::Created | Past::Restored, None) if self.settles(at) => Fate::Gone,
                (_, None) if self.settles(at) => Fate::Nothing,
                (Past::Taken(state), None) => Fate::Holder(state, "after.taken", id),
                (Past::RolledBack, None) => Fate::Holder(State::Deleted, "after.rolled_back", id),
                (Past::Created, None) => Fate::Holder(State::Active, "after.created", id),
                (Past::Restored, None) => Fate::Holder(State::Active, "after.restored", id),
                _ => Fate::Nothing,
            }
        }

        /// State and reason of a listed user, since its journal.
        fn known(&self, user: &Listed) -> (State, &'static str) {
            let listed = (user.2, "held.email");
            let Some((_, _, past, at, id)) = self.last(user.1) else { return listed };
            if id != Some(user.0) {
                return listed;
            }
            let counts = !self.is_late(at);
            match (past, user.2) {
                (Past::RolledBack, State::Deleted) => (State::Deleted, "after.rolled_back"),
                (Past::RolledBack, _) if counts => (State::Deleted, "after.rolled_back"),
                (Past::Restored, State::Deleted | State::Inactive) if counts => (State::Active, "after.restored"),
                _ => listed,
            }
        }

        /// Whether that is a present row of a user whom an earlier plan created or restored, and left there.
        pub fn is_ours(&self, key: &str, (verdict, _, holder): &Decided) -> bool {
            let is_his = |row: &Told| matches!(row.2, Past::Created | Past::Restored) && row.4 == holder.as_deref();
            verdict == "present" && holder.is_some() && self.last(key).as_ref().is_some_and(is_his)
        }

        pub fn decide(&self, key: &str) -> Decided {
            let mut holders = Vec::new();
            for user in self.users {
                if self.fold(user.1) == self.fold(key) {
                    let (state, reason) = self.known(user);
                    holders.push((state, user.0, reason));
                }
            }
            holders.sort();
            let held = |state: State, reason: &str, id: Option<&str>| {
                let verdict = if state == State::Deleted { "deleted" } else { "present" };
                (verdict.to_owned(), reason.to_owned(), id.map(str::to_owned))
            };
            if let Some((state, id, reason)) = holders.first() {
                return held(*state, reason, Some(*id));
            }
            let fate = self.fate(key);
            if let Fate::Holder(state, reason, id) = fate {
                return held(state, reason, id);
            }
            let is_open = !self.of(key, &|past| past == Past::Unknown).is_empty();
            let stranded = self.of(key, &|past| past == Past::Stranded);
            let is_stranded = stranded.iter().map(|row| row.3).max().is_some_and(|at| !self.settles(at));
            let mut notes = Vec::new();
            if is_open || is_stranded {
                notes.push("after.unknown");
            } else if !self.of(key, &|past| past == Past::Due).is_empty() {
                notes.push("after.at_work");
            }
            if matches!(fate, Fate::Gone) {
                notes.push("after.gone");
            }
            if !self.of(key, &|past| past == Past::Refused).is_empty() {
                notes.push("after.refused");
            }
            ("new".to_owned(), notes.join("+"), None)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_row_is_decided_as_the_table_says(
        users in listed(), told in told(), listing in listing(), plus: bool,
    ) {
        // With the fold the second key is the first one.
        let rows: Vec<&str> = KEYS.into_iter().filter(|key| !(plus && key.contains('+'))).collect();
        let world = table::World { users: &users, told: &told, listing, plus };
        let mut plans = told.clone();
        plans.sort_by_key(|row| row.0);
        let (found, counts) = decide(&rows, &users, &plans, listing, &policy(plus));
        let expected: Vec<Decided> = rows.iter().map(|key| world.decide(key)).collect();
        let n = |reason: &str| expected.iter().filter(|row| row.1.split('+').any(|one| one == reason)).count() as u64;
        for (found, reason) in [
            (counts.unseen, "after.created"), (counts.renamed, "after.renamed"), (counts.gone, "after.gone"),
            (counts.rolled_back, "after.rolled_back"), (counts.taken, "after.taken"), (counts.unknown, "after.unknown"),
            (counts.at_work, "after.at_work"), (counts.refused, "after.refused"),
        ] {
            let restored = if reason == "after.created" { n("after.restored") } else { 0 };
            // Whom no journal names cannot be counted as ours.
            prop_assert!(found == n(reason) + restored || reason == "after.created" && told.iter().any(|row| row.4.is_none()));
        }
        let n_ours = rows.iter().zip(&expected).filter(|(key, row)| world.is_ours(key, row)).count() as u64;
        prop_assert!(counts.created == n_ours || told.iter().any(|row| row.4.is_none()));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn neither_the_order_of_plans_nor_of_their_rows_nor_of_users_changes_anything(
        (users, pages) in listed().prop_flat_map(|u| (Just(u.clone()), Just(u).prop_shuffle())),
        (told, shuffled) in told().prop_flat_map(|t| (Just(t.clone()), Just(t).prop_shuffle())),
        listing in listing(), plus: bool, backwards: bool,
    ) {
        let in_order = |mut rows: Vec<Told>| {
            rows.sort_by_key(|row| if backwards { 3 - row.0 } else { row.0 });
            rows
        };
        let mut straight = told;
        straight.sort_by_key(|row| row.0);
        let once = decide(&KEYS, &users, &straight, listing, &policy(plus));
        prop_assert_eq!(once, decide(&KEYS, &pages, &in_order(shuffled), listing, &policy(plus)));
    }

    #[test]
    fn whoever_was_created_is_never_created_again_before_a_complete_listing_is_an_hour_younger(
        users in listed(), told in told(), listing in listing(), plus: bool,
    ) {
        let mut plans = told.clone();
        plans.sort_by_key(|row| row.0);
        let (found, _) = decide(&KEYS, &users, &plans, listing, &policy(plus));
        for (key, (verdict, reason, _)) in KEYS.iter().zip(found) {
            let is_held = ["after.unknown", "after.at_work"].iter().any(|held| reason.contains(held));
            if verdict != "new" || is_held {
                continue;
            }
            let of_key = told.iter().filter(|row| row.1 == *key);
            for (_, _, past, at, id) in of_key {
                let is_settled = listing.is_complete && listing.began.is_some_and(|began| began - at >= HOUR_S);
                let is_listed = users.iter().any(|user| Some(user.0) == *id);
                prop_assert!(*past != Past::Unknown, "{key}: {verdict} {reason}");
                let has_brought = |past: Past| matches!(past, Past::Created | Past::Restored | Past::RolledBack);
                let is_created = has_brought(*past);
                // Of two that created somebody the later one counts.
                let later = told.iter().filter(|row| row.1 == *key && has_brought(row.2) && row.3 >= *at);
                let is_last = later.count() == 1;
                prop_assert!(!is_created || !is_last || plus || is_settled || is_listed, "{key}: {verdict} {reason}");
            }
        }
    }
}

#[test]
fn nothing_is_known_from_no_plan() {
    let users = [("u1", KEYS[0], State::Active)];
    let (found, counts) = decide(&KEYS[..3], &users, &[], Listing::default(), &policy(false));
    let row =
        |verdict: &str, reason: &str, id: Option<&str>| (verdict.to_owned(), reason.to_owned(), id.map(str::to_owned));
    assert_eq!(found, [row("present", "held.email", Some("u1")), row("new", "", None), row("new", "", None)]);
    assert_eq!(counts, Counts::default());
}
