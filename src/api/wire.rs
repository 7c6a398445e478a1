//! The one seam: a request goes in, a reply or its loss comes out.
//!
//! [`Wire`] is implemented by reqwest (`api::http`), by a direct call into the simulator's core (tests in virtual time)
//! and by whoever embeds this crate. Everything above the seam (paging, retry, pacing, tokens, parsing) is therefore
//! the same code in production and under test. Nothing here knows what a user is.

use std::fmt;
use std::future::Future;

/// Which of the service's two hosts a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// `https://login.{region}`: mints tokens.
    Login,
    /// `https://api.{region}`: everything else.
    Api,
}

/// The HTTP methods the service's users API knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, searches, mints tokens.
    Post,
    /// Changes one user. The client of `apply` never builds one.
    Patch,
    /// Deletes one user. The client of `apply` never builds one.
    Delete,
}

/// One request, complete but for the base URL of its host.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Where it goes.
    pub host: Host,
    /// How.
    pub method: Method,
    /// Absolute path, starting with `/`, without query.
    pub path: String,
    /// Query pairs, not yet percent-encoded. Never an e-mail address: URLs end up in logs.
    pub query: Vec<(String, String)>,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, String)>,
    /// Body bytes, empty for none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without query, headers and body.
    #[must_use]
    pub fn new(host: Host, method: Method, path: impl Into<String>) -> Self {
        Self { host, method, path: path.into(), query: Vec::new(), headers: Vec::new(), body: Vec::new() }
    }

    /// The first header of that name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl fmt::Debug for Request {
    /// Method and path only: headers hold tokens, bodies hold people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.method, self.path)
    }
}

/// One whole reply: its body was read to the end.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, String)>,
    /// Body bytes, decompressed.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of that name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl fmt::Debug for Reply {
    /// Status and size only: bodies hold people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// No whole reply came. What that means for the deed is the difference that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The request provably never left: the name did not resolve, the connection was refused. Safe to send again.
    NotSent(String),
    /// The request provably never left, and trying again is in vain: the host's certificate is not trusted.
    Untrusted(String),
    /// The request provably never left, and trying again is in vain: the proxy refuses the credentials in front of it, or
    /// the token has a character that no header can hold.
    Barred(String),
    /// It may have arrived and been carried out: time-out, reset, cut body. Look before sending again.
    Unknown(String),
}

/// Sends one request once.
///
/// An implementation never retries, never follows a redirect and returns only when the body is read whole.
pub trait Wire: Send + Sync + 'static {
    /// Sends `request` and reads the whole reply.
    ///
    /// # Errors
    /// [`Lost`] when there is no whole reply.
    fn send(&self, request: Request) -> impl Future<Output = Result<Reply, Lost>> + Send;
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}
