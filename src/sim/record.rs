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
//! are joined by commas. A body is JSON if it can be read as that, and null if it is empty; else that of a reply is text,
//! and of a request its length alone is told: `"*** (42 octets)"`.
//!
//! What opens a door is masked: parameters of a query and members of JSON whose name speaks of a secret, a password, a
//! token or the like, however it is spelt; requests to `/oauth/`; and every header but those that are known to hold none.
//! What a client puts where nobody expects a secret (a path, a name) stands as it is. People are not masked: the file is
//! as private as a roster.

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
/// Headers whose values open no door.
const OPEN_HEADERS: [&str; 24] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "host",
    "inin-correlation-id",
    "inin-ratelimit-allowed",
    "inin-ratelimit-count",
    "inin-ratelimit-reset",
    "keep-alive",
    "pragma",
    "purecloud-sdk",
    "retry-after",
    "te",
    "transfer-encoding",
    "user-agent",
];
/// A name that holds one of these, in small letters and without `_` and `-`, is that of something that opens a door.
const SECRET_WORDS: [&str; 9] =
    ["secret", "password", "passwd", "passphrase", "token", "credential", "authorization", "assertion", "apikey"];

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
    // However many slashes a client puts before it.
    let of_login = request.path.to_ascii_lowercase().contains("/oauth/");
    let line = Line {
        ev: "exchange",
        n,
        ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
        request: Asked {
            method,
            path: &request.path,
            query: request.query.iter().map(|pair| shown_pair(pair, of_login)).collect(),
            headers: headers(&request.headers),
            // A form, and a secret in it.
            body: if of_login && !request.body.is_empty() { json!(MASK) } else { asked_body(&request.body) },
        },
        reply: reply.map(|reply| Answered {
            status: reply.status,
            headers: headers(&reply.headers),
            body: replied_body(&reply.body),
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

/// Whether `line` is a [`header`], of whatever tool and layout.
#[must_use]
pub fn is_header(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line).is_ok_and(|head| head["ev"] == "header" && head["what"] == "exchanges")
}

/// The `value` of a member, as text in which nothing opens a door.
pub(super) fn shown(name: &str, value: &Value) -> String {
    if is_secret(name) {
        return MASK.to_owned();
    }
    let mut value = value.clone();
    mask(&mut value);
    value.to_string()
}

fn shown_pair((name, value): &(String, String), of_login: bool) -> [&str; 2] {
    [name, if of_login || is_secret(name) { MASK } else { value }]
}

fn is_secret(name: &str) -> bool {
    let plain = name.replace(['_', '-'], "").to_ascii_lowercase();
    plain != "tokentype" && SECRET_WORDS.iter().any(|word| plain.contains(word))
}

fn headers(all: &[(String, String)]) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::<String, String>::new();
    for (name, value) in all {
        let name = name.to_ascii_lowercase();
        let value = if OPEN_HEADERS.contains(&name.as_str()) { value.clone() } else { scheme(value) };
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

/// Without names nobody knows what a text, or a number alone, is: a form may hold a secret.
fn asked_body(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let named = masked(bytes).filter(|json| json.is_object() || json.is_array());
    named.unwrap_or_else(|| json!(format!("{MASK} ({} octets)", bytes.len())))
}

/// What is no JSON here is a page of ours.
fn replied_body(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    masked(bytes).unwrap_or_else(|| json!(String::from_utf8_lossy(bytes)))
}

fn masked(bytes: &[u8]) -> Option<Value> {
    let mut json = serde_json::from_slice(bytes).ok()?;
    mask(&mut json);
    Some(json)
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
    fn a_request_body_that_has_no_names_is_told_by_its_length() {
        let secret = "canary";
        let form = format!("grant_type=client_credentials&client_secret={secret}");
        let broken = format!("{{\"password\": \"{secret}\"");
        let alone = format!("\"{secret}\"");
        let reply = Reply { status: 400, headers: Vec::new(), body: Vec::new() };
        for (path, body, told) in [
            ("/api/v2/users", form.as_str(), format!("*** ({} octets)", form.len())),
            ("/api/v2/users", &broken, format!("*** ({} octets)", broken.len())),
            ("/api/v2/users", &alone, format!("*** ({} octets)", alone.len())),
            ("//oauth/token", &form, "***".to_owned()),
            ("/OAuth/token", "{\"code\":\"canary\"}", "***".to_owned()),
        ] {
            let request = Request { body: body.into(), ..Request::new(Host::Api, Method::Post, path) };
            let (text, json) = read(&request, &reply);
            assert!(!text.contains(secret) && json["request"]["body"] == told, "{text}");
        }
    }

    #[test]
    fn a_secret_is_known_by_its_name_however_it_is_spelt() {
        for name in
            ["clientSecret", "accessToken", "id_token", "CLIENT-SECRET", "new_password", "tokens", "X-Api-Key", "token"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["token_type", "tokenType", "previousPage", "nextPage", "nextUri", "cursor", "expires_in", "name"] {
            assert!(!is_secret(name), "{name}");
        }
        let deep = json!([{"a": {"refreshToken": ["canary"], "b": 1}, "secretKeys": {"c": "canary"}}]);
        assert_eq!(shown("x", &deep), r#"[{"a":{"b":1,"refreshToken":"***"},"secretKeys":"***"}]"#);
        assert_eq!(shown("Password", &json!(["canary"])), MASK);
    }

    #[test]
    fn only_headers_that_are_known_to_hold_no_secret_are_told() {
        let open = ["Host", "content-type", "User-Agent", "purecloud-sdk", "accept"].map(|name| pair(name, "open"));
        let closed =
            ["referer", "x-api-key", "origin", "forwarded", "Proxy-Authorization"].map(|name| pair(name, "canary"));
        let headers = [open.to_vec(), closed.to_vec()].concat();
        let request = Request { headers, ..Request::new(Host::Api, Method::Get, "/api/v2/users") };
        let (text, json) = read(&request, &Reply { status: 200, headers: Vec::new(), body: Vec::new() });
        assert!(!text.contains("canary"), "{text}");
        let told = json["request"]["headers"].as_object().unwrap();
        assert_eq!(told.len(), 10);
        assert_eq!(told.values().filter(|value| **value == "open").count(), 5);
        assert_eq!(told["referer"], MASK);
    }

    #[test]
    fn the_first_line_says_what_the_file_is() {
        assert!(is_header(header("x").as_bytes()));
        for other in ["", "email,name", "[users]", "{}", "[]", "{\"ev\":\"header\",\"what\":\"journal\"}"] {
            assert!(!is_header(other.as_bytes()), "{other}");
        }
        let head: Value = serde_json::from_str(&header("rosterdiff 0.1.0")).unwrap();
        assert_eq!(head, json!({"ev": "header", "v": 1, "what": "exchanges", "tool": "rosterdiff 0.1.0"}));
    }
}
