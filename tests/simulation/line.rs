//! The line between client and service: slow, lossy, and watched for broken laws.

use std::time::Duration;

use rosterdiff::api::wire::{Lost, Method, Reply, Request, Wire};
use rosterdiff::sim::{Direct, Drawn, Fault as OfACall, Org, State};
use tokio::time::Instant;

use super::fault::Fault;
use super::world::{Inner, Out, World};

/// Calls that `take` and `apply` may make: no other can change anybody.
const ALLOWED: [(Method, &str); 7] = [
    (Method::Post, "/oauth/token"),
    (Method::Get, "/api/v2/users"),
    (Method::Get, "/api/v2/users/query"),
    (Method::Post, "/api/v2/users"),
    (Method::Post, "/api/v2/users/search"),
    (Method::Get, "/api/v2/organizations/me"),
    (Method::Get, "/api/v2/authorization/divisions"),
];

/// The line of one process.
#[derive(Clone)]
pub struct Line {
    pub org: Direct,
    pub world: World,
}

/// What is to become of a call.
struct Course {
    fault: Option<Fault>,
    there: Duration,
    back: Duration,
    /// It is carried out although the process that sent it dies meanwhile.
    outlives: bool,
}

impl Wire for Line {
    async fn send(&self, request: Request) -> Result<Reply, Lost> {
        let place = format!("{request:?}");
        self.world.event(&place);
        if self.world.is_dead() {
            std::future::pending::<()>().await;
        }
        self.watch(&request);
        let course = self.course(&request);
        let outcome = if course.outlives {
            let (line, request) = (self.clone(), request.clone());
            let task = tokio::spawn(async move { line.travel(request, &course).await });
            task.await.unwrap()
        } else {
            self.travel(request, &course).await
        };
        if self.world.is_dead() {
            std::future::pending::<()>().await;
        }
        self.world.note(&match &outcome {
            Ok(reply) => format!("{place}: {}", reply.status),
            Err(lost) => format!("{place}: {lost:?}"),
        });
        outcome
    }
}

impl Line {
    /// The laws that can be seen from here.
    fn watch(&self, request: &Request) {
        if !ALLOWED.contains(&(request.method, request.path.as_str())) {
            self.world.accuse(format!("a call that nobody asked for: {request:?}"));
        }
        let now = Instant::now();
        let token = request.header("authorization").unwrap_or_default().to_owned();
        let mut inner = self.world.inner();
        inner.tally.calls += 1;
        let is_early =
            inner.pauses.get(&token).is_some_and(|(from, until)| (*from..*until).contains(&now) && now > *from);
        let mut broken = is_early.then(|| "a call left before its token's Retry-After was over".to_owned());
        if let Some(row) = row_of(&inner, request) {
            let n_posts = inner.n_posts.entry(row).and_modify(|n| *n += 1).or_insert(1);
            if *n_posts > inner.n_intents.get(&row).copied().unwrap_or(0) {
                broken = Some(format!("row {row} was sent before its intent was on the disk"));
            }
        }
        // Workers that hold a permit may still be at it in that very moment, and no later.
        let is_late = inner.stopped_at.is_some_and(|at| now > at);
        if is_create(request) && is_late {
            broken = Some("a create left after Ctrl-C".to_owned());
        }
        drop(inner);
        broken.into_iter().for_each(|law| self.world.accuse(law));
    }

    /// Draws what is to become of a call, and what strangers do meanwhile.
    fn course(&self, request: &Request) -> Course {
        let mut inner = self.world.inner();
        let (calls, refusals, strangers) = (inner.ill.calls, inner.ill.refusals, inner.ill.strangers);
        let mut fault = inner.happens(calls).then(|| Fault::Call(inner.chance.pick(&OfACall::ALL)));
        fault = outage(&mut inner, request).or(fault);
        if is_create(request) && inner.happens(refusals) {
            fault = Some(Fault::Refused);
        }
        let course =
            Course { fault, there: inner.sleep(5, 300), back: inner.sleep(5, 300), outlives: inner.chance.one_in(4) };
        if let Some(fault) = fault {
            inner.tally.fire(fault);
            inner.note(&format!("{fault:?}"));
        }
        let stranger = inner.happens(strangers);
        drop(inner);
        if stranger {
            self.org.with_org(|org| stranger_acts(org, &mut self.world.inner()));
        }
        course
    }

    async fn travel(&self, request: Request, course: &Course) -> Result<Reply, Lost> {
        let lost = || Lost::Unknown("connection reset".to_owned());
        let patience = self.world.inner().sleep(500, 30_000);
        let of_a_call = match course.fault {
            Some(Fault::Call(fault)) => Some(fault),
            _ => None,
        };
        match of_a_call {
            Some(OfACall::NotSent) => {
                tokio::time::sleep(course.there).await;
                return Err(Lost::NotSent("connection refused".to_owned()));
            }
            Some(OfACall::LostBefore) => {
                tokio::time::sleep(patience).await;
                return Err(lost());
            }
            Some(OfACall::Late) => {
                self.deliver_late(request);
                tokio::time::sleep(patience).await;
                return Err(lost());
            }
            Some(OfACall::Slow) => tokio::time::sleep(patience.min(Duration::from_secs(25))).await,
            Some(OfACall::Revoked) => self.org.with_org(Org::revoke_tokens),
            _ => {}
        }
        tokio::time::sleep(course.there).await;
        let reply = match self.instead(&request, course.fault) {
            Some(reply) => reply,
            None => self.org.send(request.clone()).await?,
        };
        tokio::time::sleep(course.back).await;
        let spoilt = match of_a_call {
            Some(fault) => fault.spoil(reply, || self.drawn(&request, fault)),
            None => Some(reply),
        };
        let reply = spoilt.ok_or_else(lost)?;
        if reply.status == 429 {
            self.pause(&request, &reply);
        }
        Ok(reply)
    }

