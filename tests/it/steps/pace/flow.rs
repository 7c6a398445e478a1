//! The real client with many callers over a line with its own moods.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterdiff::api::pace::Haste;
use rosterdiff::api::wire::{Host, Lost, Method, Reply, Request, Wire};
use rosterdiff::api::{Client, Credentials, Fate, Options};
use rosterdiff::person::Person;
use rosterdiff::sim::{Direct, Settings};
use tokio::time::Instant;

use super::events::{Chance, Line};
use crate::steps::rig::org_of;

/// The simulator at the end of a line; whoever asks may have the token that was sent last.
#[derive(Clone)]
pub struct Moody {
    pub direct: Direct,
    line: Line,
    chance: Arc<Mutex<Chance>>,
    begun: Instant,
    token: Arc<Mutex<Option<String>>>,
}

impl Moody {
    pub fn new(settings: Settings, line: Line) -> Self {
        let chance = Arc::new(Mutex::new(Chance::new(1)));
        Self { direct: Direct::new(org_of(0, settings)), line, chance, begun: Instant::now(), token: Arc::default() }
    }

    fn way(&self) -> (Duration, Duration) {
        let (there, back) = self.chance.lock().unwrap().way(self.line, self.begun.elapsed().as_secs_f64());
        (Duration::from_secs_f64(there), Duration::from_secs_f64(back))
    }

    /// Somebody else calls with our token, at random.
    pub async fn stranger(self, per_s: f64, n_passed: Arc<AtomicU64>) {
        loop {
            let pause = self.chance.lock().unwrap().exponential(1.0 / per_s);
            tokio::time::sleep(Duration::from_secs_f64(pause)).await;
            let Some(token) = self.token.lock().unwrap().clone() else { continue };
            let mut request = Request::new(Host::Api, Method::Get, "/api/v2/organizations/me");
            request.headers.push(("authorization".to_owned(), token));
            let passed = self.direct.send(request).await.is_ok_and(|reply| reply.status == 200);
            n_passed.fetch_add(u64::from(passed), Ordering::Relaxed);
        }
    }
}

impl Wire for Moody {
    async fn send(&self, request: Request) -> Result<Reply, Lost> {
        let (there, back) = self.way();
        if request.host == Host::Api {
            *self.token.lock().unwrap() = request.header("authorization").map(str::to_owned);
        }
        tokio::time::sleep(there).await;
        let reply = self.direct.send(request).await;
        tokio::time::sleep(back).await;
        reply
    }
}

/// What came of a flow of creates.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    pub n: u64,
    pub took: Duration,
    pub throttled: u64,
}

impl Flow {
    /// Part of `per_min` calls a minute that was used.
    pub fn used(&self, per_min: f64) -> f64 {
        self.n as f64 / (self.took.as_secs_f64() * per_min / 60.0)
    }
}

pub fn client<W: Wire>(wire: W, n_tokens: usize) -> Arc<Client<W>> {
    let credentials = Credentials::client("demo-client", "demo-secret");
    Client::new(wire, credentials, Options { n_tokens, per_min: None })
}

pub fn person(row: u64) -> Person {
    let email = format!("new{row}@example.com");
    Person {
        row: row as u32,
        key: email.clone(),
        email,
        name: "New".to_owned(),
        department: None,
        title: None,
        division: None,
        phone: None,
    }
}

/// Creates `n` users with as many callers at once; what was not processed is sent again.
pub async fn flow<W: Wire>(client: &Arc<Client<W>>, n: u64, callers: usize) -> Flow {
    let begun = Instant::now();
    let (next, throttled) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (client, next, throttled) = (Arc::clone(client), Arc::clone(&next), Arc::clone(&throttled));
            tokio::spawn(async move {
                loop {
                    let row = next.fetch_add(1, Ordering::Relaxed);
                    if row >= n {
                        return;
                    }
                    while let Err(fate) = client.create(client.permit(Haste::Even).await.unwrap(), &person(row)).await {
                        match fate {
                            Fate::Throttled(_) => throttled.fetch_add(1, Ordering::Relaxed),
                            Fate::Auth(_) => 0,
                            // Somebody else makes the same people: a call it was all the same.
                            Fate::Refused(words) if words.status == 409 => break,
                            other => panic!("{other:?}"),
                        };
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    Flow { n, took: begun.elapsed(), throttled: throttled.load(Ordering::Relaxed) }
}
