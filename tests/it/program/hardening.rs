//! A hostile service, a hostile network and a careless reader: the ids are those of the list of dangers that this house
//! keeps (S for secrets and people, N for the network).

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use rosterdiff::api::http::{Hosts, Http, Route, base};
use rosterdiff::api::wire::{Host, Lost, Method, Reply, Request, Wire};
use rosterdiff::api::{Client, Credentials, Options};
use rosterdiff::person;
use rosterdiff::sim::{Direct, Org, State};
use serde_json::{Value, json};

use super::front::Raw;
use super::world::{World, fast, people};
use crate::support::{Ran, run, scratch};

const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

// S1
#[test]
fn no_flag_switches_a_check_off_or_takes_a_secret() {
    const BANNED: [&str; 12] = [
        "insecure",
        "skip",
        "no-verify",
        "noverify",
        "danger",
        "trust-all",
        "no-check",
        "secret",
        "password",
        "passwd",
        "--token ",
        "access-token",
    ];
    let dir = scratch();
    let help = run(dir.path(), "--help").out;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in commands {
        let help = run(dir.path(), &format!("{command} --help")).out;
        let flags = help.lines().filter(|line| line.trim_start().starts_with('-') && line.contains("--"));
        for flag in flags.map(str::to_lowercase) {
            let name = flag.split("  ").find(|part| part.contains("--")).unwrap();
            assert!(BANNED.iter().all(|word| !format!("{name} ").contains(word)), "{command}: {flag}");
        }
    }
}

// N1
#[test]
fn a_host_that_only_looks_like_loopback_gets_no_plain_http() {
    let dir = scratch();
    for host in ["127.0.0.1.example", "localhost.example", "0.0.0.0", "[::]", "192.0.2.1", "localhost@192.0.2.1"] {
        for flag in ["--api-url", "--login-url"] {
            let ran = run(dir.path(), &format!("snapshot {flag} http://{host}:8080"));
            assert_eq!(ran.code, Some(2), "{ran:?}");
        }
    }
}

/// A world whose replies to `path` are redirects to `other`.
fn redirecting(world: &World, method: Method, path: &'static str, status: u16, other: &Raw) {
    let target = format!("{}{path}?from=canary-location", other.url());
    world.server.with_org(|org| {
        org.after_each(move |_, request, reply| {
            if request.method == method && request.path == path {
                *reply = Reply { status, headers: vec![("location".to_owned(), target.clone())], body: Vec::new() };
            }
        });
    });
}

fn stopped_by_redirect(world: &World, line: &str) {
    let ran = world.run(line);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("redirect") && ran.err.contains("region"), "{ran:?}");
    assert!(!ran.err.contains("canary-location"), "{ran:?}");
}

// N2
#[test]
fn no_redirect_is_followed_and_the_other_host_hears_nothing() {
    let other = Raw::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let world = World::planned(fast(), &people(3));
    for status in REDIRECTS {
        for (method, path) in [(Method::Get, "/api/v2/users"), (Method::Post, "/oauth/token")] {
            redirecting(&world, method, path, status, &other);
            stopped_by_redirect(&world, "snapshot -v -o x.parquet");
        }
        redirecting(&world, Method::Post, "/api/v2/users", status, &other);
        stopped_by_redirect(&world, "apply hr.plan --yes -v");
    }
    assert!(other.heard().is_empty(), "{:?}", other.heard());
}

// N3
#[test]
fn no_url_out_of_a_reply_is_asked_for() {
    let other = Raw::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec());
    let mut org = Org::new(fast());
    org.seed_users(1_200);
    let world = World::of(org);
    let url = other.url();
    world.server.with_org(|org| {
        org.after_each(move |_, _, reply| {
            let Ok(Value::Object(mut body)) = serde_json::from_slice(&reply.body) else { return };
            for name in ["nextUri", "firstUri", "lastUri", "previousUri", "selfUri", "nextPage", "cursor", "location"] {
                body.insert(name.to_owned(), format!("{url}/api/v2/users?pageNumber=2").into());
            }
            reply.headers.push(("link".to_owned(), format!("<{url}>; rel=\"next\"")));
            reply.body = serde_json::to_vec(&body).unwrap();
        });
    });
    assert_eq!(world.done("snapshot --json").json()["users"], 1_200);
    assert!(other.heard().is_empty(), "{:?}", other.heard());
}

