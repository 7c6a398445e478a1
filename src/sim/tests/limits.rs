//! Tokens, windows and who may do what how often.

use super::*;

fn token_request(id: &str, secret: &str) -> Request {
    let mut request = Request::new(Host::Login, Method::Post, "/oauth/token");
    let basic = super::super::codec::base64(format!("{id}:{secret}").as_bytes());
    request.headers.push(("authorization".to_owned(), format!("Basic {basic}")));
    request.headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
    request.body = b"grant_type=client_credentials".to_vec();
    request
}

fn number(reply: &Reply, name: &str) -> u64 {
    reply.header(name).unwrap().parse().unwrap()
}

#[test]
fn a_minted_token_opens_the_door() {
    let mut world = World::new();
    let (status, token) = world.send(&token_request("demo-client", "demo-secret"));
    assert_eq!(
        (status, token["token_type"].as_str(), token["expires_in"].as_u64()),
        (200, Some("bearer"), Some(86_399))
    );
    world.token = token["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/api/v2/users").0, 200);
}

#[test]
fn credentials_may_stand_in_the_form() {
    let mut world = World::new();
    let mut request = token_request("", "");
    request.headers.clear();
    request.body = b"grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret".to_vec();
    assert_eq!(world.send(&request).0, 200);
}

#[test]
fn a_wrong_secret_is_an_invalid_client() {
    let mut world = World::new();
    let (status, error) = world.send(&token_request("demo-client", "wrong"));
    assert_eq!((status, error["error"].as_str()), (400, Some("invalid_client")));
    assert!(error["description"].is_string() && error["error_description"].is_string());
    world.org.settings_mut().bad_secret_status = 401;
    assert_eq!(world.send(&token_request("demo-client", "wrong")).0, 401);
}

#[test]
fn minting_is_limited_per_minute() {
    let mut world = World::with(|settings| settings.mints_per_minute = Some(2));
    world.wait_s(100);
    let mint = |world: &mut World| world.send(&token_request("demo-client", "demo-secret"));
    assert_eq!((mint(&mut world).0, mint(&mut world).0), (200, 200));
    let (status, error) = mint(&mut world);
    assert_eq!((status, error["error"].as_str()), (400, Some("invalid_request")));
    assert!(error["description"].as_str().unwrap().starts_with("rate limit exceeded;"));
    world.wait_s(60);
    assert_eq!(mint(&mut world).0, 200);
}

#[test]
fn a_token_expires_and_can_be_revoked() {
    let mut world = World::with(|settings| settings.token_lifetime = Duration::from_secs(100));
    world.wait_s(99);
    assert_eq!(world.get("/api/v2/users").0, 200);
    world.wait_s(1);
    let (status, error) = world.get("/api/v2/users");
    assert_eq!((status, error["code"].as_str()), (401, Some("credentials.expired")));
    world.org.revoke_tokens();
    assert_eq!(world.get("/api/v2/users").1["code"], "bad.credentials");
}

#[test]
fn no_token_and_an_unknown_token_are_two_things() {
    let mut world = World::new();
    world.token = "unknown".to_owned();
    assert_eq!(world.get("/api/v2/users").1["code"], "bad.credentials");
    let (status, error) = world.send(&Request::new(Host::Api, Method::Get, "/api/v2/users"));
    assert_eq!((status, error["code"].as_str()), (401, Some("authentication.required")));
    assert!(world.org.windows().is_empty(), "a call without a token is counted for nobody");
}

