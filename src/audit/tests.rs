//! Who belongs together and who stands, on people who can be counted on two hands.

#![allow(clippy::unwrap_used)]

use polars::prelude::{Column, DataFrame};

use super::*;
use crate::cells::Value;
use crate::lanes::{Effort, Stop};
use crate::plan::Keep;
use crate::roster::{self, Opening, open_bytes};

fn rows(text: &str) -> People {
    let sheet = open_bytes("hr.csv", text.as_bytes().to_vec(), Opening::default()).unwrap();
    let mapping = roster::map(&sheet, &[]).unwrap();
    People::Rows(roster::check(sheet, mapping).unwrap())
}

fn users(text: &str) -> People {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let (header, users) = lines.split_first().unwrap();
    let cells = |at: usize| users.iter().map(|cells| cells[at]).collect::<Vec<_>>();
    let columns = header.iter().enumerate().map(|(at, name)| Column::new((*name).into(), cells(at))).collect();
    People::Users(Snapshot::from_frame(&DataFrame::new(users.len(), columns).unwrap()).unwrap())
}

/// Each member as `cluster file:row`, with a star if it stands, and what else is told behind it.
fn told(people: Vec<People>, by: By, keep: Keep, columns: &[&str]) -> Vec<String> {
    let crowd = |(at, people): (usize, People)| {
        let name = ["a", "b", "c", "d"][at].to_owned();
        match by {
            By::Email => Crowd::by_email(name, people),
            By::Name => {
                let values = names(&people, Effort::default()).unwrap();
                Crowd::by_value(name, people, values)
            }
            By::EmployeeId => unreachable!(),
        }
    };
    let crowds = Crowds::of(people.into_iter().enumerate().map(crowd).collect()).unwrap();
    let clusters = Clusters::find(&crowds, keep, Stop::default()).unwrap();
    let teller = Teller::new(&crowds, &clusters, by, keep, Effort::default()).unwrap();
    let mut all = Vec::new();
    teller.tell(0..teller.n_members(), |member| {
        let values = member.values();
        let star = if member.is_kept { "*" } else { "" };
        let mut line = format!("{} {}:{}{star}", member.cluster, member.file, member.row);
        for name in columns {
            let at = COLUMNS.iter().position(|(column, _)| column == name).unwrap();
            match values[at] {
                Value::Text(text) => line += &format!(" {}", text.unwrap_or("-")),
                Value::Number(number) => line += &number.map_or_else(|| " -".to_owned(), |n| format!(" {n}")),
            }
        }
        all.push(line);
    });
    all
}

#[test]
fn a_user_whose_two_keys_meet_others_joins_them_and_both_keys_are_told() {
    let hr = rows("Email\nada@example.com\nx@example.com\nADA.L@example.com\n");
    let org = users("id,email,username,state\n1,ada@example.com,ada.l@example.com,deleted\n");
    let found = told(vec![hr, org], By::Email, Keep::First, &["size", "key", "rules", "policy"]);
    assert_eq!(
        found,
        [
            "1 a:1* 3 ada@example.com - first",
            "1 a:3 3 ada.l@example.com lower first",
            "1 b:1 3 ada@example.com ada.l@example.com - first",
        ]
    );
}

#[test]
fn a_key_that_a_user_shares_with_nobody_is_not_told() {
    let hr = rows("Email\nlogin@example.com\n");
    let org = users("email,username\nada@example.com,login@example.com\n");
    let found = told(vec![hr, org], By::Email, Keep::First, &["key", "email"]);
    assert_eq!(found, ["1 a:1 login@example.com login@example.com", "1 b:1* login@example.com ada@example.com"]);
    // One user with one key twice is alone.
    let org = users("email,username\nada@example.com,ADA@example.com\n");
    assert!(told(vec![org], By::Email, Keep::First, &[]).is_empty());
}

#[test]
fn of_live_users_the_active_one_with_the_smallest_id_stands_and_a_deleted_one_never() {
    let hr = || rows("Email\na@example.com\n");
    let org = users(
        "id,email,state\n1,a@example.com,deleted\n2,a@example.com,inactive\n4,a@example.com,active\n3,a@example.com,\n",
    );
    let found = told(vec![org, hr()], By::Email, Keep::Last, &["user_id", "state", "policy"]);
    let expected = ["1 a:1 1 deleted org", "1 a:2 2 inactive org", "1 a:3 4 active org", "1 a:4* 3 active org"];
    assert_eq!(found[..4], expected);
    assert_eq!(found[4], "1 b:1 - - org");
    let org = users("id,email,state\n1,a@example.com,deleted\n2,a@example.com,deleted\n");
    assert_eq!(told(vec![org.clone()], By::Email, Keep::First, &["policy"]), ["1 a:1 first", "1 a:2 first"]);
    assert_eq!(told(vec![org, hr()], By::Email, Keep::None, &["policy"]), ["1 a:1 none", "1 a:2 none", "1 b:1* none"]);
}

