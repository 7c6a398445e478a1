//! What goes back: a body, or a refusal in one of the service's two error shapes.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::codec::http_date;
use super::settings::{RetryAfter, Settings};
use crate::api::wire::Reply;

/// A body with status 200, or a refusal.
pub(super) type Answer = Result<Vec<u8>, Refusal>;

/// Serialises a body. It cannot fail for the shapes of this module; should it, the client sees an empty body.
pub(super) fn body(shape: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(shape).unwrap_or_default()
}

/// What something in front of the service says.
const PAGE_OF_HTML: &[u8] = b"<!DOCTYPE html><html><body><h1>Service unavailable</h1></body></html>";

/// Why a request is not carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: Cow<'static, str>,
    message: Box<str>,
    params: Map<String, Value>,
    fields: Vec<String>,
    /// What the reply says beside that.
    headers: Vec<(String, String)>,
    oauth: bool,
}

impl Refusal {
    pub(super) fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let (code, message) = (code.into(), message.into().into_boxed_str());
        Self { status, code, message, params: Map::new(), fields: vec![], headers: vec![], oauth: false }
    }

    /// `{error, description, error_description}`, as `/oauth/token` says it.
    pub(super) fn oauth(status: u16, error: &'static str, description: &str) -> Self {
        Self { oauth: true, ..Self::new(status, error, description) }
    }

    /// 400 with a message of our own: the service's texts for most of these are unknown.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "bad.request", message)
    }

    /// 400 for a word outside its list.
    pub(super) fn invalid_value(value: &str, kind: &str, allowed: &str) -> Self {
        let text = format!("Value [{value}] is not valid for field type [{kind}]. Allowable values are: {allowed}");
        Self::new(400, "invalid.value", text)
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(404, "not.found", format!("The requested resource was not found: {what}"))
    }

    /// An address that somebody holds. Which user it is is not said: no source shows that it would be.
    pub(super) fn conflict(status: u16, settings: &Settings) -> Self {
        let text = "The request conflicts with the current state of the target resource.";
        Self::new(status, settings.conflict_code.clone(), text)
    }

    pub(super) fn too_large(octets_max: usize) -> Self {
        let text = format!("The request is over the size limit. Maximum bytes: {octets_max}");
        Self::new(413, "request.entity.too.large", text).param("maximumBytes", &octets_max.to_string())
    }

    /// One call too many: come back in so many seconds.
    pub(super) fn throttled(wait_s: u64, now: Duration, settings: &Settings) -> Self {
        let headers = match settings.retry_after {
            RetryAfter::Seconds => vec![header("retry-after", &wait_s.to_string())],
            RetryAfter::Date => vec![
                header("date", &http_date(now.as_secs())),
                header("retry-after", &http_date(now.as_secs() + wait_s)),
            ],
            RetryAfter::Absent => Vec::new(),
        };
        let refusal = if settings.throttled_body_old {
            let (calls, window_s) = (settings.rate_allowed, settings.rate_window.as_secs());
            let text = format!("Rate limit exceeded the maximum [{calls}] requests within [{window_s}] seconds");
            Self::new(429, "too.many.requests", text)
        } else {
            let text = format!("Rate limit exceeded the maximum. Retry the request in [{wait_s}] seconds");
            Self::new(429, "too.many.requests.retry.after", text)
        };
        Self { headers, ..refusal }
    }

    pub(super) fn unavailable() -> Self {
        Self::new(503, "service.unavailable", "The service is overloaded or down for maintenance.")
    }

    pub(super) fn field(mut self, name: &str) -> Self {
        self.fields.push(name.to_owned());
        self
    }

    pub(super) fn param(mut self, name: &str, value: &str) -> Self {
        self.params.insert(name.to_owned(), Value::from(value));
        self
    }

    /// The body; `context_id` is the correlation id of the reply.
    pub(super) fn body(&self, context_id: &str) -> Vec<u8> {
        if self.oauth {
            let text = &self.message;
            return body(&json!({"error": self.code, "description": text, "error_description": text}));
        }
        let detail = |field: &String| json!({"errorCode": self.code, "fieldName": field});
        body(&ErrorBody {
            message: &self.message,
            code: &self.code,
            status: self.status,
            message_params: &self.params,
            context_id,
            details: self.fields.iter().map(detail).collect(),
            errors: [],
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    message: &'a str,
    code: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Map::is_empty")]
    message_params: &'a Map<String, Value>,
    context_id: &'a str,
    details: Vec<Value>,
    errors: [(); 0],
}

/// Puts a reply together.
pub(super) fn reply(answer: Answer, correlation_id: &str, rate: Vec<(String, String)>) -> Reply {
    let mut headers = vec![header("content-type", "application/json"), header("inin-correlation-id", correlation_id)];
    headers.extend(rate);
    match answer {
        Ok(body) => Reply { status: 200, headers, body },
        Err(refusal) => {
            headers.extend(refusal.headers.iter().cloned());
            Reply { status: refusal.status, headers, body: refusal.body(correlation_id) }
        }
    }
}

/// The same reply with a page for people in place of its JSON.
pub(super) fn page_of_html(mut reply: Reply) -> Reply {
    reply.headers.retain(|(name, _)| name != "content-type");
    reply.headers.push(header("content-type", "text/html"));
    Reply { body: PAGE_OF_HTML.to_vec(), ..reply }
}

pub(super) fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