fn wire(server: &Raw) -> Http {
    let url = base(&server.url()).unwrap();
    Http::new(Hosts { login: url.clone(), api: url }, &Route::default()).unwrap()
}

fn request(method: Method) -> Request {
    Request { body: b"{}".to_vec(), ..Request::new(Host::Api, method, "/api/v2/users") }
}

/// What is said of the loss of one request.
async fn lost(server: &Raw, method: Method) -> String {
    match wire(server).send(request(method)).await {
        Err(Lost::Unknown(why)) => why,
        other => panic!("{other:?}"),
    }
}

// N4
#[tokio::test]
async fn a_request_is_sent_once_whatever_becomes_of_it() {
    let answers: [&[u8]; 5] = [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n",
    ];
    for answer in answers {
        let server = Raw::saying(answer.to_vec());
        drop(wire(&server).send(request(Method::Post)).await);
        assert_eq!(server.heard().len(), 1, "{:?}", String::from_utf8_lossy(answer));
    }
}

fn zipped(n_bytes: usize) -> Vec<u8> {
    let mut zip = GzEncoder::new(Vec::new(), Compression::best());
    zip.write_all(&vec![b'a'; n_bytes]).unwrap();
    let body = zip.finish().unwrap();
    assert!(body.len() < n_bytes / 500);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

// N7, row 49
#[tokio::test]
async fn a_small_reply_that_inflates_beyond_the_cap_is_lost() {
    assert_eq!(lost(&Raw::saying(zipped(40 << 20)), Method::Get).await, "the reply is longer than 32 MiB");
    assert_eq!(lost(&Raw::saying(zipped(2 << 20)), Method::Post).await, "the reply is longer than 1 MiB");
    let whole = wire(&Raw::saying(zipped(1 << 20))).send(request(Method::Post)).await.unwrap();
    assert_eq!(whole.body.len(), 1 << 20);
}

/// Sends `first`, then `more` until the other side has had enough.
fn endless(first: &'static [u8], more: Vec<u8>) -> Raw {
    Raw::new(move |stream: &mut TcpStream| {
        let mut sent = stream.write_all(first);
        while sent.is_ok() {
            sent = stream.write_all(&more);
        }
    })
}

// N7
#[tokio::test]
async fn a_header_or_a_body_without_end_is_given_up() {
    let ok = b"HTTP/1.1 200 OK\r\n";
    let fields = endless(ok, b"x-canary: canary-header\r\n".repeat(100));
    let field = endless(b"HTTP/1.1 200 OK\r\nx-canary: ", b"canary-header".repeat(1_000));
    let body = endless(b"HTTP/1.1 200 OK\r\n\r\n", b"canary-body".repeat(1_000));
    let mut long = ok.to_vec();
    for n in 0..8 {
        long.extend(format!("x-{n}: {}\r\n", "canary-header".repeat(700)).bytes());
    }
    let long = Raw::saying([&long[..], b"content-length: 0\r\n\r\n"].concat());
    for server in [&fields, &field, &body, &long] {
        let why = lost(server, Method::Get).await;
        assert!(!why.contains("canary"), "{why}");
    }
    assert_eq!(lost(&long, Method::Get).await, "the header of the reply is longer than 64 KiB");
}

/// A client of a service that answers `body` with 200 to everything but a login, in virtual time.
fn answering(body: Vec<u8>) -> Arc<Client<Direct>> {
    let direct = Direct::new(Org::new(fast()));
    direct.with_org(|org| {
        org.after_each(move |_, request, reply| {
            if request.host == Host::Api {
                reply.body.clone_from(&body);
            }
        });
    });
    Client::new(direct, Credentials::client("demo-client", "demo-secret"), Options::default())
}

// N7, rows 38 and 49
#[tokio::test(start_paused = true)]
async fn a_reply_that_is_too_deep_or_no_json_is_unreadable_and_not_shown() {
    let deep = 1_000_000;
    for body in [
        [vec![b'['; deep], vec![b']'; deep]].concat(),
        b"<html><title>Sign in to the canary network</title></html>".to_vec(),
    ] {
        let client = answering(body);
        for error in [client.page(person::State::Active, 1, 500).await.err(), client.organisation().await.err()] {
            let error = error.unwrap_or_else(|| panic!("it was read"));
            assert_eq!(error.kind().exit_code(), 6, "{error:?}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
    // An account that is a heap of brackets is an account without an id, and no list is no account: neither proves anything.
    let brackets = [&b"{\"entities\":"[..], &vec![b'['; deep], &vec![b']'; deep], b"}"].concat();
    let braces = [&b"{\"entities\":"[..], &b"{\"a\":".repeat(deep), b"1", &vec![b'}'; deep + 1]].concat();
    for (body, n_without_id) in [(brackets, 1), (braces, 0)] {
        let page = answering(body).page(person::State::Active, 1, 500).await.unwrap().unwrap();
        assert_eq!((page.users.len(), page.n_without_id, page.total), (0, n_without_id, None));
    }
    // What is not looked at may be as deep as it likes.
    let body = [&b"{\"id\":\"x\",\"unknown\":"[..], &b"{\"a\":".repeat(deep), b"1", &vec![b'}'; deep + 1]].concat();
    assert_eq!(answering(body).organisation().await.unwrap().id, "x");
}

// Row 38: the login page of a network answers in the place of the login host.
#[tokio::test(start_paused = true)]
async fn a_login_host_that_answers_with_a_page_is_unreachable_and_not_shown() {
    let direct = Direct::new(Org::new(fast()));
    direct.with_org(|org| org.after_each(|_, _, reply| reply.body = b"<html>canary</html>".to_vec()));
    let client = Client::new(direct, Credentials::client("demo-client", "demo-secret"), Options::default());
    let error = client.organisation().await.unwrap_err();
    assert_eq!(error.kind().exit_code(), 6, "{error:?}");
    assert!(error.to_string().contains("without a token") && !format!("{error:?}").contains("canary"), "{error:?}");
}

// S3
#[test]
fn an_address_never_travels_in_a_url() {
    let roster = "Name,Email\nAda,Ada.Canary@hr.example\nBob,bob.canary@hr.example\nCyd,cyd.canary@hr.example\n";
    let world = World::planned(fast(), roster);
    let urls = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&urls);
    world.server.with_org(|org| {
        let now = org.now();
        // One conflict, which is looked for, and one reply that says nothing, which is looked for, too.
        org.stranger_creates("bob.canary@hr.example", State::Active, now);
        org.before_each(move |_, request, _| {
            kept.lock().unwrap().push(format!("{} {:?}", request.path, request.query))
        });
        org.after_each(|_, request, reply| {
            if request.path == "/api/v2/users" && String::from_utf8_lossy(&request.body).contains("cyd.canary") {
                *reply = Reply { status: 500, headers: Vec::new(), body: Vec::new() };
            }
        });
    });
    let apply = world.done("apply hr.plan --yes --settle 1 --json").json();
    assert_eq!([&apply["created"], &apply["taken"], &apply["adopted"]], [1, 1, 1], "{apply}");
    world.done("snapshot -o after.parquet");
    world.done("verify hr.plan");
    let urls = urls.lock().unwrap();
    assert!(urls.iter().any(|url| url.starts_with("/api/v2/users/search")), "{urls:?}");
    for url in urls.iter().map(|url| url.to_lowercase()) {
        assert!(!["canary", "@", "%40"].iter().any(|mark| url.contains(mark)), "{url}");
    }
}

// S5: a test that panics inside itself, run by the one below.
#[test]
fn a_panic_tells_where_and_not_what() {
    const CHILD: &str = "ROSTERDIFF_TEST_PANICS";
    const NAME: &str = "program::hardening::a_panic_tells_where_and_not_what";
    if std::env::var_os(CHILD).is_some() {
        rosterdiff::cli::report_panics();
        panic!("no such person: {}", "ada.canary@hr.example");
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", NAME, "--nocapture"]).env(CHILD, "1");
    let ran = Ran::of(command.env("RUST_BACKTRACE", "full").output().unwrap());
    assert_ne!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("hardening.rs:") && ran.err.contains("please report"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("canary"), "{ran:?}");
}

#[test]
fn json_of_the_service_is_not_quoted_by_an_error_code() {
    let world = World::new(fast());
    world.server.with_org(|org| {
        org.after_each(|_, request, reply| {
            if request.path == "/api/v2/users" {
                let body = json!({ "status": 403, "code": "denied to ada.canary@hr.example", "contextId": "<canary>" });
                *reply = Reply { status: 403, headers: Vec::new(), body: body.to_string().into_bytes() };
            }
        });
    });
    let ran = world.run("snapshot -v");
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.err.contains("no code") && !ran.err.contains("canary"), "{ran:?}");
}
