//! What passed between a client and the simulator, as lines of JSON without secrets.
//!
//! The first line says what the file is, each further one holds an exchange, in the order in which they were answered:
//!
//! ```json
//! {"ev":"header","v":1,"what":"exchanges","tool":"rosterdiff 0.1.0"}
//! {"ev":"exchange","n":1,"ms":12,"request":{"method":"GET","path":"/api/v2/users","query":[["state","any"]],
//!  "headers":{"authorization":"Bearer ***"},"body":null},"reply":{"status":200,"headers":{},"body":{"total":0}}}
//! ```
//!
//! Where a scenario let something befall a call, `fault` names it; the reply is then null if nothing went back.
//! `ms` is the time since the simulator started. A query is a list of pairs, since its names repeat; headers of one name
//! are joined by commas. A body is JSON if it can be read as that, else text, and null if it is empty. What opens a door
//! is masked: credentials in headers and queries, bodies of `/oauth/`, and members of JSON with such a name. People are
//! not: the file is as private as a roster.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::fault::Fault;
use crate::api::wire::{Reply, Request};

/// Layout of the lines.
const VERSION: u32 = 1;
/// Stands for what is not told.
const MASK: &str = "***";
/// Headers whose values open a door.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// Members of JSON and parameters of a query that do.
const SECRET_NAMES: [&str; 7] =
    ["access_token", "refresh_token", "client_secret", "password", "newPassword", "oldPassword", "token"];

/// One exchange.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// When it was answered, since the simulator started.
    pub at: Duration,
    /// Its method, which may be one that a [`Request`] does not know.
    pub method: &'a str,
    /// What came in.
    pub request: &'a Request,
    /// What went out; nothing if it was lost.
    pub reply: Option<&'a Reply>,
    /// What befell it.
    pub fault: Option<Fault>,
}

/// The first line, for a file that `tool` writes; no line ends with a line feed.
#[must_use]
pub fn header(tool: &str) -> String {
    json!({"ev": "header", "v": VERSION, "what": "exchanges", "tool": tool}).to_string()
}