    /// A reply that comes instead of the deed.
    fn instead(&self, request: &Request, fault: Option<Fault>) -> Option<Reply> {
        match fault? {
            Fault::Call(fault) => fault.instead(|| self.drawn(request, fault)),
            Fault::Refused => {
                Some(Reply { status: 400, headers: Vec::new(), body: b"{\"code\":\"invalid.value\"}".to_vec() })
            }
            _ => None,
        }
    }

    fn drawn(&self, request: &Request, fault: OfACall) -> Drawn {
        if fault == OfACall::Throttled {
            let wait_s = self.world.inner().chance.between(1, 5);
            return Drawn { status: 429, wait_s: (request.path != "/oauth/token").then_some(wait_s) };
        }
        Drawn { status: self.error(), wait_s: None }
    }

    fn error(&self) -> u16 {
        self.world.inner().chance.pick(&[500, 502, 503, 504, 408])
    }

    fn pause(&self, request: &Request, reply: &Reply) {
        let seconds: u64 = reply.header("retry-after").and_then(|s| s.parse().ok()).unwrap_or(0);
        let token = request.header("authorization").unwrap_or_default().to_owned();
        if token.starts_with("Bearer") {
            let now = Instant::now();
            self.world.inner().pauses.insert(token, (now, now + Duration::from_secs(seconds)));
        }
    }

    /// Whatever the client does, this arrives.
    fn deliver_late(&self, request: Request) {
        let late_max = u64::try_from(self.world.inner().late_max.as_millis()).unwrap();
        let wait = self.world.inner().sleep(100, late_max.max(100));
        let line = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let reply = line.org.send(request.clone()).await;
            line.world.note(&format!("{request:?} has arrived after all: {}", reply.unwrap().status));
        });
    }
}

pub fn is_create(request: &Request) -> bool {
    request.method == Method::Post && request.path == "/api/v2/users"
}

fn row_of(inner: &Inner, request: &Request) -> Option<u32> {
    if !is_create(request) {
        return None;
    }
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    inner.rows.get(body["email"].as_str().unwrap()).copied()
}

/// How a call fails in an outage, if there is one; one may begin with it.
fn outage(inner: &mut Inner, request: &Request) -> Option<Fault> {
    let now = Instant::now();
    inner.outage = inner.outage.filter(|(.., until)| *until > now);
    let permille = inner.ill.outages;
    if inner.outage.is_none() && inner.happens(permille) {
        let out = inner.chance.pick(&[Out::Everything, Out::Everything, Out::Creates, Out::Searches, Out::Logins]);
        let fault =
            inner.chance.pick(&[OfACall::NotSent, OfACall::LostBefore, OfACall::ErrorBefore, OfACall::ErrorAfter]);
        let fault = Fault::Call(fault);
        let seconds = inner.chance.pick(&[5, 60, 300, 1_200]);
        inner.outage = Some((out, fault, now + Duration::from_secs(seconds)));
        inner.tally.fire(Fault::Outage);
        inner.note(&format!("an outage of {out:?} for {seconds} s"));
    }
    let (out, fault, _) = inner.outage?;
    let is_out = match out {
        Out::Everything => true,
        Out::Creates => is_create(request),
        Out::Searches => request.path.ends_with("/search"),
        Out::Logins => request.path == "/oauth/token",
    };
    is_out.then_some(fault)
}

/// Somebody else at work.
fn stranger_acts(org: &mut Org, inner: &mut Inner) {
    let now = org.now();
    let n = inner.rows.len() as u64;
    let wanted = inner.chance.between(1, n.max(1));
    let email = format!("new{wanted}@example.com");
    let fault =
        inner.chance.pick(&[Fault::StrangerCreates, Fault::StrangerDeletes, Fault::StrangerDeletes, Fault::Drift]);
    let acted = match fault {
        // Addresses that are unique only after a while can be had twice by two: that is nobody's fault here.
        Fault::StrangerCreates if org.settings().uniqueness_lags => false,
        Fault::StrangerCreates => org.stranger_creates(&email, State::Active, now).is_some(),
        Fault::StrangerDeletes => {
            let is_free = org.users_with(&email).is_empty();
            is_free && org.stranger_creates(&email, State::Deleted, now).is_some()
        }
        _ => {
            let old = format!("old{}@example.com", inner.chance.between(20, 29));
            let state = inner.chance.pick(&State::ALL);
            org.stranger_sets_state(&old, state, now)
        }
    };
    if acted {
        inner.tally.fire(fault);
        inner.note(&format!("{fault:?}"));
    }
}