#[test]
fn a_call_over_the_limit_is_told_to_wait_and_not_counted() {
    let mut world = World::with(|settings| settings.rate_allowed = 2);
    let request = world.request(Method::Get, "/api/v2/users", &Value::Null);
    let at = |ms| Duration::from_millis(ms);
    let first = world.org.reply(&request, at(5_000));
    assert_eq!(["count", "allowed", "reset"].map(|n| number(&first, &format!("inin-ratelimit-{n}"))), [1, 2, 60]);
    assert_eq!(world.org.reply(&request, at(5_500)).status, 200);
    let refused = world.org.reply(&request, at(23_200));
    assert_eq!((refused.status, number(&refused, "retry-after")), (429, 42));
    let correlation = refused.header("inin-correlation-id").unwrap();
    let expected = format!(
        "{{\"message\":\"Rate limit exceeded the maximum. Retry the request in [42] seconds\",\
         \"code\":\"too.many.requests.retry.after\",\"status\":429,\"contextId\":\"{correlation}\",\
         \"details\":[],\"errors\":[]}}"
    );
    assert_eq!(String::from_utf8(refused.body.clone()).unwrap(), expected);
    assert_eq!(world.org.reply(&request, at(64_999)).status, 429);
    assert_eq!(world.org.reply(&request, at(65_000)).status, 200, "who waits as told finds the next window");
    let windows = world.org.windows();
    assert_eq!(
        windows.iter().map(|w| (w.start, w.count, w.throttled)).collect::<Vec<_>>(),
        [(at(5_000), 2, 2), (at(65_000), 1, 0)]
    );
    assert_eq!(world.org.counts().n_throttled(), 2);
}

#[test]
fn each_token_has_its_own_window() {
    let mut world = World::with(|settings| settings.rate_allowed = 1);
    assert_eq!((world.get("/api/v2/users").0, world.get("/api/v2/users").0), (200, 429));
    world.token = world.org.issue_token(Duration::ZERO);
    assert_eq!((world.get("/api/v2/users").0, world.get("/api/v2/users").0), (200, 429));
    assert_eq!(world.org.windows().iter().map(|w| w.token_index).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn rate_headers_can_be_missing_or_one_second_more() {
    let mut world = World::with(|settings| settings.reset_plus_one = true);
    let request = world.request(Method::Get, "/api/v2/users", &Value::Null);
    assert_eq!(number(&world.org.reply(&request, Duration::ZERO), "inin-ratelimit-reset"), 61);
    world.org.settings_mut().rate_headers = false;
    assert_eq!(world.org.reply(&request, Duration::ZERO).header("inin-ratelimit-reset"), None);
}

#[test]
fn every_refusal_names_its_correlation_id() {
    let mut world = World::new();
    let requests = [
        world.request(Method::Get, "/api/v2/nothing", &Value::Null),
        world.request(Method::Patch, "/api/v2/users", &Value::Null),
        world.request(Method::Post, "/api/v2/users", &json!({})),
        Request::new(Host::Api, Method::Get, "/api/v2/users"),
    ];
    let mut seen = std::collections::BTreeSet::new();
    for (request, status) in requests.iter().zip([404, 405, 400, 401]) {
        let reply = world.org.reply(request, Duration::ZERO);
        let body = body_of(&reply);
        assert_eq!((reply.status, body["status"].as_u64()), (status, Some(u64::from(status))));
        assert_eq!(body["contextId"].as_str(), reply.header("ININ-Correlation-Id"));
        assert!(seen.insert(body["contextId"].as_str().unwrap().to_owned()));
    }
}

#[test]
fn time_does_not_run_backwards_for_a_window() {
    let mut world = World::with(|settings| settings.rate_allowed = 1);
    world.wait_s(60);
    assert_eq!(world.get("/api/v2/users").0, 200);
    world.now = Duration::ZERO;
    assert_eq!(world.get("/api/v2/users").0, 429);
    assert_eq!(world.org.windows().len(), 1);
}

#[test]
fn two_organisations_of_one_seed_answer_alike() {
    let replies = [1, 2].map(|_| {
        let mut world = World::new();
        world.org.seed_users(40);
        world.create("a@example.com");
        let request = world.request(Method::Get, "/api/v2/users", &Value::Null);
        world.org.reply(&request, Duration::ZERO)
    });
    assert!(replies[0] == replies[1]);
}
