//! plan = oracle, whatever the order of rows and pages.

use polars::prelude::*;
use proptest::prelude::*;
use rosterdiff::email::{Folds, normalise};
use rosterdiff::plan::{Keep, Plan, Policy, Verdict};
use rosterdiff::roster::Roster;
use rosterdiff::snapshot::Snapshot;

use super::oracle;

/// Few people, many spellings: collisions are the point.
fn address() -> impl Strategy<Value = String> {
    let person = prop::sample::select(vec!["ada", "bob", "rémi", "a.b", "ab", "ada+x"]);
    let domain = prop::sample::select(vec!["example.com", "mail.example"]);
    let sound = (person, domain, 0_u8..9).prop_map(|(person, domain, dress)| {
        let plain = format!("{person}@{domain}");
        match dress {
            0 => plain.to_uppercase(),
            1 => format!("  {plain}\u{a0}"),
            2 => plain.replacen('@', "\u{200b}@\u{feff}", 1),
            3 => plain.replacen('a', "\u{ff41}", 1),
            4 => format!("mailto:{plain}"),
            5 => format!("Some Body <{plain}>"),
            6 => format!("{plain}."),
            7 => plain.replace('é', "e\u{301}"),
            _ => plain,
        }
    });
    let broken =
        prop::sample::select(vec!["", " ", "ada", "ada@", "@example.com", "ada@localhost", "a da@example.com"]);
    prop_oneof![9 => sound, 1 => broken.prop_map(str::to_owned)]
}

fn rows() -> impl Strategy<Value = Vec<oracle::Row>> {
    let name = prop::sample::select(vec!["Ada", "Bob", "Ada", ""]);
    let row = (address(), name).prop_map(|(email, name)| oracle::Row { email, name: name.to_owned() });
    prop::collection::vec(row, 0..24)
}

fn users() -> impl Strategy<Value = Vec<oracle::User>> {
    let state = prop::sample::select(vec!["active", "inactive", "deleted"]);
    let username = prop_oneof![2 => Just(None), 1 => address().prop_map(Some)];
    prop::collection::vec((address(), username, state), 0..10).prop_map(|users| {
        let user = |(at, (email, username, state)): (usize, (String, Option<String>, _))| oracle::User {
            id: format!("id-{at}"),
            username: username.unwrap_or_else(|| email.clone()),
            email,
            state,
        };
        users.into_iter().enumerate().map(user).collect()
    })
}

fn plan(rows: &[oracle::Row], users: &[oracle::User], policy: impl Into<Policy>) -> Plan {
    let column = |cells: Vec<&str>, name: &str| Column::new(name.into(), cells);
    let roster = DataFrame::new(
        rows.len(),
        vec![
            column(rows.iter().map(|r| r.email.as_str()).collect(), "email"),
            column(rows.iter().map(|r| r.name.as_str()).collect(), "name"),
        ],
    );
    let organisation = DataFrame::new(
        users.len(),
        vec![
            column(users.iter().map(|u| u.id.as_str()).collect(), "id"),
            column(users.iter().map(|u| u.email.as_str()).collect(), "email"),
            column(users.iter().map(|u| u.username.as_str()).collect(), "username"),
            column(users.iter().map(|u| u.state).collect(), "state"),
        ],
    );
    let roster = Roster::from_frame(&roster.unwrap()).unwrap();
    Plan::build(&roster, &Snapshot::from_frame(&organisation.unwrap()).unwrap(), policy).unwrap()
}

