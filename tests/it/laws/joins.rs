//! The join by hash is what polars makes of the same keys with its own joins.

use polars::prelude::*;
use proptest::prelude::*;
use rosterdiff::lanes::Effort;
use rosterdiff::person::State;
use rosterdiff::plan::{Keep, Verdict, Verdicts};
use rosterdiff::roster::Roster;
use rosterdiff::snapshot::{Cell, Snapshot};

fn text(name: &str, cells: Vec<Option<&str>>) -> Column {
    Column::new(name.into(), cells)
}

fn joined(left: &DataFrame, right: &DataFrame, how: JoinType) -> DataFrame {
    let mut args = JoinArgs::new(how);
    args.maintain_order = MaintainOrderJoin::Left;
    left.join(right, ["key"], ["key"], args, None).unwrap()
}

fn one_a_key(frame: &DataFrame, which: UniqueKeepStrategy) -> DataFrame {
    frame.unique_stable(Some(&["key".to_owned()]), which, None).unwrap()
}

fn with(frame: &DataFrame, name: &str, of: &str) -> DataFrame {
    let mut frame = frame.select(["key", of]).unwrap();
    frame.rename(of, name.into()).unwrap();
    frame
}

/// Best holder of each key: `key`, `user`, `rank`.
fn holders(snapshot: &Snapshot) -> DataFrame {
    let n = snapshot.len();
    let users: Vec<u32> = (0..u32::try_from(n).unwrap()).collect();
    let rank = |state: &State| State::ALL.iter().position(|other| other == state).unwrap() as u32;
    let ranks: Vec<u32> = snapshot.states.iter().map(rank).collect();
    let ids: Vec<&str> = (0..n).map(|at| snapshot.cell(Cell::Id, at).unwrap()).collect();
    let of = |keys: &StringChunked| {
        let columns = vec![
            text("key", keys.iter().collect()),
            Column::new("user".into(), &users),
            Column::new("rank".into(), &ranks),
            Column::new("id".into(), &ids),
        ];
        DataFrame::new(n, columns).unwrap()
    };
    let mut all = of(snapshot.keys().column());
    if let Some(usernames) = snapshot.username_keys() {
        all = all.vstack(&of(usernames.column())).unwrap();
    }
    let all = all.filter(&all.column("key").unwrap().is_not_null()).unwrap();
    let best_first = all.sort(["rank", "id", "user"], SortMultipleOptions::default()).unwrap();
    one_a_key(&best_first, UniqueKeepStrategy::First).select(["key", "user", "rank"]).unwrap()
}

/// Of each row its verdict, its best holder, and for a duplicate the row that stands.
type Decided = (Verdict, Option<u32>, Option<u32>);

