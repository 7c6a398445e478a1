//! Creating, showing, changing, deleting one user.

use super::*;

#[test]
fn a_created_user_has_version_one_and_its_address_as_username() {
    let mut world = World::new();
    let contact = json!({"address": "+4930123456", "mediaType": "PHONE", "type": "WORK"});
    let body = json!({"name": "Ada", "email": "Ada@example.com", "state": "active", "department": "Sales",
                      "title": "Agent", "addresses": [contact], "divisionId": ""});
    let (status, user) = world.post("/api/v2/users", &body);
    assert_eq!(status, 200);
    for (name, value) in [
        ("username", "Ada@example.com"),
        ("email", "Ada@example.com"),
        ("state", "active"),
        ("department", "Sales"),
        ("title", "Agent"),
    ] {
        assert_eq!(user[name], value);
    }
    assert_eq!((user["version"].as_u64(), user["addresses"][0] == contact), (Some(1), true));
    assert_eq!(user["division"]["name"], "Home");
    assert_eq!(user["primaryContactInfo"][0]["address"], "Ada@example.com");
    assert_eq!(user["selfUri"].as_str().unwrap(), format!("/api/v2/users/{}", user["id"].as_str().unwrap()));
    assert!(world.org.unknown_fields().is_empty());
}

#[test]
fn a_user_without_a_state_is_inactive() {
    let mut world = World::new();
    let (_, user) = world.post("/api/v2/users", &json!({"name": "Ada", "email": "a@example.com"}));
    assert_eq!(user["state"], "inactive");
}

#[test]
fn an_address_conflicts_with_a_holder_in_any_state_and_any_case() {
    for state in State::ALL {
        let mut world = World::new();
        world.seed("ada@example.com", state);
        let (status, error) = world.create("ADA@Example.com");
        assert_eq!((status, error["code"].as_str()), (409, Some("general.conflict")), "{state:?}");
        assert_eq!(world.org.users().len(), 1);
    }
}

#[test]
fn switches_free_the_addresses_of_the_deleted_and_of_other_cases() {
    let mut world = World::with(|settings| settings.deleted_holds = false);
    world.seed("a@example.com", State::Deleted);
    world.seed("b@example.com", State::Inactive);
    assert_eq!(world.create("a@example.com").0, 200);
    assert_eq!(world.create("b@example.com").0, 409);
    world.org.settings_mut().case_insensitive = false;
    assert_eq!(world.create("B@example.com").0, 200);
    assert_eq!(world.create("b@example.com").0, 409);
}

#[test]
fn an_address_conflicts_with_a_username() {
    let mut world = World::new();
    world.org.seed_csv("email,username\nnew@example.com,old@example.com").unwrap();
    assert_eq!(world.create("old@example.com").0, 409);
    assert_eq!(world.create("new@example.com").0, 409);
}

#[test]
fn uniqueness_does_not_lag() {
    let mut world = World::with(|settings| settings.list_lag = Duration::from_secs(60));
    assert_eq!(world.create("a@example.com").0, 200);
    assert_eq!(world.create("a@example.com").0, 409);
    assert_eq!(world.org.counts().n_conflicts(), 1);
}

#[test]
fn a_bad_body_is_refused_by_the_name_of_its_field() {
    let mut world = World::new();
    let cases = [
        (json!({"email": "a@example.com"}), "name"),
        (json!({"name": " ", "email": "a@example.com"}), "name"),
        (json!({"name": 5, "email": "a@example.com"}), "name"),
        (json!({"name": "Ada"}), "email"),
        (json!({"name": "Ada", "email": null}), "email"),
        (json!({"name": "Ada", "email": "a@b@example.com"}), "email"),
        (json!({"name": "Ada", "email": "@example.com"}), "email"),
        (json!({"name": "Ada", "email": "a@example.com", "divisionId": "x"}), "divisionId"),
        (json!({"name": "Ada", "email": "a@example.com", "state": "deleted"}), "state"),
        (json!({"name": "Ada", "email": "a@example.com", "title": 1}), "title"),
        (json!({"name": "Ada", "email": "a@example.com", "addresses": [{"type": "WORK"}]}), "addresses"),
    ];
    for (body, field) in cases {
        let (status, error) = world.post("/api/v2/users", &body);
        assert_eq!((status, error["details"][0]["fieldName"].as_str()), (400, Some(field)), "{body}");
    }
    assert_eq!(world.post("/api/v2/users", &json!([])).0, 400);
    assert_eq!(world.org.users().len(), 0);
}

