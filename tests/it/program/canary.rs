//! S4, S6: whatever the service answers, no secret, token, address or name is told, logged or journalled.

use std::sync::{Arc, Mutex};

use rosterdiff::api::wire::{Host, Reply, Request};
use rosterdiff::sim::Settings;
use serde_json::{Value, json};

use super::world::{World, contents, fast};
use crate::support::Ran;

const SECRET: &str = "canary-Zx81kQ0v_7LmN3pRt5WyB2cDf4";
const EMAIL: &str = "Canary.Nightingale@roost.example";
const NAME: &str = "Canary Nightingale";

/// A reply that quotes all that it should not.
fn quoting(status: u16, request: &Request) -> Reply {
    let quote = format!("no <{EMAIL}> ({NAME}) here; {SECRET}; {:?}", request.header("authorization"));
    let body = json!({ "status": status, "code": quote, "message": quote, "contextId": quote, "error": quote });
    let headers =
        ["location", "inin-correlation-id", "x-said"].map(|name| (name.to_owned(), format!("http://{quote}")));
    Reply { status, headers: headers.to_vec(), body: body.to_string().into_bytes() }
}

fn portal(_: &Request) -> Reply {
    let body = format!("<html><title>Sign in, {EMAIL} alias {NAME}, with {SECRET}</title></html>");
    Reply { status: 200, headers: vec![("content-type".to_owned(), "text/html".to_owned())], body: body.into_bytes() }
}

type Answer = fn(&Request) -> Reply;

/// What the service answers to creates first and to all reads after, and how the two commands end. It carries the
/// create out all the same: one that is lost is found, and adopted.
const CASES: [(&str, Option<Answer>, [i32; 2]); 7] = [
    ("success", None, [0, 0]),
    ("400", Some(|request| quoting(400, request)), [1, 6]),
    ("401", Some(|request| quoting(401, request)), [5, 5]),
    ("403", Some(|request| quoting(403, request)), [5, 5]),
    ("500", Some(|request| quoting(500, request)), [0, 6]),
    ("redirect", Some(|request| quoting(307, request)), [4, 4]),
    ("portal", Some(portal), [0, 6]),
];

/// A world where one person with telling names is planned, and all tokens that it minted.
fn planned() -> (World, Arc<Mutex<Vec<String>>>) {
    let world = World::new(Settings { client_secret: SECRET.to_owned(), ..fast() });
    world.write("hr.csv", format!("Name,Email\n{NAME},{EMAIL}\n"));
    for line in ["snapshot -o org.parquet", "plan hr.csv --snapshot org.parquet -o hr.plan"] {
        assert_eq!(run(&world, line).code, Some(0));
    }
    (world, Arc::default())
}

/// Answers creates (or else all reads) as told, and keeps the tokens.
fn answer(world: &World, tokens: &Arc<Mutex<Vec<String>>>, answer: Option<Answer>, to_creates: bool) {
    let tokens = Arc::clone(tokens);
    world.server.with_org(|org| {
        org.after_each(move |_, request, reply| {
            let is_create = request.path == "/api/v2/users" && !request.body.is_empty();
            if request.host == Host::Login || request.path.starts_with("/oauth/") {
                let minted: Value = serde_json::from_slice(&reply.body).unwrap();
                tokens.lock().unwrap().push(minted["access_token"].as_str().unwrap().to_owned());
            } else if let Some(answer) = answer.filter(|_| is_create == to_creates) {
                *reply = answer(request);
            }
        });
    });
}

fn run(world: &World, line: &str) -> Ran {
    let mut command = world.command(line);
    command.env("GENESYSCLOUD_OAUTHCLIENT_SECRET", SECRET).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
    Ran::of(command.output().unwrap())
}

fn silent(case: &str, text: &str, marks: &[&str]) {
    let text = text.to_lowercase();
    for mark in marks {
        assert!(!text.contains(&mark.to_lowercase()), "{case}: {mark} is told: {text}");
    }
}

fn check(case: &str, answered: Option<Answer>, codes: [i32; 2]) {
    let (world, tokens) = planned();
    for (to_creates, line, code) in
        [(true, "apply hr.plan --yes --settle 1 -v", codes[0]), (false, "snapshot -v -o after.parquet", codes[1])]
    {
        answer(&world, &tokens, answered, to_creates);
        let ran = run(&world, line);
        assert_eq!(ran.code, Some(code), "{case}: {ran:?}");
        silent(case, &format!("{}{}", ran.out, ran.err), &[SECRET, EMAIL, NAME, "nightingale"]);
        for token in tokens.lock().unwrap().iter() {
            silent(case, &format!("{}{}", ran.out, ran.err), &[token]);
        }
    }
    let tokens = tokens.lock().unwrap();
    assert!(!tokens.is_empty());
    for (path, bytes) in contents(world.dir.path()) {
        let text = String::from_utf8_lossy(&bytes);
        if path.ends_with("journal.jsonl") {
            silent(case, &text, &[EMAIL, NAME, "nightingale"]);
        }
        silent(case, &text, &[SECRET]);
        tokens.iter().for_each(|token| silent(case, &text, &[token]));
    }
}

// S4, S6, rows 38 and 53
#[test]
fn no_secret_token_address_or_name_is_told_whatever_the_service_answers() {
    // Side by side: some of them wait for a service that does not come back.
    std::thread::scope(|scope| {
        for (case, answered, codes) in CASES {
            scope.spawn(move || check(case, answered, codes));
        }
    });
}
