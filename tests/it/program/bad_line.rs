//! A line that loses one create of five in every way that a line can: nobody is there twice, and nobody stays unknown.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rosterdiff::sim::Settings;

use super::kill::lagging;
use super::world::{World, table, until};
use crate::support::Ran;

/// What becomes of a create.
#[derive(Clone, Copy, Debug)]
enum Mischance {
    /// 503, and it was never passed on.
    ErrorBefore,
    /// It is carried out, and 503 is answered.
    ErrorAfter,
    /// The connection is reset before anything was passed on.
    ResetBefore,
    /// It is carried out, and the connection is closed without a word.
    ClosedAfter,
    /// It is carried out, and half of the answer comes.
    HalfAfter,
    /// It is carried out, and something else than the service answers.
    GarbageAfter,
}

const ALL: [Mischance; 6] = [
    Mischance::ErrorBefore,
    Mischance::ErrorAfter,
    Mischance::ResetBefore,
    Mischance::ClosedAfter,
    Mischance::HalfAfter,
    Mischance::GarbageAfter,
];

/// In front of the simulator: passes one request a connection on, and every fifth create meets a mischance in turn.
struct BadLine {
    addr: SocketAddr,
    is_bad: Arc<AtomicBool>,
    n_creates: Arc<AtomicU64>,
}

impl BadLine {
    fn new(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (is_bad, n_creates) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
        let line = Self { addr, is_bad: Arc::clone(&is_bad), n_creates: Arc::clone(&n_creates) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, is_bad, n_creates) = (stream.unwrap(), Arc::clone(&is_bad), Arc::clone(&n_creates));
                std::thread::spawn(move || {
                    pass(stream, upstream, |is_create| {
                        let n = n_creates.fetch_add(u64::from(is_create), Ordering::Relaxed);
                        let strikes = is_create && is_bad.load(Ordering::Relaxed) && n % 5 == 2;
                        strikes.then(|| ALL[(n / 5) as usize % ALL.len()])
                    })
                });
            }
        });
        line
    }

    fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

/// Head of a request, to the byte: what follows is not touched. None if the client has gone.
fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(String::from_utf8(head).unwrap())
}

fn n_body(head: &str) -> usize {
    let said = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    said.unwrap_or(0)
}

const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const GARBAGE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 19\r\nconnection: close\r\n\r\n<html>Log in</html>";

fn pass(mut client: TcpStream, upstream: SocketAddr, strike: impl FnOnce(bool) -> Option<Mischance>) {
    let Some(head) = head(&mut client) else { return };
    let mischance = strike(head.starts_with("POST /api/v2/users HTTP"));
    if let Some(Mischance::ResetBefore) = mischance {
        // Closing with the body unread is a reset.
        return;
    }
    let mut body = vec![0; n_body(&head)];
    if client.read_exact(&mut body).is_err() {
        return;
    }
    let reply = match mischance {
        Some(Mischance::ErrorBefore) => UNAVAILABLE.to_vec(),
        _ => carry_out(upstream, &head, &body),
    };
    let answer = match mischance {
        None | Some(Mischance::ErrorBefore) => &reply[..],
        Some(Mischance::ErrorAfter) => UNAVAILABLE,
        Some(Mischance::HalfAfter) => &reply[..reply.len() - 40],
        Some(Mischance::GarbageAfter) => GARBAGE,
        Some(Mischance::ClosedAfter | Mischance::ResetBefore) => &[],
    };
    // The client may have gone.
    drop(client.write_all(answer).and_then(|()| client.shutdown(Shutdown::Both)));
}

/// The whole reply of the simulator, which closes after it.
fn carry_out(upstream: SocketAddr, head: &str, body: &[u8]) -> Vec<u8> {
    let lines = head.trim_end().lines().filter(|line| !line.to_lowercase().starts_with("connection:"));
    let head: Vec<&str> = lines.chain(["connection: close", "", ""]).collect();
    let mut server = TcpStream::connect(upstream).unwrap();
    server.write_all(&[head.join("\r\n").as_bytes(), body].concat()).unwrap();
    let mut reply = Vec::new();
    server.read_to_end(&mut reply).unwrap();
    reply
}

const N: usize = 150;
/// Every so manieth row has a department that the service does not take.
const REFUSED_EVERY: usize = 15;

fn roster() -> String {
    let long = "x".repeat(3_000);
    let row = |n: usize| match n % REFUSED_EVERY {
        0 => format!("Person {n},person{n}@hr.example,{long}\n"),
        _ => format!("Person {n},person{n}@hr.example,Support\n"),
    };
    format!("Name,Email,Department\n{}", (1..=N).map(row).collect::<String>())
}

// Rows 34, 38 and 42
#[test]
fn a_fifth_of_the_creates_lost_in_every_way_leaves_everybody_once_and_nobody_unknown() {
    let world = World::planned(Settings { body_octets_max: 2_000, ..lagging() }, &roster());
    let line = BadLine::new(world.server.addr());
    let apply = || {
        let mut command = world.command("apply hr.plan --yes --json --settle 2");
        Ran::of(command.env("ROSTERDIFF_API_URL", line.url()).output().unwrap())
    };
    let first = apply();
    assert_eq!(first.code, Some(1), "{first:?}");
    line.is_bad.store(false, Ordering::Relaxed);
    let object = apply().json();
    let n_refused = N / REFUSED_EVERY;
    assert_eq!(
        (&object["unknown"], &object["unprocessed"], &object["taken"]),
        (&0.into(), &0.into(), &0.into()),
        "{object}"
    );
    assert_eq!(object["refused"], n_refused, "{object}");
    // Of six mischances four come after the deed.
    let n_struck = (line.n_creates.load(Ordering::Relaxed) / 5) as usize;
    assert!(n_struck >= 30 && object["adopted"].as_u64().unwrap() >= 10, "{n_struck} {object}");

    world.server.with_org(|org| {
        assert_eq!(org.users().len(), N - n_refused);
        for n in (1..=N).filter(|n| n % REFUSED_EVERY > 0) {
            assert_eq!(org.users_with(&format!("person{n}@hr.example")).len(), 1, "person {n}");
        }
        assert_eq!(org.counts().n_modified, 0);
    });
    let refused = table(&world.read("hr.plan/refused.csv"), b',');
    assert_eq!(refused.len(), n_refused);
    for row in &refused {
        assert_eq!(row["_http_status"], "413", "{row:?}");
        assert!(
            !row["_message"].is_empty() && !row["_code"].is_empty() && !row["_correlation_id"].is_empty(),
            "{row:?}"
        );
    }
    // The listing lags a little behind.
    until("everybody to be visible", || {
        let verified = world.done("verify hr.plan --json").json();
        assert_eq!(verified["differences"], 0, "{verified}");
        (verified["as_sent"] == N - n_refused).then_some(())
    });
}