/// The line of exchange number `n`, from 1.
#[must_use]
pub fn line(n: u64, exchange: &Exchange<'_>) -> String {
    let Exchange { at, method, request, reply, fault } = exchange;
    let of_login = request.path.starts_with("/oauth/");
    let line = Line {
        ev: "exchange",
        n,
        ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
        request: Asked {
            method,
            path: &request.path,
            query: request.query.iter().map(shown_pair).collect(),
            headers: headers(&request.headers),
            // A form, and a secret in it.
            body: if of_login && !request.body.is_empty() { json!(MASK) } else { body(&request.body) },
        },
        reply: reply.map(|reply| Answered {
            status: reply.status,
            headers: headers(&reply.headers),
            body: body(&reply.body),
        }),
        fault: fault.map(Fault::as_str),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

#[derive(Serialize)]
struct Line<'a> {
    ev: &'static str,
    n: u64,
    ms: u64,
    request: Asked<'a>,
    /// Null if nothing went back.
    reply: Option<Answered>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
}

#[derive(Serialize)]
struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    query: Vec<[&'a str; 2]>,
    headers: BTreeMap<String, String>,
    body: Value,
}

#[derive(Serialize)]
struct Answered {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

fn shown_pair((name, value): &(String, String)) -> [&str; 2] {
    [name, if is_secret(name) { MASK } else { value }]
}

fn is_secret(name: &str) -> bool {
    SECRET_NAMES.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

fn headers(all: &[(String, String)]) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::<String, String>::new();
    for (name, value) in all {
        let name = name.to_ascii_lowercase();
        let value = if SECRET_HEADERS.contains(&name.as_str()) { scheme(value) } else { value.clone() };
        shown.entry(name).and_modify(|all| *all = format!("{all}, {value}")).or_insert(value);
    }
    shown
}

/// How somebody identifies himself, without what he does it with.
fn scheme(value: &str) -> String {
    match value.split_once(' ') {
        Some((scheme @ ("Basic" | "Bearer"), _)) => format!("{scheme} {MASK}"),
        _ => MASK.to_owned(),
    }
}

fn body(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    match serde_json::from_slice(bytes) {
        Ok(mut json) => {
            mask(&mut json);
            json
        }
        Err(_) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// Masks the secrets of a body, however deep.
fn mask(json: &mut Value) {
    match json {
        Value::Object(members) => {
            for (name, value) in members {
                if is_secret(name) && !value.is_null() {
                    *value = json!(MASK);
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(mask),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::api::wire::{Host, Method};

    fn read(request: &Request, reply: &Reply) -> (String, Value) {
        let at = Duration::from_micros(12_900);
        let text = line(7, &Exchange { at, method: "POST", request, reply: Some(reply), fault: None });
        let json = serde_json::from_str(&text).unwrap();
        (text, json)
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn an_exchange_is_one_line_with_both_bodies() {
        let request = Request {
            query: vec![pair("id", "a"), pair("id", "b")],
            headers: vec![pair("Accept", "x"), pair("accept", "y")],
            body: "{\"name\":\"Zoë\\n\"}".into(),
            ..Request::new(Host::Api, Method::Post, "/api/v2/users")
        };
        let reply = Reply { status: 503, headers: Vec::new(), body: b"<html>\n\xff".to_vec() };
        let (text, json) = read(&request, &reply);
        assert!(!text.contains('\n'), "{text}");
        assert_eq!((&json["n"], &json["ms"], &json["ev"]), (&json!(7), &json!(12), &json!("exchange")));
        assert_eq!(json["request"]["query"], json!([["id", "a"], ["id", "b"]]));
        assert_eq!(json["request"]["headers"], json!({"accept": "x, y"}));
        assert_eq!(json["request"]["body"], json!({"name": "Zoë\n"}));
        assert_eq!(json["reply"], json!({"status": 503, "headers": {}, "body": "<html>\n\u{fffd}"}));
        let empty = Reply { body: Vec::new(), ..reply };
        assert_eq!(read(&request, &empty).1["reply"]["body"], Value::Null);
    }

    #[test]
    fn no_secret_is_told() {
        let secret = "canary";
        let login = Request {
            headers: vec![pair("Authorization", &format!("Basic {secret}")), pair("Cookie", secret)],
            body: format!("grant_type=client_credentials&client_secret={secret}").into_bytes(),
            query: vec![pair("access_token", secret), pair("Password", secret)],
            ..Request::new(Host::Login, Method::Post, "/oauth/token")
        };
        let minted = json!({"access_token": secret, "token_type": "bearer", "expires_in": 9});
        let reply = Reply { status: 200, headers: vec![pair("set-cookie", secret)], body: minted.to_string().into() };
        let (text, json) = read(&login, &reply);
        assert!(!text.contains(secret), "{text}");
        assert_eq!(json["request"]["headers"]["authorization"], "Basic ***");
        assert_eq!(json["reply"]["body"], json!({"access_token": "***", "token_type": "bearer", "expires_in": 9}));

        let body = json!({"name": "Ada", "password": secret, "deep": [{"newPassword": secret}]}).to_string().into();
        let headers = vec![pair("authorization", secret)];
        let create = Request { headers, body, ..Request::new(Host::Api, Method::Post, "/api/v2/users") };
        let (text, json) = read(&create, &reply);
        assert!(!text.contains(secret) && json["request"]["body"]["name"] == "Ada", "{text}");
    }

    #[test]
    fn the_first_line_says_what_the_file_is() {
        let head: Value = serde_json::from_str(&header("rosterdiff 0.1.0")).unwrap();
        assert_eq!(head, json!({"ev": "header", "v": 1, "what": "exchanges", "tool": "rosterdiff 0.1.0"}));
    }
}
