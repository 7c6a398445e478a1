//! The search and its index.

use super::*;

fn world() -> World {
    let mut world = World::new();
    for state in State::ALL {
        world.seed(&format!("{}@example.com", state.as_str()), state);
    }
    world
}

fn emails(world: &mut World, criteria: &Value) -> Vec<String> {
    let (status, found) = world.search(criteria);
    assert_eq!(status, 200, "{found}");
    assert_eq!(found["types"], json!(["users"]));
    column(&found, "email")
}

const ALL: [&str; 3] = ["active@example.com", "inactive@example.com", "deleted@example.com"];

#[test]
fn without_a_state_deleted_users_stay_hidden() {
    let mut world = world();
    let by_email = json!({"type": "EXACT", "fields": ["email"], "values": ALL});
    assert_eq!(emails(&mut world, &json!([by_email])), ALL[..2]);
    assert_eq!(emails(&mut world, &json!([])), ALL[..2]);
    let any_state = json!({"type": "EXACT", "fields": ["state"], "values": ["active", "inactive", "deleted"]});
    assert_eq!(emails(&mut world, &json!([by_email, any_state])), ALL);
    world.org.settings_mut().search_shows_deleted = true;
    assert_eq!(emails(&mut world, &json!([by_email])), ALL);
}

#[test]
fn criteria_are_all_to_hold_unless_told_otherwise() {
    let mut world = world();
    let id = world.org.users()[0].id.clone();
    let email = |value: &str, operator: &str| json!({"type": "TERM", "fields": ["email"], "value": value, "operator": operator});
    assert_eq!(emails(&mut world, &json!([email(ALL[0], "AND"), email(ALL[1], "AND")])), [""; 0]);
    assert_eq!(emails(&mut world, &json!([email(ALL[0], "OR"), email(ALL[1], "OR")])), ALL[..2]);
    assert_eq!(emails(&mut world, &json!([email(ALL[0], "NOT")])), ALL[1..2]);
    assert_eq!(emails(&mut world, &json!([{"type": "EXACT", "fields": ["id"], "value": id}])), ALL[..1]);
    let name_or_email = json!([{"type": "EXACT", "fields": ["name", "email"], "values": ["active", ALL[1]]}]);
    assert_eq!(emails(&mut world, &name_or_email), ALL[..2]);
}

#[test]
fn case_counts_only_when_switched_on() {
    let mut world = world();
    let criteria = json!([{"type": "EXACT", "fields": ["email"], "value": "Active@Example.com"}]);
    assert_eq!(emails(&mut world, &criteria), ALL[..1]);
    world.org.settings_mut().search_folds_case = false;
    assert_eq!(emails(&mut world, &criteria), [""; 0]);
}

#[test]
fn the_search_lags_on_its_own() {
    let mut world = world();
    world.org.settings_mut().search_lag = Duration::from_secs(10);
    world.create("new@example.com");
    let criteria = json!([{"type": "EXACT", "fields": ["email"], "value": "new@example.com"}]);
    assert_eq!(emails(&mut world, &criteria), [""; 0]);
    assert_eq!(column(&world.get("/api/v2/users").1, "email").len(), 2, "the listing has no lag here");
    world.wait_s(10);
    assert_eq!(emails(&mut world, &criteria), ["new@example.com"]);
    assert!(world.org.stranger_deletes("new@example.com", world.now));
    assert_eq!(emails(&mut world, &criteria), ["new@example.com"], "still found as it was");
    world.wait_s(10);
    assert_eq!(emails(&mut world, &criteria), [""; 0]);
}

#[test]
fn a_bad_criterion_answers_400() {
    let mut world = world();
    let bad = [
        json!([{"fields": ["email"], "value": "x"}]),
        json!([{"type": "SOUNDS_LIKE", "fields": ["email"], "value": "x"}]),
        json!([{"type": "REGEX", "fields": ["email"], "value": "x"}]),
        json!([{"type": "EXACT", "value": "x"}]),
        json!([{"type": "EXACT", "fields": ["email"]}]),
        json!([{"type": "EXACT", "fields": ["e-mail"], "value": "x"}]),
        json!([{"type": "EXACT", "fields": ["email"], "value": "x", "operator": "XOR"}]),
        json!([{"type": "EXACT", "fields": ["email"], "values": vec!["x"; 101]}]),
        json!([{"type": "EXACT", "fields": ["email"], "values": "x"}]),
    ];
    for criteria in bad {
        assert_eq!(world.search(&criteria).0, 400, "{criteria}");
    }
    assert_eq!(world.search(&json!([{"type": "EXACT", "fields": ["email"], "values": vec!["x"; 100]}])).0, 200);
}

#[test]
fn a_search_is_paged_and_its_pages_are_linked() {
    let mut world = World::new();
    world.org.seed_users(60);
    let (_, first) = world.post("/api/v2/users/search", &json!({}));
    let facts = ["total", "pageCount", "pageSize", "pageNumber"].map(|name| first[name].as_u64().unwrap());
    assert_eq!(facts, [57, 3, 25, 1]);
    assert_eq!(first["previousPage"], Value::Null);
    let (status, second) = world.get(&format!("/api/v2/users/search?q64={}", first["nextPage"].as_str().unwrap()));
    let (_, expected) = world.post("/api/v2/users/search", &json!({"pageNumber": 2}));
    assert_eq!((status, column(&second, "id")), (200, column(&expected, "id")));
    assert_ne!(column(&second, "id"), column(&first, "id"));
    assert_eq!(world.post("/api/v2/users/search", &json!({"pageSize": 101})).0, 400);
    let past = world.post("/api/v2/users/search", &json!({"pageNumber": 9})).1;
    assert_eq!((column(&past, "id").len(), past["nextPage"].is_null()), (0, true));
    world.org.settings_mut().search_cap = Some(50);
    assert_eq!(world.post("/api/v2/users/search", &json!({"pageNumber": 3})).0, 400);
}