#[test]
fn a_row_without_a_usable_address_never_stands_whoever_has_its_name() {
    let hr = || rows("Email,Name\nnope,Ada\nada@example.com,Ada\n");
    let org = users("id,email,name,state\n1,old@example.com,Ada,deleted\n");
    assert_eq!(told(vec![hr()], By::Name, Keep::First, &[]), ["1 a:1", "1 a:2*"]);
    assert_eq!(told(vec![hr(), org], By::Name, Keep::First, &[]), ["1 a:1", "1 a:2*", "1 b:1"]);
}

#[test]
fn of_rows_keep_decides_over_all_files_in_their_order() {
    let two = || vec![rows("Email\na@example.com\na@example.com\n"), rows("Email\nb@example.com\na@example.com\n")];
    for (keep, expected) in [
        (Keep::First, ["1 a:1*", "1 a:2", "1 b:2"]),
        (Keep::Last, ["1 a:1", "1 a:2", "1 b:2*"]),
        (Keep::None, ["1 a:1", "1 a:2", "1 b:2"]),
    ] {
        assert_eq!(told(two(), By::Email, keep, &[]), expected);
    }
}

#[test]
fn a_row_that_lacks_a_name_where_there_is_a_column_of_names_never_stands() {
    let hr = "Email,Name\na@example.com,\na@example.com,Ada\na@example.com,\n";
    for keep in [Keep::First, Keep::Last] {
        assert_eq!(told(vec![rows(hr)], By::Email, keep, &[]), ["1 a:1", "1 a:2*", "1 a:3"]);
    }
    let nobody = "Email,Name\na@example.com,\na@example.com, \n";
    assert_eq!(told(vec![rows(nobody)], By::Email, Keep::First, &["disagrees"]), ["1 a:1 -", "1 a:2 -"]);
    let without = "Email\na@example.com\na@example.com\n";
    assert_eq!(told(vec![rows(without)], By::Email, Keep::First, &[]), ["1 a:1*", "1 a:2"]);
}

#[test]
fn what_disagrees_with_the_one_that_stands_is_named_and_an_empty_field_disagrees_with_nothing() {
    let hr = "Email,Name,Department,Job Title\na@example.com,Ada,Care,\na@example.com,Eda,,Boss\na@example.com, Ada ,Care,\n";
    let found = told(vec![rows(hr)], By::Email, Keep::First, &["disagrees"]);
    assert_eq!(found, ["1 a:1* -", "1 a:2 name+title", "1 a:3 -"]);
    let org = "email,name,department,title\na@example.com,Ada, Sales ,Boss\na@example.com,,sales,\n";
    let found = told(vec![rows(hr), users(org)], By::Email, Keep::First, &["disagrees"]);
    // Of two users without an id the one that more is told of comes last: so no order of the export decides.
    assert_eq!(found[3..], ["1 b:1 name+department+title", "1 b:2* -"]);
}

#[test]
fn a_row_without_a_usable_address_is_nobodys_double_by_address_and_may_be_one_by_name() {
    let hr = || {
        rows(
            "Email,Name\nnope,Ada Lovelace\nnope,\nada@example.com,ADA  lovelace\nnope,\nx@example.com,Ada Lovelace,surplus\n",
        )
    };
    assert!(told(vec![hr()], By::Email, Keep::First, &[]).is_empty());
    let found = told(vec![hr()], By::Name, Keep::First, &["line", "key", "email"]);
    assert_eq!(found, ["1 a:1 2 ada lovelace nope", "1 a:3* 4 ada lovelace ada@example.com"]);
}

#[test]
fn clusters_come_in_the_order_of_their_first_member() {
    let one = rows("Email\nb@example.com\na@example.com\nc@example.com\n");
    let two = rows("Email\na@example.com\nb@example.com\nd@example.com\n");
    let three = rows("Email\n\nd@example.com\n");
    let found = told(vec![one, two, three], By::Email, Keep::First, &["line"]);
    let expected = ["1 a:1* 2", "1 b:2 3", "2 a:2* 3", "2 b:1 2", "3 b:3* 4", "3 c:1 3"];
    assert_eq!(found, expected);
}
