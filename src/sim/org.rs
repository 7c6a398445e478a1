//! The organisation: a pure state machine from request and time to reply.
//!
//! No clock, no randomness, no I/O: the same requests at the same times get the same replies, byte for byte. Time is
//! what has passed since the simulator started; it never runs backwards here, even if a caller's does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::answer::{self, Answer, Refusal};
use super::codec::uuid;
use super::counts::Counts;
use super::fault::Fault;
use super::outside::Outside;
use super::record::Exchange;
use super::route::Route;
use super::settings::Settings;
use super::store::{Due, Store};
use super::token::{Tokens, WindowRecord, seconds_until};
use super::typed;
use super::user::{Origin, State, User};
use crate::api::wire::{Method, Reply, Request};

/// Called before a request is carried out; may change the organisation.
pub type Before = Box<dyn FnMut(&mut Org, &Request, Duration) + Send>;
/// Called after a request was carried out; may change the reply, e.g. into a 503 for a create that happened.
pub type After = Box<dyn FnMut(&mut Org, &Request, &mut Reply) + Send>;
/// Called with every exchange, in the order of answering.
pub type Observer = Box<dyn FnMut(&Exchange<'_>) + Send>;

/// A simulated organisation.
pub struct Org {
    pub(super) settings: Settings,
    pub(super) store: Store,
    pub(super) counts: Counts,
    pub(super) tokens: Tokens,
    unknown_fields: BTreeSet<String>,
    now: Duration,
    n_replies: u64,
    before: Option<Before>,
    after: Option<After>,
    observer: Option<Observer>,
    pub(super) outside: Option<Outside>,
}

/// One authorised request.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) token: usize,
    pub(super) now: Duration,
}

