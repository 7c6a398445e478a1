//! Pages and cursors.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn all_pages(world: &mut World, state: &str, size: u32) -> Vec<String> {
    let (_, first) = world.get(&format!("/api/v2/users?state={state}&pageSize={size}"));
    let count = first["pageCount"].as_u64().unwrap();
    let uri = |n| format!("/api/v2/users?state={state}&pageSize={size}&pageNumber={n}");
    (1..=count).flat_map(|n| column(&world.get(&uri(n)).1, "id")).collect()
}

fn walk(world: &mut World, state: &str, size: u32, order: &str) -> Vec<String> {
    let mut uri = format!("/api/v2/users/query?state={state}&pageSize={size}&sortOrder={order}");
    let mut ids = Vec::new();
    loop {
        let (status, page) = world.get(&uri);
        assert_eq!(status, 200, "{page}");
        assert_eq!(page["results"].as_u64().unwrap() as usize, column(&page, "id").len());
        assert_eq!(page.get("total"), None);
        ids.extend(column(&page, "id"));
        assert_eq!(page["nextUri"].is_null(), page["cursor"].is_null());
        let Some(next) = page["nextUri"].as_str() else { return ids };
        uri = next.to_owned();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_cursor_walk_is_the_full_listing(n in 0_usize..120, size in 1_u32..40, at in 0_usize..4) {
        let mut world = World::new();
        world.org.seed_users(n);
        let state = ["active", "inactive", "deleted", "any"][at];
        let listed = all_pages(&mut world, state, size);
        let mut walked = walk(&mut world, state, size, "desc");
        walked.reverse();
        prop_assert_eq!(&walk(&mut world, state, size, "ASC"), &listed);
        prop_assert_eq!(&walked, &listed);
        let expected = world.org.users().iter().filter(|u| state == "any" || u.state.as_str() == state).count();
        prop_assert_eq!(listed.len(), expected);
    }
}

#[test]
fn the_default_page_has_25_active_users_and_the_whole_envelope() {
    let mut world = World::new();
    world.org.seed_users(100);
    let (status, page) = world.get("/api/v2/users");
    assert_eq!(status, 200);
    assert!(column(&page, "state").iter().all(|state| state == "active"));
    let facts = ["pageSize", "pageNumber", "total", "pageCount"].map(|name| page[name].as_u64().unwrap());
    assert_eq!(facts, [25, 1, 85, 4]);
    assert_eq!(page["entities"].as_array().unwrap().len(), 25);
    assert_eq!(page["previousUri"], Value::Null);
    assert_eq!(page["nextUri"], "/api/v2/users?pageSize=25&pageNumber=2");
    assert_eq!(page["lastUri"], "/api/v2/users?pageSize=25&pageNumber=4");
    let mut names: Vec<&String> = page.as_object().unwrap().keys().collect();
    names.sort();
    let mut expected = [
        "entities",
        "pageSize",
        "pageNumber",
        "total",
        "firstUri",
        "previousUri",
        "nextUri",
        "lastUri",
        "selfUri",
        "pageCount",
    ];
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn links_repeat_what_was_asked_for() {
    let mut world = World::new();
    world.org.seed_users(100);
    let (_, page) = world.get("/api/v2/users?state=inactive&pageSize=4&sortOrder=descending");
    assert_eq!(page["nextUri"], "/api/v2/users?pageSize=4&pageNumber=2&state=inactive&sortOrder=descending");
    let (_, next) = world.get(page["nextUri"].as_str().unwrap());
    let (_, ascending) = world.get("/api/v2/users?state=inactive&pageSize=10");
    let mut all = column(&page, "id");
    all.extend(column(&next, "id"));
    all.extend(column(&world.get(next["nextUri"].as_str().unwrap()).1, "id"));
    all.reverse();
    assert_eq!(all, column(&ascending, "id"));
}

#[test]
fn a_page_past_the_end_is_empty_and_fine() {
    let mut world = World::new();
    world.org.seed_users(30);
    let (status, page) = world.get("/api/v2/users?pageNumber=9");
    assert_eq!((status, page["entities"].as_array().unwrap().len()), (200, 0));
    assert_eq!(page["total"], 25);
    assert_eq!(page["nextUri"], Value::Null);
}

#[test]
fn inactive_users_beyond_the_cap_answer_400_while_page_count_promises_them() {
    let mut world = World::with(|settings| settings.page_cap.inactive = Some(20));
    world.org.seed_users(400);
    let (status, page) = world.get("/api/v2/users?state=inactive&pageSize=10&pageNumber=2");
    assert_eq!((status, page["pageCount"].as_u64(), page["total"].as_u64()), (200, Some(4), Some(40)));
    let (status, error) = world.get("/api/v2/users?state=inactive&pageSize=10&pageNumber=3");
    assert_eq!((status, error["status"].as_u64()), (400, Some(400)));
    assert_eq!(world.get("/api/v2/users?state=active&pageSize=10&pageNumber=3").0, 200);
    assert_eq!(walk(&mut world, "inactive", 7, "ASC").len(), 40);
}

#[test]
fn a_page_above_500_is_refused_or_lowered() {
    let mut world = World::new();
    world.org.seed_users(700);
    assert_eq!(world.get("/api/v2/users?pageSize=500").0, 200);
    assert_eq!(world.get("/api/v2/users?pageSize=501").0, 400);
    world.org.settings_mut().page_size_capped = true;
    let (status, page) = world.get("/api/v2/users?pageSize=501");
    assert_eq!((status, page["pageSize"].as_u64()), (200, Some(500)));
}

#[test]
fn words_outside_their_list_answer_400() {
    let mut world = World::new();
    for query in ["state=gone", "sortOrder=up", "pageSize=0", "pageNumber=0", "pageSize=x", "pageNumber=-1"] {
        let (status, error) = world.get(&format!("/api/v2/users?{query}"));
        assert_eq!((status, error["code"].as_str()), (400, Some("invalid.value")), "{query}");
    }
    for query in ["sortOrder=ASC", "sortOrder=Descending", "sortOrder=DESC", "state=any", "expand=presence"] {
        assert_eq!(world.get(&format!("/api/v2/users?{query}")).0, 200, "{query}");
    }
}

#[test]
fn the_employer_is_told_of_only_where_it_is_asked_for() {
    let mut world = World::new();
    world.org.seed_csv("email,employee_id,contacts\na@example.com,7,b@example.com\nc@example.com,,").unwrap();
    let id = world.org.users()[0].id.clone();
    for uri in ["/api/v2/users", "/api/v2/users/query"] {
        let (_, plain) = world.get(uri);
        assert_eq!(
            (&plain["entities"][0]["employerInfo"], &plain["entities"][0]["addresses"][0]["address"]),
            (&Value::Null, &json!("b@example.com")),
            "{uri}"
        );
        let (_, page) = world.get(&format!("{uri}?expand=presence,employerInfo"));
        assert_eq!(page["entities"][0]["employerInfo"], json!({"employeeId": "7"}), "{uri}");
        assert_eq!(page["entities"][1].get("employerInfo"), None, "{uri}");
    }
    assert_eq!(world.get(&format!("/api/v2/users/{id}?expand=employerInfo")).1["employerInfo"]["employeeId"], "7");
    let (_, found) = world.post("/api/v2/users/search", &json!({"expand": ["employerInfo"], "query": []}));
    assert_eq!(found["results"][0]["employerInfo"]["employeeId"], "7");
    // The link to the same page asks for the same.
    let (_, again) = world.get(&format!("/api/v2/users/search?q64={}", found["currentPage"].as_str().unwrap()));
    assert_eq!(again["results"][0]["employerInfo"]["employeeId"], "7");
    assert!(world.org.unknown_fields().is_empty(), "{:?}", world.org.unknown_fields());
    world.get("/api/v2/users?expand=employerinfo");
    world.post("/api/v2/users/search", &json!({"expand": ["employer"], "query": []}));
    let noted: Vec<&str> = world.org.unknown_fields().iter().map(String::as_str).collect();
    assert_eq!(noted, ["GET /api/v2/users expand: employerinfo", "POST /api/v2/users/search expand: employer"]);
}

#[test]
fn ids_are_repeated_or_joined_and_the_state_still_counts() {
    let mut world = World::new();
    let ids = [State::Active, State::Inactive, State::Deleted]
        .map(|state| world.seed(&format!("{state:?}@example.com"), state));
    let repeated = format!("id={}&id={}&id={}", ids[0], ids[1], ids[2]);
    let joined = format!("id={}", ids.join(","));
    for query in [repeated, joined] {
        assert_eq!(column(&world.get(&format!("/api/v2/users?{query}")).1, "id"), ids[..1]);
        assert_eq!(column(&world.get(&format!("/api/v2/users?{query}&state=any")).1, "id"), ids);
    }
    let many = |n| format!("/api/v2/users?id={}", vec!["x"; n].join(","));
    assert_eq!(world.get(&many(100)).0, 200);
    let (status, error) = world.get(&many(101));
    assert_eq!((status, error["code"].as_str()), (400, Some("max.user.ids")));
}

#[test]
fn a_jabber_id_names_one_user() {
    let mut world = World::new();
    world.org.seed_users(5);
    let (_, page) = world.get("/api/v2/users");
    let user = &page["entities"][2];
    let jabber_id = user["chat"]["jabberId"].as_str().unwrap();
    let (_, found) = world.get(&format!("/api/v2/users?jabberId={jabber_id}"));
    assert_eq!(found["entities"], json!([user]));
    assert_eq!(world.get("/api/v2/users?jabberId=x@simulated.orgspan.com").1["total"], 0);
}

#[test]
fn a_listing_lags_behind_every_kind_of_write() {
    let mut world = World::with(|settings| settings.list_lag = Duration::from_secs(10));
    world.org.seed_users(3);
    let seen = |world: &mut World, state: &str| {
        world.get(&format!("/api/v2/users?state={state}")).1["total"].as_u64().unwrap()
    };
    let (_, user) = world.create("new@example.com");
    let id = user["id"].as_str().unwrap().to_owned();
    assert_eq!((seen(&mut world, "active"), seen(&mut world, "any")), (3, 3), "a new user is not there yet");
    world.wait_s(9);
    assert_eq!(seen(&mut world, "any"), 3);
    world.wait_s(1);
    assert_eq!(seen(&mut world, "active"), 4);
    assert_eq!(world.delete(&id).0, 200);
    assert_eq!((seen(&mut world, "active"), seen(&mut world, "deleted")), (4, 0), "the old state is still shown");
    assert_eq!(world.get(&format!("/api/v2/users/{id}")).0, 404, "one user is looked up without lag");
    world.wait_s(10);
    assert_eq!((seen(&mut world, "active"), seen(&mut world, "deleted")), (3, 1));
}

#[test]
fn a_listed_user_keeps_its_old_name_while_the_listing_lags() {
    let mut world = World::with(|settings| settings.list_lag = Duration::from_secs(10));
    let id = world.seed("a@example.com", State::Active);
    assert_eq!(world.patch(&id, &json!({"version": 1, "name": "Now"})).0, 200);
    assert_eq!(column(&world.get("/api/v2/users").1, "name"), ["a"]);
    assert_eq!(world.get(&format!("/api/v2/users/{id}")).1["name"], "Now");
    world.wait_s(10);
    assert_eq!(column(&world.get("/api/v2/users").1, "name"), ["Now"]);
}

#[test]
fn a_shrinking_lag_never_brings_an_old_version_back() {
    let mut world = World::with(|settings| settings.list_lag = Duration::from_secs(60));
    let (_, user) = world.create("a@example.com");
    world.org.settings_mut().list_lag = Duration::ZERO;
    assert_eq!(world.patch(user["id"].as_str().unwrap(), &json!({"version": 1, "name": "Now"})).0, 200);
    assert_eq!(column(&world.get("/api/v2/users").1, "name"), ["Now"]);
    world.wait_s(60);
    assert_eq!(column(&world.get("/api/v2/users").1, "name"), ["Now"]);
}

#[test]
fn the_cursor_can_be_missing_forbidden_or_broken() {
    let mut world = World::new();
    assert_eq!(world.get("/api/v2/users/query?cursor=abc").0, 400);
    world.org.settings_mut().cursor_forbidden = true;
    assert_eq!(world.get("/api/v2/users/query").1["code"], "missing.permissions");
    world.org.settings_mut().cursor = false;
    assert_eq!(world.get("/api/v2/users/query").0, 404);
}

#[test]
fn a_walk_neither_repeats_nor_skips_when_users_come_and_go_behind_it() {
    let mut world = World::new();
    let ids: Vec<String> = (0..6).map(|n| world.seed(&format!("{n}@example.com"), State::Active)).collect();
    let (_, first) = world.get("/api/v2/users/query?pageSize=2");
    assert!(world.org.stranger_deletes("0@example.com", Duration::ZERO));
    let (_, second) = world.get(first["nextUri"].as_str().unwrap());
    assert_eq!(column(&second, "id"), ids[2..4], "an offset page would have skipped one");
}

#[test]
fn a_script_changes_the_world_between_two_pages() {
    let mut world = World::new();
    world.org.seed_users(60);
    let mut n = 0;
    world.org.before_each(move |org, _, now| {
        n += 1;
        if n == 2 {
            assert!(org.stranger_creates("late@example.com", State::Active, now).is_some());
        }
    });
    let totals = [1, 2].map(|n| world.get(&format!("/api/v2/users?pageNumber={n}")).1["total"].as_u64().unwrap());
    assert_eq!(totals[1], totals[0] + 1);
}

#[test]
fn strangers_are_told_apart() {
    let mut world = World::new();
    world.org.seed_users(1);
    world.create("mine@example.com");
    world.org.stranger_creates("theirs@example.com", State::Inactive, Duration::ZERO).unwrap();
    let origins: BTreeMap<String, _> = world.org.users().iter().map(|u| (u.name.clone(), u.created_by)).collect();
    assert_eq!(origins["Ada Abel"], super::super::Origin::Token(0));
    assert_eq!(origins["theirs"], super::super::Origin::Stranger);
    assert_eq!(world.org.stranger_creates("MINE@example.com", State::Active, Duration::ZERO), None);
}
