//! How many calls a second the simulator answers, over sockets: `cargo bench --bench simulator`.
//!
//! It has to be faster than anything that is measured against it. The program serves in a process of its own; here are
//! `--connections N` (16) of them, kept open, on one thread, with requests made up beforehand and replies counted by
//! their status alone, so that most of two cores is left to the other side. `--users N` (200,000) is how many there are
//! before the first call, `--calls N` (20,000) how many calls of each kind are made, `--rounds N` (5) how often; told is
//! the median.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Wish {
    users: usize,
    calls: usize,
    connections: usize,
    rounds: usize,
}

/// A simulator in a process of its own; it ends with this value.
struct Simulator {
    child: Child,
    host: String,
}

fn main() -> ExitCode {
    let Some(wish) = wish() else {
        println!("usage: [--users N] [--calls N] [--connections N] [--rounds N]");
        return ExitCode::from(2);
    };
    let simulator = Simulator::start(wish.users);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("{} users, {} connections; the simulator holds {}", wish.users, wish.connections, simulator.memory());
    runtime.block_on(measure(&simulator, &wish));
    println!("after {} creates it holds {}", wish.calls * wish.rounds, simulator.memory());
    ExitCode::SUCCESS
}

fn wish() -> Option<Wish> {
    let mut wish = Wish { users: 200_000, calls: 20_000, connections: 16, rounds: 5 };
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let field = match word.as_str() {
            "--users" => &mut wish.users,
            "--calls" => &mut wish.calls,
            "--connections" => &mut wish.connections,
            "--rounds" => &mut wish.rounds,
            _ => return None,
        };
        *field = words.next()?.parse().ok()?;
    }
    Some(wish)
}

async fn measure(simulator: &Simulator, wish: &Wish) {
    let token = simulator.token().await;
    let mut number = 0;
    let mut create = || {
        number += 1;
        post(
            "users",
            &token,
            &format!(r#"{{"name":"Load {number}","email":"load{number}@load.example","state":"active"}}"#),
        )
    };
    let creates: Vec<Vec<Vec<u8>>> = (0..wish.rounds).map(|_| (0..wish.calls).map(|_| create()).collect()).collect();
    rates("creates", simulator, wish, |round| creates[round].clone()).await;
    let search = |n: usize, step: usize| {
        let values: Vec<String> = (0..n).map(|at| format!("\"load{}@load.example\"", step * n + at + 1)).collect();
        let criterion = format!(r#"{{"type":"EXACT","fields":["email"],"values":[{}]}}"#, values.join(","));
        let states = r#"{"type":"EXACT","fields":["state"],"values":["active","inactive","deleted"]}"#;
        post("users/search", &token, &format!(r#"{{"pageSize":100,"query":[{criterion},{states}]}}"#))
    };
    rates("exact searches of one value", simulator, wish, |_| (0..wish.calls).map(|at| search(1, at)).collect()).await;
    rates("exact searches of 100 values", simulator, wish, |_| {
        (0..wish.calls / 100).map(|at| search(100, at)).collect()
    })
    .await;
    let pages = wish.users / 500;
    let page = |at: usize| get(&format!("users?pageSize=500&state=any&pageNumber={}", at % pages.max(1) + 1), &token);
    rates("pages of 500 users", simulator, wish, |_| (0..wish.calls / 100).map(page).collect()).await;
}

/// Makes the calls of every round and tells the median of their rates.
async fn rates(name: &str, simulator: &Simulator, wish: &Wish, calls: impl Fn(usize) -> Vec<Vec<u8>>) {
    let mut rates = Vec::new();
    for round in 0..wish.rounds {
        let calls = calls(round);
        let n_calls = calls.len();
        let mut lanes: Vec<Vec<Vec<u8>>> = vec![Vec::new(); wish.connections];
        calls.into_iter().enumerate().for_each(|(at, call)| lanes[at % wish.connections].push(call));
        let mut running = tokio::task::JoinSet::new();
        let begun = Instant::now();
        for lane in lanes {
            let host = simulator.host.clone();
            running.spawn(async move {
                let mut socket = connect(&host).await;
                for call in lane {
                    let (status, _) = exchange(&mut socket, &call).await;
                    assert_eq!(status, 200);
                }
            });
        }
        running.join_all().await;
        rates.push(n_calls as f64 / begun.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    println!("{name}: {:.0} a second", rates[rates.len() / 2]);
}

async fn connect(host: &str) -> TcpStream {
    let socket = TcpStream::connect(host).await.unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// Sends one request; status and body of the reply.
async fn exchange(socket: &mut TcpStream, call: &[u8]) -> (u16, Vec<u8>) {
    socket.write_all(call).await.unwrap();
    let (mut reply, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
    let head = loop {
        let n = socket.read(&mut chunk).await.unwrap();
        assert!(n > 0, "the simulator went away");
        reply.extend_from_slice(&chunk[..n]);
        if let Some(at) = reply.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let text = String::from_utf8(reply[..head].to_vec()).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let length = text.lines().filter_map(|line| line.split_once(": "));
    let mut length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.next().unwrap().1.parse().unwrap();
    while reply.len() < head + length {
        let n = socket.read(&mut chunk).await.unwrap();
        assert!(n > 0, "the simulator went away");
        reply.extend_from_slice(&chunk[..n]);
    }
    (status, reply.split_off(head))
}

fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    let head = format!("POST /api/v2/{path} HTTP/1.1\r\nhost: simulator\r\nauthorization: bearer {token}\r\n");
    format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET /api/v2/{path} HTTP/1.1\r\nhost: simulator\r\nauthorization: bearer {token}\r\n\r\n").into_bytes()
}

impl Simulator {
    fn start(users: usize) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rosterdiff"))
            .args(["simulate", "-q", "--rate", "4000000000", "--users", &users.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let host = line.trim().rsplit('/').next().unwrap().to_owned();
        Self { child, host }
    }

    async fn token(&self) -> String {
        let form = "grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret";
        let head = "POST /oauth/token HTTP/1.1\r\nhost: simulator\r\ncontent-type: application/x-www-form-urlencoded";
        let call = format!("{head}\r\ncontent-length: {}\r\n\r\n{form}", form.len());
        let (status, body) = exchange(&mut connect(&self.host).await, call.as_bytes()).await;
        assert_eq!(status, 200);
        let reply: serde_json::Value = serde_json::from_slice(&body).unwrap();
        reply["access_token"].as_str().unwrap().to_owned()
    }

    /// What of it is in memory, as Linux tells it.
    fn memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.map_or_else(|| "an unknown amount of memory".to_owned(), |text| text.trim().to_owned())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
