//! Strangers, a network that fails, and the limits that no header shows.

use std::collections::BTreeMap;

use super::super::{Maintenance, Network, Origin, RetryAfter, Strangers};
use super::*;

fn header<'r>(reply: &'r Reply, name: &str) -> &'r str {
    reply.header(name).unwrap_or("none")
}

impl World {
    /// One listing of one user, with all that is around.
    fn exchange(&mut self) -> Option<Reply> {
        let request = self.request(Method::Get, "/api/v2/users?pageSize=1", &Value::Null);
        self.org.exchange(&request, self.now).reply
    }

    fn raw(&mut self) -> Reply {
        let request = self.request(Method::Get, "/api/v2/users?pageSize=1", &Value::Null);
        self.org.reply(&request, self.now)
    }
}

#[test]
fn a_stranger_spends_the_token_at_his_pace_from_the_first_call_on() {
    let mut world = World::new();
    world.wait_s(100);
    world.org.beset(Strangers { calls_per_minute: 30.0, ..Strangers::default() }, Network::default()).unwrap();
    let counts: Vec<String> = (0..4)
        .map(|_| {
            let reply = world.exchange().unwrap();
            world.wait_s(10);
            header(&reply, "inin-ratelimit-count").to_owned()
        })
        .collect();
    assert_eq!(counts, ["1", "7", "13", "19"]);
}

#[test]
fn after_a_long_silence_strangers_catch_up_with_so_much_and_no_more() {
    let mut world = World::new();
    world.org.beset(Strangers { creates_per_minute: 6_000.0, ..Strangers::default() }, Network::default()).unwrap();
    let mut n_users_after = |seconds| {
        world.wait_s(seconds);
        world.exchange().unwrap();
        world.org.users().len()
    };
    assert_eq!([0, 3_600, 0, 1].map(&mut n_users_after), [0, 10_000, 10_000, 10_100]);
}

#[test]
fn strangers_create_delete_and_change_only_whom_no_client_created() {
    let mut world = World::new();
    world.org.seed_users(40);
    world.create("ours@example.com");
    let strangers = Strangers {
        creates_per_minute: 6.0,
        deletes_per_minute: 60.0,
        changes_per_minute: 60.0,
        ..Strangers::default()
    };
    world.org.beset(strangers, Network::default()).unwrap();
    world.exchange().unwrap();
    world.wait_s(60);
    world.exchange().unwrap();
    let users = world.org.users();
    let n_created = users.iter().filter(|user| user.created_by == Origin::Stranger).count();
    let n_changed = users.iter().filter(|user| user.version > 1).count();
    assert!(n_created == 6 && n_changed > 20, "{n_created} created, {n_changed} changed");
    assert_eq!((users[40].email.as_str(), users[40].version), ("ours@example.com", 1));
    // What strangers do is no change of ours.
    assert_eq!(world.org.counts().n_modified, 0);
}

#[test]
fn a_stranger_who_is_quicker_takes_the_very_address() {
    let mut world = World::new();
    world
        .org
        .beset(Strangers { takes: 0.5, takes_and_deletes: 0.5, ..Strangers::default() }, Network::default())
        .unwrap();
    for n in 0..40 {
        let body = json!({"name": "Ada", "email": format!("a{n}@example.com")});
        let request = world.request(Method::Post, "/api/v2/users", &body);
        assert_eq!(world.org.exchange(&request, world.now).reply.unwrap().status, 409);
    }
    let n = |state| world.org.users().iter().filter(|user| user.state == state).count();
    assert!(n(State::Active) > 5 && n(State::Deleted) > 5 && world.org.users().len() == 40);
}

#[test]
fn faults_come_in_their_shares_and_the_same_ones_for_the_same_seed() {
    let network = Network {
        lost_before: 0.1,
        lost_after: 0.1,
        error_before: 0.1,
        garbage: 0.1,
        throttled: 0.1,
        ..Network::default()
    };
    let told = |seed| {
        let mut world = World::with(|settings| settings.seed = seed);
        world.org.beset(Strangers::default(), network).unwrap();
        (0..1_000).map(|_| world.exchange().map_or(0, |reply| reply.status)).collect::<Vec<u16>>()
    };
    let statuses = told(5);
    assert_eq!(statuses, told(5));
    assert_ne!(statuses, told(6));
    let mut counts = BTreeMap::new();
    statuses.iter().for_each(|status| *counts.entry(status / 100).or_insert(0_u32) += 1);
    // Lost ones, good ones (garbage says 200, too), 429 and 5xx.
    for (class, about) in [(0, 200), (2, 600), (4, 100), (5, 100)] {
        assert!(counts[&class].abs_diff(about) < 50, "{counts:?}");
    }
}

#[test]
fn what_is_lost_before_the_deed_is_not_done_and_what_is_lost_after_it_is() {
    for (network, n_users) in [
        (Network { lost_before: 1.0, ..Network::default() }, 0),
        (Network { error_before: 1.0, ..Network::default() }, 0),
        (Network { lost_after: 1.0, ..Network::default() }, 1),
        (Network { error_after: 1.0, ..Network::default() }, 1),
        (Network { garbage: 1.0, ..Network::default() }, 1),
    ] {
        let mut world = World::new();
        world.org.beset(Strangers::default(), network).unwrap();
        let request = world.request(Method::Post, "/api/v2/users", &json!({"name": "Ada", "email": "a@example.com"}));
        let reply = world.org.exchange(&request, world.now).reply;
        assert_eq!(world.org.users().len(), n_users, "{network:?}: {reply:?}");
        assert!(reply.is_none_or(|reply| reply.status >= 500 || reply.body.starts_with(b"<!DOCTYPE")), "{network:?}");
    }
}