impl Org {
    /// An organisation without users.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            store: Store::default(),
            counts: Counts::default(),
            tokens: Tokens::default(),
            unknown_fields: BTreeSet::new(),
            now: Duration::ZERO,
            n_replies: 0,
            before: None,
            after: None,
            observer: None,
            outside: None,
        }
    }

    /// Carries out one request at `now`, the time since the simulator started.
    pub fn reply(&mut self, request: &Request, now: Duration) -> Reply {
        let reply = self.respond(request, now);
        self.tell(method_name(request.method), request, Some(&reply), None, now);
        reply
    }

    /// The same, and nobody is told yet.
    pub(super) fn respond(&mut self, request: &Request, now: Duration) -> Reply {
        self.now = self.now.max(now);
        if let Some(mut script) = self.before.take() {
            script(self, request, self.now);
            self.before.get_or_insert(script);
        }
        let route = Route::of(&request.path);
        let (answer, rate) = self.answer(route, request);
        let mut reply = answer::reply(answer, &self.next_correlation_id(), rate);
        name_methods(route, &mut reply);
        if self.settings.maintenance.is_some_and(|down| down.html && down.holds(self.now)) {
            reply = answer::page_of_html(reply);
        }
        if let Some(mut script) = self.after.take() {
            script(self, request, &mut reply);
            self.after.get_or_insert(script);
        }
        self.counts.note(method_name(request.method), route.map_or("unknown", Route::template), reply.status);
        reply
    }

    /// Answers a request of a `method` that the service does not know at all (the request's own says nothing then): 405,
    /// or 404 for an unknown path.
    pub fn reply_to_foreign_method(&mut self, method: &str, request: &Request, now: Duration) -> Reply {
        self.now = self.now.max(now);
        let route = Route::of(&request.path);
        let refusal = if route.is_some() { not_allowed() } else { Refusal::not_found(&request.path) };
        self.counts.note("OTHER", route.map_or("unknown", Route::template), refusal.status);
        let mut reply = answer::reply(Err(refusal), &self.next_correlation_id(), Vec::new());
        name_methods(route, &mut reply);
        self.tell(method, request, Some(&reply), None, now);
        reply
    }

    /// Tells the observer what a request came to.
    pub(super) fn tell(
        &mut self,
        method: &str,
        request: &Request,
        reply: Option<&Reply>,
        fault: Option<Fault>,
        now: Duration,
    ) {
        self.now = self.now.max(now);
        if let Some(observer) = &mut self.observer {
            observer(&Exchange { at: self.now, method, request, reply, fault });
        }
    }

    fn next_correlation_id(&mut self) -> String {
        self.n_replies += 1;
        uuid(self.settings.seed, "correlation", self.n_replies)
    }

    fn answer(&mut self, route: Option<Route<'_>>, request: &Request) -> (Answer, Vec<(String, String)>) {
        let now = self.now;
        if self.settings.maintenance.is_some_and(|down| down.holds(now)) {
            return (Err(Refusal::unavailable()), Vec::new());
        }
        if route == Some(Route::Token) {
            let allowed = request.method == Method::Post;
            let answer = if allowed { self.tokens.mint(request, now, &self.settings) } else { Err(not_allowed()) };
            return (answer, Vec::new());
        }
        let token = match self.tokens.authorise(request, now, &self.settings) {
            Ok(token) => token,
            Err(refusal) => return (Err(refusal), Vec::new()),
        };
        let is_create = route == Some(Route::Users) && request.method == Method::Post;
        let counted = self.tokens.count(token, is_create, now, &self.settings);
        let answer = match counted.throttled_until {
            Some(until) => Err(Refusal::throttled(seconds_until(until, now), now, &self.settings)),
            None => self.dispatch(route, Call { request, token, now }),
        };
        let told = answer.is_ok() || self.settings.rate_headers_on_errors;
        let rate = if told { counted.headers(now, &self.settings) } else { Vec::new() };
        (answer, rate)
    }

    fn dispatch(&mut self, route: Option<Route<'_>>, call: Call<'_>) -> Answer {
        let request = call.request;
        let Some(route) = route else { return Err(Refusal::not_found(&request.path)) };
        if request.body.len() > self.settings.body_octets_max {
            return Err(Refusal::too_large(self.settings.body_octets_max));
        }
        check_content_type(request)?;
        typed::check(route, request)?;
        match (route, request.method) {
            (Route::Users, Method::Get) => self.list(call),
            (Route::Users, Method::Post) => self.create(call),
            (Route::Query, Method::Get) => self.walk(call),
            (Route::Search, Method::Post) => self.search(&request.body, call.now),
            (Route::Search, Method::Get) => self.search_q64(call),
            (Route::One(id), Method::Get) => self.show(id, call),
            (Route::One(id), Method::Patch) => self.patch(id, call),
            (Route::One(id), Method::Delete) => self.delete(id, call),
            (Route::Me, Method::Get) => Ok(self.me()),
            (Route::Limits(namespace), Method::Get) => self.limits(namespace, self.settings.rate_per_minute()),
            (Route::LimitDefaults(namespace), Method::Get) => self.limits(namespace, 300),
            (Route::Divisions, Method::Get) => self.divisions(call),
            (Route::HomeDivision, Method::Get) => Ok(self.home_division()),
            _ => Err(not_allowed()),
        }
    }

    /// The switches.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The switches, to be changed mid-run.
    pub const fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The latest time this organisation has seen.
    #[must_use]
    pub const fn now(&self) -> Duration {
        self.now
    }

    /// All users as they are now, deleted ones included, in the order of creation.
    #[must_use]
    pub fn users(&self) -> Vec<Arc<User>> {
        self.store.kept().cloned().collect()
    }

    /// The newest version of the users that have `text` as address or username, whatever the case.
    #[must_use]
    pub fn users_with(&self, text: &str) -> Vec<Arc<User>> {
        self.store.with_key(text).map(|(_, user)| Arc::clone(user)).collect()
    }

    /// What was asked so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Every rate window so far, in the order of opening.
    #[must_use]
    pub fn windows(&self) -> Vec<WindowRecord> {
        self.tokens.windows().to_vec()
    }

    /// Fields and query parameters that the service does not have, as `POST /api/v2/users: departement`.
    #[must_use]
    pub const fn unknown_fields(&self) -> &BTreeSet<String> {
        &self.unknown_fields
    }

    pub(super) fn note_unknown<'a>(&mut self, place: &str, known: &[&str], names: impl Iterator<Item = &'a str>) {
        let unknown = names.filter(|name| !known.contains(name)).map(|name| format!("{place}: {name}"));
        self.unknown_fields.extend(unknown);
    }

    /// Calls `script` before every request, until another is set.
    pub fn before_each(&mut self, script: impl FnMut(&mut Self, &Request, Duration) + Send + 'static) {
        self.before = Some(Box::new(script));
    }

    /// Calls `script` after every request, until another is set.
    pub fn after_each(&mut self, script: impl FnMut(&mut Self, &Request, &mut Reply) + Send + 'static) {
        self.after = Some(Box::new(script));
    }

    /// Calls `observer` with every exchange from now on, in the order of answering.
    pub fn observe(&mut self, observer: impl FnMut(&Exchange<'_>) + Send + 'static) {
        self.observer = Some(Box::new(observer));
    }

    /// A token without asking for it, good from `now`.
    pub fn issue_token(&mut self, now: Duration) -> String {
        self.tokens.issue(now, self.settings.seed)
    }

    /// Makes every token so far unknown: the next call with it gets 401 `bad.credentials`.
    pub fn revoke_tokens(&mut self) {
        self.tokens.revoke();
    }

    /// Somebody else creates a user, past tokens and limits. Its id, or `None` if the address is taken.
    pub fn stranger_creates(&mut self, email: &str, state: State, now: Duration) -> Option<String> {
        if self.store.holder(email, &self.settings).is_some() {
            return None;
        }
        let user = User { state, ..self.blank_user(email, Origin::Stranger) };
        let due = Due::after(now, &self.settings);
        Some(self.store.add(user, Some(due)).id.clone())
    }

    /// Somebody else deletes everybody with that address. Whether there was one.
    pub fn stranger_deletes(&mut self, email: &str, now: Duration) -> bool {
        self.stranger_sets_state(email, State::Deleted, now)
    }

    /// Somebody else sets the state of everybody with that address. Whether anybody changed.
    pub fn stranger_sets_state(&mut self, email: &str, state: State, now: Duration) -> bool {
        let due = Due::after(now, &self.settings);
        let found: Vec<_> =
            self.store.with_key(email).filter(|(_, user)| user.state != state).map(|(at, _)| at).collect();
        found.into_iter().filter_map(|at| self.store.change(at, due, |user| user.state = state)).count() > 0
    }

    /// Somebody with that address is erased for good, as data protection law may ask for: no listing and no search shows
    /// him any more, and his address is free. Whether there was one.
    pub fn stranger_erases(&mut self, email: &str) -> bool {
        let found: Vec<_> = self.store.with_key(email).map(|(at, _)| at).collect();
        found.iter().for_each(|at| self.store.erase(*at));
        !found.is_empty()
    }

    /// A user of the home division with a new id, named after its address.
    pub(super) fn blank_user(&self, email: &str, created_by: Origin) -> User {
        User {
            id: uuid(self.settings.seed, "user", self.store.all().len() as u64),
            email: email.to_owned(),
            username: email.to_owned(),
            name: email.split('@').next().unwrap_or_default().to_owned(),
            department: None,
            title: None,
            state: State::Active,
            version: 1,
            division_id: self.settings.division_id(0),
            addresses: Vec::new(),
            employee_id: None,
            roles: Vec::new(),
            created_by,
        }
    }

    /// Notes that a listing arrived; [`Org::leave`] when it was answered or given up.
    pub(super) fn enter(&mut self) {
        self.counts.enter();
    }

    pub(super) fn leave(&mut self) {
        self.counts.leave();
    }
}

fn not_allowed() -> Refusal {
    Refusal::new(405, "method.not.allowed", "The method is not allowed for this resource.")
}

/// A 405 says what is allowed (RFC 9110, section 15.5.6).
fn name_methods(route: Option<Route<'_>>, reply: &mut Reply) {
    if let Some(route) = route.filter(|_| reply.status == 405) {
        reply.headers.push(answer::header("allow", route.methods()));
    }
}

/// The official SDKs declare JSON even on GET; a missing header is let pass.
fn check_content_type(request: &Request) -> Result<(), Refusal> {
    let kind = request.header("content-type").unwrap_or("application/json");
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if request.body.is_empty() || essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::new(415, "unsupported.media.type", format!("Unsupported Media Type: {essence}")))
}

pub(super) const fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}