fn decided(plan: &Plan) -> Vec<oracle::Decided> {
    let frame = plan.frame();
    let text = |name: &str| frame.column(name).unwrap().str().unwrap().clone();
    let (verdicts, ids) = (text("verdict"), text("user_id"));
    let first = frame.column("first_row").unwrap().u32().unwrap();
    let word = |at: usize| Verdict::from_word(verdicts.get(at).unwrap()).unwrap().as_str();
    (0..frame.height()).map(|at| (word(at), first.get(at), ids.get(at).map(str::to_owned))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_plan_is_what_the_oracle_says(rows in rows(), users in users(), keep in 0_u8..3) {
        let (ours, theirs) = [
            (Keep::First, oracle::Keep::First), (Keep::Last, oracle::Keep::Last), (Keep::None, oracle::Keep::None),
        ][keep as usize];
        let plan = plan(&rows, &users, ours);
        prop_assert_eq!(decided(&plan), oracle::verdicts(&rows, &users, theirs));
        let counts = plan.counts();
        prop_assert!(counts.add_up());
        prop_assert_eq!(counts.new, plan.new_users().unwrap().height() as u64);
    }

    #[test]
    fn neither_the_order_of_pages_nor_of_rows_changes_who_is_new(
        (rows, shuffled) in rows().prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        (users, pages) in users().prop_flat_map(|u| (Just(u.clone()), Just(u).prop_shuffle())),
    ) {
        let straight = plan(&rows, &users, Keep::First);
        prop_assert_eq!(decided(&straight), decided(&plan(&rows, &pages, Keep::First)));
        let keys = |plan: &Plan| {
            let new = plan.new_users().unwrap();
            let mut keys: Vec<String> =
                new.column("key").unwrap().str().unwrap().iter().flatten().map(str::to_owned).collect();
            keys.sort();
            keys
        };
        prop_assert_eq!(keys(&straight), keys(&plan(&shuffled, &users, Keep::First)));
    }

    #[test]
    fn folding_decides_as_if_everybody_had_written_the_folded_address(
        rows in rows(), users in users(), plus: bool, gmail_dots: bool, renamed: bool, keep in 0_u8..3,
    ) {
        let mut folds = Folds { plus, gmail_dots, ..Folds::default() };
        if gmail_dots {
            // Nobody here is at Gmail, but everybody at a domain that became it.
            folds.add_alias("example.com", "gmail.com").unwrap();
        }
        if renamed {
            folds.add_alias("mail.example", if gmail_dots { "gmail.com" } else { "example.com" }).unwrap();
        }
        let folded = |address: &str| match normalise(address) {
            Ok(found) => {
                let mut key = found.key;
                folds.fold(&mut key);
                key
            }
            Err(_) => address.to_owned(),
        };
        let person = |row: &oracle::Row| oracle::Row { email: folded(&row.email), name: row.name.clone() };
        let user = |user: &oracle::User| oracle::User {
            id: user.id.clone(), email: folded(&user.email), username: folded(&user.username), state: user.state,
        };
        let keep = [Keep::First, Keep::Last, Keep::None][usize::from(keep)];
        let expected = plan(&rows.iter().map(person).collect::<Vec<_>>(), &users.iter().map(user).collect::<Vec<_>>(), keep);
        let found = plan(&rows, &users, Policy { folds: folds.clone(), ..Policy::from(keep) });
        prop_assert_eq!(decided(&found), decided(&expected));
        // What is sent, looked up and read back is the address itself.
        let new = found.new_users().unwrap();
        let texts = |name: &str| new.column(name).unwrap().str().unwrap().clone();
        let (keys, emails) = (texts("key"), texts("email"));
        for (key, email) in keys.iter().zip(emails.iter()) {
            prop_assert_eq!(&normalise(email.unwrap()).unwrap().key, key.unwrap());
        }
    }

    #[test]
    fn the_plan_of_an_applied_plan_is_empty(rows in rows(), users in users()) {
        let first = plan(&rows, &users, Keep::First);
        let mut after = users;
        for person in first.people().unwrap() {
            let email = person.email;
            after.push(oracle::User { id: format!("new-{email}"), username: email.clone(), email, state: "active" });
        }
        prop_assert_eq!(plan(&rows, &after, Keep::First).counts().new, 0);
    }
}
