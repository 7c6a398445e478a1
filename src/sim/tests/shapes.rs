//! The types of the published shapes, and what comes back of what is in none of them.

use super::*;

#[test]
fn a_405_names_what_is_allowed() {
    let mut world = World::new();
    let asked = world.request(Method::Patch, "/api/v2/users", &json!({}));
    let reply = world.org.reply(&asked, world.now);
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, POST")));
    let asked = world.request(Method::Post, "/api/v2/users/1", &json!({}));
    assert_eq!(world.org.reply(&asked, world.now).header("allow"), Some("GET, PATCH, DELETE"));
    let asked = world.request(Method::Post, "/nowhere", &json!({}));
    assert_eq!(world.org.reply(&asked, world.now).header("allow"), None);
}

#[test]
fn a_member_of_another_type_is_refused_even_if_nobody_reads_it() {
    let mut world = World::new();
    let id = world.seed("a@example.com", State::Active);
    let changes = [
        (json!({"version": "1"}), "version"),
        (json!({"version": 1.5}), "version"),
        (json!({"version": 1, "manager": {}}), "manager"),
        (json!({"version": 1, "acdAutoAnswer": "yes"}), "acdAutoAnswer"),
        (json!({"version": 1, "profileSkills": ["a", 1]}), "profileSkills"),
        (json!({"version": 1, "employerInfo": {"employeeId": 7}}), "employerInfo"),
        (json!({"version": 1, "state": "gone"}), "state"),
        (json!({"version": 1, "addresses": [{"address": "x", "mediaType": "FAX"}]}), "addresses"),
    ];
    for (body, field) in changes {
        let (status, error) = world.patch(&id, &body);
        assert_eq!((status, error["details"][0]["fieldName"].as_str()), (400, Some(field)), "{body}");
    }
    let criterion = json!({"type": "EXACT", "fields": ["email"], "value": "a", "startValue": 1});
    assert_eq!(world.post("/api/v2/users/search", &json!({"query": [criterion]})).0, 400);
    assert_eq!(world.post("/api/v2/users/search", &json!({"enforcePermissions": "no"})).0, 400);
    assert_eq!(world.get("/api/v2/authorization/divisions?objectCount=2").0, 400);
    let (status, error) = world.get("/api/v2/users?integrationPresenceSource=Fax");
    assert_eq!((status, error["code"].as_str()), (400, Some("invalid.query.param.value")));
    assert_eq!(world.org.users()[0].version, 1);
}

#[test]
fn a_refusal_repeats_no_secret() {
    let mut world = World::new();
    let user = |password: Value, contact: Value| {
        let mut user = json!({"name": "Ada", "email": "a@example.com", "password": password});
        user["addresses"] = json!([contact]);
        user
    };
    let fine = json!({"address": "+49301234567"});
    let odd = json!({"address": 1, "password": "canary"});
    let neither = json!({"deep": {"accessToken": "canary"}});
    for body in [user(json!(["canary"]), fine), user(Value::Null, odd), user(Value::Null, neither)] {
        let (status, error) = world.post("/api/v2/users", &body);
        let text = error.to_string();
        assert!(status == 400 && text.contains("***") && !text.contains("canary"), "{text}");
    }
    let id = world.seed("b@example.com", State::Active);
    let (status, error) = world.patch(&id, &json!({"version": {"password": "canary"}}));
    assert!(status == 400 && !error.to_string().contains("canary"), "{error}");
}

#[test]
fn null_is_the_same_as_leaving_a_member_out() {
    let mut world = World::new();
    let contact = json!({"address": "+49301234567", "mediaType": null, "type": "WORK", "extension": null});
    let user = json!({"name": "Ada", "email": "a@example.com", "title": null, "state": null, "addresses": [contact]});
    let (status, made) = world.post("/api/v2/users", &user);
    assert_eq!((status, &made["addresses"]), (200, &json!([{"address": "+49301234567", "type": "WORK"}])));
    assert_eq!(
        world.search(&json!([{"type": "EXACT", "fields": ["email"], "value": "a@example.com", "group": null}])).0,
        200
    );
    let (status, changed) =
        world.patch(made["id"].as_str().unwrap(), &json!({"version": 1, "name": null, "title": "x"}));
    assert_eq!((status, &changed["name"], &changed["title"]), (200, &json!("Ada"), &json!("x")));
}

#[test]
fn of_a_contact_only_what_is_known_comes_back() {
    let mut world = World::new();
    let contact = json!({"address": "+49301234567", "mediaType": "PHONE", "type": "PRIMARY", "kind": "work"});
    let (_, made) =
        world.post("/api/v2/users", &json!({"name": "A", "email": "a@example.com", "addresses": [contact]}));
    for member in ["addresses", "primaryContactInfo"] {
        assert!(!made[member].to_string().contains("kind"), "{made}");
    }
    assert_eq!(made["addresses"][0]["type"], "PRIMARY");
}

#[test]
fn any_other_version_is_stale_and_none_is_missing() {
    let mut world = World::new();
    let id = world.seed("a@example.com", State::Active);
    for (version, status) in [(json!(-1), 409), (json!(0), 409), (json!(u64::MAX), 409), (json!(null), 400)] {
        assert_eq!(world.patch(&id, &json!({"title": "x", "version": version})).0, status, "{version}");
    }
    assert_eq!(world.patch(&id, &json!({"title": "x"})).0, 400);
    assert_eq!(world.patch(&id, &json!({"title": "x", "version": 1})).0, 200);
}