#[test]
fn unknown_fields_are_ignored_and_recorded() {
    let mut world = World::new();
    let body = json!({"name": "Ada", "email": "a@example.com", "departement": "x",
                      "addresses": [{"address": "+49", "mediaType": "PHONE", "type": "WORK", "kind": "x"}]});
    assert_eq!(world.post("/api/v2/users", &body).0, 200);
    world.get("/api/v2/users?pagesize=3");
    world.get("/api/v2/users/query?pageSize=3&pageNumber=3");
    world.search(&json!([{"type": "EXACT", "field": ["email"], "fields": ["email"], "value": "x"}]));
    let found: Vec<&str> = world.org.unknown_fields().iter().map(String::as_str).collect();
    let expected = [
        "GET /api/v2/users/query: pageNumber",
        "GET /api/v2/users: pagesize",
        "POST /api/v2/users addresses: kind",
        "POST /api/v2/users/search: field",
        "POST /api/v2/users: departement",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_deleted_user_is_shown_only_when_asked_for() {
    let mut world = World::new();
    let ids = State::ALL.map(|state| world.seed(&format!("{state:?}@example.com"), state));
    let mut status = |id: &str, query: &str| world.get(&format!("/api/v2/users/{id}{query}")).0;
    assert_eq!([0, 1, 2].map(|at| status(&ids[at], "")), [200, 200, 404]);
    assert_eq!([0, 1, 2].map(|at| status(&ids[at], "?state=any")), [200, 200, 200]);
    assert_eq!([0, 1, 2].map(|at| status(&ids[at], "?state=deleted")), [404, 404, 200]);
    assert_eq!(status("nobody", ""), 404);
}

#[test]
fn a_patch_needs_the_current_version() {
    let mut world = World::new();
    let id = world.seed("a@example.com", State::Active);
    assert_eq!(world.patch(&id, &json!({"name": "B"})).0, 400);
    let (status, error) = world.patch(&id, &json!({"version": 2, "name": "B"}));
    assert_eq!((status, error["message"].as_str()), (409, Some("Resource conflict - Unexpected version was provided")));
    world.org.settings_mut().stale_version_status = 400;
    let (status, error) = world.patch(&id, &json!({"version": 2, "name": "B"}));
    assert!(status == 400 && error["message"].as_str().unwrap().contains("does not match the current version"));
    let (status, user) = world.patch(&id, &json!({"version": 1, "name": "B", "email": "c@example.com"}));
    assert_eq!((status, user["name"].as_str(), user["version"].as_u64()), (200, Some("B"), Some(2)));
    assert_eq!(user["email"], "a@example.com");
}

#[test]
fn a_patch_sets_contacts_and_the_number_with_the_employer() {
    let mut world = World::new();
    let id = world.seed("a@example.com", State::Active);
    let contact = json!({"address": "+4930123456", "mediaType": "PHONE", "type": "WORK"});
    let body = json!({"version": 1, "addresses": [contact], "employerInfo": {"employeeId": "0042"}, "selfUri": "x"});
    let (status, user) = world.patch(&id, &body);
    assert_eq!((status, &user["addresses"], user.get("employerInfo")), (200, &json!([contact]), None));
    let (_, user) = world.get(&format!("/api/v2/users/{id}?expand=employerInfo"));
    assert_eq!(user["employerInfo"], json!({"employeeId": "0042"}));
    let (_, user) = world.patch(&id, &json!({"version": 2, "addresses": null, "title": "Agent"}));
    assert_eq!(user["addresses"], json!([contact]));
    assert_eq!(world.patch(&id, &json!({"version": 3, "addresses": [{"type": "WORK"}]})).0, 400);
    let primary = |address| json!([{"address": address, "mediaType": "EMAIL", "type": "PRIMARY"}]);
    assert_eq!(world.patch(&id, &json!({"version": 3, "addresses": primary("b@example.com")})).0, 400);
    assert_eq!(world.patch(&id, &json!({"version": 3, "addresses": primary("a@example.com")})).0, 200);
    assert!(world.org.unknown_fields().is_empty());
}

#[test]
fn a_state_is_the_only_thing_a_patch_with_a_state_changes() {
    let mut world = World::new();
    let id = world.seed("a@example.com", State::Deleted);
    assert_eq!(world.patch(&id, &json!({"version": 1, "name": "B"})).0, 404);
    let (status, user) = world.patch(&id, &json!({"version": 1, "state": "active", "name": "B"}));
    assert_eq!((status, user["state"].as_str(), user["name"].as_str()), (200, Some("active"), Some("a")));
    assert_eq!(world.org.counts().n_modified, 1);
}

#[test]
fn a_restored_user_is_in_the_home_division_and_has_lost_roles_and_extensions() {
    let mut world = World::with(|settings| settings.divisions = vec!["Home".to_owned(), "North".to_owned()]);
    let north = world.get("/api/v2/authorization/divisions").1["entities"][1]["id"].clone();
    let phone = json!({"address": "+4930123456", "mediaType": "PHONE", "type": "WORK"});
    let extension = json!({"extension": "1815", "mediaType": "PHONE", "type": "WORK2"});
    let body = json!({"name": "Ada", "email": "a@example.com", "state": "active", "divisionId": north,
                      "addresses": [phone, extension]});
    let id = world.post("/api/v2/users", &body).1["id"].as_str().unwrap().to_owned();
    assert_eq!(world.delete(&id).0, 200);
    let (_, deleted) = world.get(&format!("/api/v2/users/{id}?state=deleted"));
    assert_eq!((deleted["division"]["name"].as_str(), deleted["version"].as_u64()), (Some("North"), Some(2)));
    let (status, user) = world.patch(&id, &json!({"version": 2, "state": "active"}));
    assert_eq!((status, user["version"].as_u64(), user["division"]["name"].as_str()), (200, Some(3), Some("Home")));
    assert_eq!(user["addresses"], json!([phone]));

    world.org.seed_csv("email,state,roles\nb@example.com,deleted,admin agent").unwrap();
    let seeded = world.org.users_with("b@example.com").remove(0);
    assert_eq!(seeded.roles, ["admin", "agent"]);
    world.patch(&seeded.id, &json!({"version": 1, "state": "active"}));
    assert!(world.org.users_with("b@example.com")[0].roles.is_empty());
}

#[test]
fn a_restore_conflicts_with_whoever_took_the_address() {
    let mut world = World::with(|settings| settings.deleted_holds = false);
    let id = world.seed("a@example.com", State::Deleted);
    world.create("a@example.com");
    assert_eq!(world.patch(&id, &json!({"version": 1, "state": "active"})).0, 409);
}

#[test]
fn a_user_is_deleted_once() {
    let mut world = World::new();
    let (_, user) = world.create("a@example.com");
    let id = user["id"].as_str().unwrap();
    assert_eq!((world.delete(id).0, world.delete(id).0), (200, 404));
    let user = &world.org.users_with("a@example.com")[0];
    assert_eq!((user.state, user.version), (State::Deleted, 2));
    assert_eq!(world.org.counts().n_modified, 0, "it was created through the API");
}

#[test]
fn a_body_over_the_limit_answers_413() {
    let mut world = World::new();
    let mut request = world.request(Method::Post, "/api/v2/users", &json!({"name": "Ada", "email": "a@example.com"}));
    request.body.resize(512_000, b' ');
    assert_eq!(world.send(&request).0, 200);
    request.body.push(b' ');
    let (status, error) = world.send(&request);
    assert_eq!((status, error["code"].as_str()), (413, Some("request.entity.too.large")));
}

#[test]
fn only_json_is_taken() {
    let mut world = World::new();
    let mut request = world.request(Method::Post, "/api/v2/users", &json!({"name": "Ada", "email": "a@example.com"}));
    request.headers[1].1 = "text/plain".to_owned();
    assert_eq!(world.send(&request).0, 415);
    request.headers.truncate(1);
    assert_eq!(world.send(&request).0, 200, "a missing header is let pass");
    request.body = b"{".to_vec();
    assert_eq!(world.send(&request).0, 400);
}

#[test]
fn a_reply_can_be_lost_after_the_deed() {
    let mut world = World::new();
    world.org.after_each(|_, _, reply| reply.status = 503);
    assert_eq!(world.create("a@example.com").0, 503);
    assert_eq!(world.org.users_with("a@example.com").len(), 1);
    assert_eq!(world.org.counts().n_outcome("POST", "/api/v2/users", 503), 1);
}

#[test]
fn divisions_limits_and_the_organisation_are_told() {
    let mut world = World::with(|settings| {
        settings.divisions = vec!["Home".to_owned(), "North".to_owned()];
        (settings.rate_allowed, settings.rate_window) = (50, Duration::from_secs(10));
    });
    let (_, divisions) = world.get("/api/v2/authorization/divisions");
    assert_eq!(column(&divisions, "name"), ["Home", "North"]);
    assert_eq!(world.get("/api/v2/authorization/divisions/home").1, divisions["entities"][0]);
    let north = &divisions["entities"][1]["id"];
    let body = json!({"name": "Ada", "email": "a@example.com", "divisionId": north});
    assert_eq!(world.post("/api/v2/users", &body).1["division"]["name"], "North");
    let value = |limits: Value, key: &str| {
        let entities = limits["entities"].as_array().unwrap().clone();
        entities.iter().find(|limit| limit["key"] == key).unwrap()["value"].as_u64()
    };
    let uri = "/api/v2/organizations/limits/namespaces/platform.api";
    assert_eq!(value(world.get(uri).1, "token.rate.per.minute"), Some(300));
    world.org.settings_mut().rate_allowed = 30;
    assert_eq!(value(world.get(uri).1, "token.rate.per.minute"), Some(180));
    assert_eq!(value(world.get(&format!("{uri}/defaults")).1, "token.rate.per.minute"), Some(300));
    let org = world.get("/api/v2/organizations/me").1;
    assert_eq!((org["id"].as_str().unwrap().len(), org["version"].as_u64()), (36, Some(1)));
}