fn by_polars(roster: &Roster, names: &[&str], snapshot: &Snapshot, keep: Keep) -> Vec<Decided> {
    let holders = holders(snapshot);
    let rows: Vec<u32> = (0..u32::try_from(roster.n_rows()).unwrap()).collect();
    let named: Vec<bool> = names.iter().map(|name| !name.is_empty()).collect();
    let columns = vec![
        text("key", roster.keys().iter().collect()),
        Column::new("row".into(), &rows),
        Column::new("named".into(), &named),
    ];
    let all = DataFrame::new(rows.len(), columns).unwrap();
    let keyed = all.filter(&all.column("key").unwrap().is_not_null()).unwrap();
    let held = joined(&keyed, &holders, JoinType::Semi);
    let open = joined(&keyed, &holders, JoinType::Anti);
    // A row without a name never stands for a key that nobody holds; among several of which none stands it counts.
    let fit = |frame: &DataFrame| frame.filter(frame.column("named").unwrap().bool().unwrap()).unwrap();
    let standing = match keep {
        Keep::First => one_a_key(&held.vstack(&fit(&open)).unwrap(), UniqueKeepStrategy::First),
        Keep::Last => one_a_key(&held.vstack(&fit(&open)).unwrap(), UniqueKeepStrategy::Last),
        Keep::None => one_a_key(&held, UniqueKeepStrategy::None)
            .vstack(&fit(&one_a_key(&open, UniqueKeepStrategy::None)))
            .unwrap(),
    };
    let alone = with(&one_a_key(&keyed, UniqueKeepStrategy::None), "alone", "row");
    let table = joined(&joined(&all, &holders, JoinType::Left), &with(&standing, "stands", "row"), JoinType::Left);
    let table = joined(&table, &alone, JoinType::Left);
    let number = |name: &str| table.column(name).unwrap().u32().unwrap().clone();
    let [user, rank, stands, alone] = ["user", "rank", "stands", "alone"].map(number);
    let decide = |at: usize| {
        let (row, stands, user) = (rows[at], stands.get(at), user.get(at));
        let would_stand = match keep {
            Keep::First => stands.is_none_or(|stands| row < stands),
            Keep::Last => stands.is_none_or(|stands| row > stands),
            Keep::None => alone.get(at).is_some(),
        };
        if roster.key(at).is_none() {
            return (Verdict::Invalid, None, None);
        }
        if user.is_none() && !named[at] && would_stand {
            return (Verdict::Invalid, None, None);
        }
        match (stands, rank.get(at)) {
            (stands, _) if stands != Some(row) => (Verdict::Duplicate, user, stands.map(|row| row + 1)),
            (_, None) => (Verdict::New, None, None),
            (_, Some(2)) => (Verdict::Deleted, user, None),
            (_, Some(_)) => (Verdict::Present, user, None),
        }
    };
    (0..rows.len()).map(decide).collect()
}

fn address(n: u32) -> String {
    match n % 97 {
        0 => format!("person {n}"),
        1..=9 => format!("Person{n}@Example.com"),
        _ => format!("person{n}@example.com"),
    }
}

fn numbers(n: std::ops::Range<usize>, of: u32) -> impl Strategy<Value = Vec<(u32, u32)>> {
    prop::collection::vec((0..of, 0..of), n)
}

fn snapshot(users: &[(u32, u32)]) -> Snapshot {
    let column = |name: &str, of: &dyn Fn(&(u32, u32)) -> String| {
        Column::new(name.into(), users.iter().map(of).collect::<Vec<_>>())
    };
    // No two are equal, and their order is not that of the users.
    let id = |at: usize| format!("id-{:04}", at * 7_919 % 10_007);
    let ids = Column::new("id".into(), (0..users.len()).map(id).collect::<Vec<_>>());
    let columns = vec![
        column("email", &|(own, _)| address(*own)),
        column("username", &|(own, other)| address(if other % 3 == 0 { *other } else { *own })),
        column("state", &|(own, other)| ["active", "inactive", "deleted"][(own + other) as usize % 3].to_owned()),
        ids,
    ];
    Snapshot::from_frame(&DataFrame::new(users.len(), columns).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_verdicts_are_those_of_polars_joins(
        rows in numbers(0..6_000, 4_000), users in numbers(0..3_000, 4_000), keep in 0..3_usize, threads in 1..5_usize,
    ) {
        let keep = [Keep::First, Keep::Last, Keep::None][keep];
        let emails: Vec<String> = rows.iter().map(|(n, _)| address(*n)).collect();
        let names: Vec<&str> = rows.iter().map(|(_, other)| if other % 5 == 0 { "" } else { "Ada" }).collect();
        let columns = vec![Column::new("email".into(), &emails), Column::new("name".into(), &names)];
        let roster = Roster::from_frame(&DataFrame::new(rows.len(), columns).unwrap()).unwrap();
        let snapshot = snapshot(&users);
        let verdicts = Verdicts::decide(&roster, &snapshot, &keep.into(), Effort::of_threads(threads)).unwrap();
        let holder = |at| verdicts.holder(at).map(|holder| u32::try_from(holder.user).unwrap());
        let ours: Vec<Decided> =
            (0..rows.len()).map(|at| (verdicts.verdict(at), holder(at), verdicts.first_row(at))).collect();
        let theirs = by_polars(&roster, &names, &snapshot, keep);
        let unlike = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
        prop_assert_eq!(unlike.map(|at| (at, ours[at], theirs[at])), None);
    }
}
