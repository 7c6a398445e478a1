//! What the simulated organisation does, told by its replies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod limits;
mod listing;
mod outside;
mod searching;
mod serving;
mod shapes;
mod writing;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Org, Settings, State};
use crate::api::wire::{Host, Method, Reply, Request};

/// An organisation, a token for it and a time.
struct World {
    org: Org,
    token: String,
    now: Duration,
}

impl World {
    /// With no limit on calls, so that only the tests about limits meet it.
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { rate_allowed: u32::MAX, ..Settings::default() };
        change(&mut settings);
        let mut org = Org::new(settings);
        let token = org.issue_token(Duration::ZERO);
        Self { org, token, now: Duration::ZERO }
    }

    fn request(&self, method: Method, uri: &str, body: &Value) -> Request {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let mut request = Request::new(Host::Api, method, path);
        request.query = super::codec::pairs(query);
        request.headers.push(("authorization".to_owned(), format!("Bearer {}", self.token)));
        if !body.is_null() {
            request.headers.push(("content-type".to_owned(), "application/json; charset=utf-8".to_owned()));
            request.body = body.to_string().into_bytes();
        }
        request
    }

    fn send(&mut self, request: &Request) -> (u16, Value) {
        let reply = self.org.reply(request, self.now);
        (reply.status, body_of(&reply))
    }

    fn get(&mut self, uri: &str) -> (u16, Value) {
        self.send(&self.request(Method::Get, uri, &Value::Null))
    }

    fn post(&mut self, uri: &str, body: &Value) -> (u16, Value) {
        self.send(&self.request(Method::Post, uri, body))
    }

    fn patch(&mut self, id: &str, body: &Value) -> (u16, Value) {
        self.send(&self.request(Method::Patch, &format!("/api/v2/users/{id}"), body))
    }

    fn delete(&mut self, id: &str) -> (u16, Value) {
        self.send(&self.request(Method::Delete, &format!("/api/v2/users/{id}"), &Value::Null))
    }

    fn create(&mut self, email: &str) -> (u16, Value) {
        self.post("/api/v2/users", &json!({"name": "Ada Abel", "email": email, "state": "active"}))
    }

    fn seed(&mut self, email: &str, state: State) -> String {
        self.org.seed_csv(&format!("email,state\n{email},{}", state.as_str())).unwrap();
        self.org.users().last().unwrap().id.clone()
    }

    fn search(&mut self, criteria: &Value) -> (u16, Value) {
        self.post("/api/v2/users/search", &json!({"pageSize": 100, "query": criteria}))
    }

    fn wait_s(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

fn body_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

/// A text field of every entry of a page or of a search.
fn column(page: &Value, name: &str) -> Vec<String> {
    let entries = page.get("entities").or_else(|| page.get("results")).unwrap().as_array().unwrap();
    entries.iter().map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
}
