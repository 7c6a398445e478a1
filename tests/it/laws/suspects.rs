//! Suspects = what comparing every new row with every user and every row before it finds; whatever the order of users,
//! the number of threads, or how the roster is parted.

use proptest::prelude::*;
use rosterdiff::email::{likeness, normalise};
use rosterdiff::lanes::Effort;
use rosterdiff::person::{State, User};
use rosterdiff::plan::suspects::{Likeness, Other, find};
use rosterdiff::plan::{Policy, Verdict, Verdicts};
use rosterdiff::roster::{self, Opening, Roster};
use rosterdiff::snapshot::Snapshot;

#[derive(Clone, Debug)]
struct Row {
    email: String,
    name: &'static str,
    id: &'static str,
}

/// Few letters, so that likenesses abound.
fn address() -> impl Strategy<Value = String> {
    let local = prop::sample::select(vec!["ada", "a.da", "ada+x", "ad\u{430}", "bo1", "bol", "b.ol+1", "eve"]);
    let domain =
        prop::sample::select(vec!["acme.com", "acme.de", "eu.acme.com", "acme.co.uk", "other.com", "0ther.com"]);
    (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["Ada Lovelace", " ADA  Lovelace ", "Bo", "Ａda Lovelace"])
}

fn id() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "7", " 7 ", "8"])
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((address(), name(), id()).prop_map(|(email, name, id)| Row { email, name, id }), 0..14)
}

fn users() -> impl Strategy<Value = Vec<User>> {
    let state = prop::sample::select(vec![State::Active, State::Inactive, State::Deleted]);
    let contacts = prop::collection::vec(address(), 0..3);
    let user = (address(), prop::option::of(address()), name(), id(), contacts, state);
    type Drawn = (String, Option<String>, &'static str, &'static str, Vec<String>, State);
    prop::collection::vec(user, 0..8).prop_map(|users| {
        let user = |(at, (email, username, name, id, contacts, state)): (usize, Drawn)| User {
            id: format!("id-{at}"),
            name: Some(name.to_owned()),
            username: username.or_else(|| Some(email.clone())),
            email: Some(email),
            state,
            employee_id: Some(id.to_owned()),
            contacts,
            version: None,
            department: None,
            title: None,
            division: None,
            phone: None,
        };
        users.into_iter().enumerate().map(user).collect()
    })
}

fn checked(rows: &[Row]) -> Roster {
    let line = |row: &Row| format!("{},{},{}\n", row.email, row.name, row.id);
    let text = format!("Email,Name,Employee ID\n{}", rows.iter().map(line).collect::<String>());
    let sheet = roster::open_bytes("hr.csv", text.into_bytes(), Opening::default()).unwrap();
    let mapping = roster::map(&sheet, &[]).unwrap();
    roster::check(sheet, mapping).unwrap()
}

/// Who they are, as the issue of suspects sees them: written without the room's own code.
fn person(name: &str, id: &str) -> Option<String> {
    let name = name.replace('Ａ', "A").to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    (!id.trim().is_empty()).then(|| format!("{name}/{}", id.trim()))
}

fn key(address: &str) -> String {
    normalise(address).unwrap().key
}

fn made(make: fn(&str, &mut String), address: &str) -> String {
    let mut text = String::new();
    make(&key(address), &mut text);
    text
}

/// The texts of a likeness that an address, a name, an id and contacts have.
fn texts(of: Likeness, addresses: &[&str], name: &str, id: &str, contacts: &[String]) -> Vec<String> {
    let all = |make: fn(&str, &mut String)| addresses.iter().map(|address| made(make, address)).collect();
    match of {
        Likeness::Confusable => all(likeness::look),
        Likeness::PlusOrDots => all(likeness::bare),
        Likeness::SisterDomain => all(likeness::sister),
        Likeness::NameAndEmployeeId => person(name, id).into_iter().collect(),
        Likeness::OtherContact => contacts.iter().map(|contact| key(contact)).collect(),
    }
}

/// Every pair, one by one: for each new row and likeness the id of the best user, or the first row.
fn slowly(rows: &[Row], users: &[User], new: &[usize]) -> Vec<(usize, Likeness, String)> {
    let mut found = Vec::new();
    for row in new {
        for of in Likeness::ALL {
            let Row { email, name, id } = &rows[*row];
            let mine = match of {
                Likeness::OtherContact => vec![key(email)],
                _ => texts(of, &[email], name, id, &[]),
            };
            let Some(mine) = mine.first() else { continue };
            let is_like = |user: &&User| {
                let addresses = [user.email.as_deref(), user.username.as_deref()];
                let addresses: Vec<&str> = addresses.into_iter().flatten().collect();
                let (name, id) = (user.name.as_deref().unwrap(), user.employee_id.as_deref().unwrap());
                texts(of, &addresses, name, id, &user.contacts).contains(mine)
            };
            let best = users.iter().filter(is_like).min_by_key(|user| (user.state, user.id.clone()));
            let first = new.iter().find(|other| {
                texts(of, &[&rows[**other].email], rows[**other].name, rows[**other].id, &[]).contains(mine)
            });
            match (best, first) {
                (Some(user), _) => found.push((*row, of, user.id.clone())),
                (None, Some(first)) if first < row && of != Likeness::OtherContact => {
                    found.push((*row, of, format!("row {first}")))
                }
                _ => {}
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn suspects_are_what_comparing_everybody_with_everybody_finds(
        rows in rows(),
        (users, shuffled) in users().prop_flat_map(|users| (Just(users.clone()), Just(users).prop_shuffle())),
    ) {
        let roster = checked(&rows);
        let mut told = Vec::new();
        for (users, threads, chunk_bytes) in [(&users, 1, 1 << 20), (&shuffled, 3, 40)] {
            let effort = Effort { chunk_bytes, ..Effort::of_threads(threads) };
            let snapshot = Snapshot::from_users(users, None).unwrap();
            let verdicts = Verdicts::decide(&roster, &snapshot, &Policy::default(), effort).unwrap();
            let new: Vec<usize> = (0..rows.len()).filter(|at| verdicts.verdict(*at) == Verdict::New).collect();
            let found = find(&roster, &snapshot, &verdicts, effort).unwrap();
            let tell = |other: Other| match other {
                Other::User(user) => users[user].id.clone(),
                Other::Row(row) => format!("row {row}"),
            };
            let found: Vec<_> = found.into_iter().map(|s| (s.row, s.likeness, tell(s.other))).collect();
            prop_assert_eq!(&found, &slowly(&rows, users, &new));
            told.push(found);
        }
        prop_assert_eq!(&told[0], &told[1]);
    }
}