#[test]
fn a_window_that_slides_holds_any_span_to_the_limit() {
    let mut world = World::with(|settings| (settings.rate_window_slides, settings.rate_allowed) = (true, 3));
    let mut told = Vec::new();
    for wait_s in [0, 20, 20, 10, 10, 1] {
        world.wait_s(wait_s);
        let reply = world.raw();
        told.push((
            reply.status,
            header(&reply, "inin-ratelimit-count").to_owned(),
            header(&reply, "retry-after").to_owned(),
        ));
    }
    let told: Vec<_> = told.iter().map(|(status, count, wait)| (*status, count.as_str(), wait.as_str())).collect();
    // At 0, 20 and 40 s; the fourth at 50 s has to wait for the first to be a minute old.
    assert_eq!(
        told,
        [
            (200, "1", "none"),
            (200, "2", "none"),
            (200, "3", "none"),
            (429, "3", "10"),
            (200, "3", "none"),
            (429, "3", "19")
        ]
    );
}

#[test]
fn limits_that_no_header_shows_throttle_all_the_same() {
    let mut world = World::with(|settings| settings.create_rate_allowed = Some(2));
    assert_eq!([1, 2, 3].map(|n| world.create(&format!("a{n}@example.com")).0), [200, 200, 429]);
    assert_eq!(world.raw().status, 200);
    world.wait_s(60);
    assert_eq!(world.create("a3@example.com").0, 200);

    let mut world = World::with(|settings| settings.org_rate_allowed = Some(2));
    let other = world.org.issue_token(world.now);
    assert_eq!([world.raw().status, world.raw().status], [200, 200]);
    world.token = other;
    assert_eq!(world.raw().status, 429);
}

#[test]
fn a_429_says_in_three_ways_how_long_to_wait_and_in_two_what_happened() {
    for (retry_after, said) in
        [(RetryAfter::Seconds, "60"), (RetryAfter::Date, "Thu, 01 Jan 2026 00:01:30 GMT"), (RetryAfter::Absent, "none")]
    {
        let mut world = World::with(|settings| (settings.rate_allowed, settings.retry_after) = (0, retry_after));
        world.wait_s(30);
        let reply = world.raw();
        assert_eq!((reply.status, header(&reply, "retry-after")), (429, said));
        assert_eq!(body_of(&reply)["code"], "too.many.requests.retry.after");
        world.org.settings_mut().throttled_body_old = true;
        assert_eq!(body_of(&world.raw())["code"], "too.many.requests");
    }
    let mut world = World::with(|settings| (settings.rate_allowed, settings.rate_headers_on_errors) = (1, false));
    assert_eq!([world.raw(), world.raw()].map(|reply| reply.header("inin-ratelimit-count").is_some()), [true, false]);
}

#[test]
fn during_maintenance_everything_is_answered_with_503() {
    for html in [false, true] {
        let (begins, lasts) = (Duration::from_secs(10), Duration::from_secs(5));
        let mut world = World::with(|settings| settings.maintenance = Some(Maintenance { begins, lasts, html }));
        let mut statuses = Vec::new();
        for wait_s in [9, 1, 4, 1] {
            world.wait_s(wait_s);
            let reply = world.raw();
            statuses.push(reply.status);
            assert!(reply.status == 200 || reply.body.starts_with(b"<") == html);
        }
        assert_eq!(statuses, [200, 503, 503, 200]);
    }
}

#[test]
fn users_of_a_division_that_is_not_shown_are_left_out_without_a_word_and_keep_their_addresses() {
    let mut world = World::with(|settings| {
        (settings.divisions, settings.divisions_shown) = (["Home", "Far"].map(str::to_owned).into(), Some(1));
    });
    world.org.seed_csv("email,division\nnear@example.com,Home\nfar@example.com,Far\nfarther@example.com,Far").unwrap();
    let (_, page) = world.get("/api/v2/users");
    assert_eq!((&page["total"], column(&page, "email")), (&json!(1), vec!["near@example.com".to_owned()]));
    let criterion = json!([{"fields": ["email"], "type": "EXACT", "values": ["near@example.com", "far@example.com"]}]);
    assert_eq!(world.search(&criterion).1["total"], 1);
    assert_eq!(world.get("/api/v2/users/query").0, 403);
    assert_eq!(world.create("far@example.com").0, 409);
}

#[test]
fn a_cursor_grows_old() {
    let mut world = World::with(|settings| settings.cursor_lifetime = Some(Duration::from_secs(5)));
    world.org.seed_users(10);
    let (_, first) = world.get("/api/v2/users/query?pageSize=2");
    let next = format!("/api/v2/users/query?pageSize=2&cursor={}", first["cursor"].as_str().unwrap());
    world.wait_s(4);
    assert_eq!(world.get(&next).0, 200);
    world.wait_s(1);
    assert_eq!(world.get(&next).0, 400);
}
