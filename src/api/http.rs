//! The wire in production: reqwest, told to do nothing by itself.
//!
//! No redirect is followed (a 307 would send people's data to another host), nothing is retried (every attempt is in the
//! journal), bodies are capped, and plain http goes to loopback hosts only.

use std::error::Error as _;
use std::time::Duration;

use reqwest::redirect::Policy;
use url::{Host as UrlHost, Url};

use crate::api::wire::{Host, Lost, Method, Reply, Request, Wire};
use crate::error::{Error, Kind, Result};

/// Longest reply that is read: a page of 500 users is well below 1 MiB.
const BODY_BYTES_MAX: usize = 32 << 20;
/// Shorter than the whole, so that a stall in the handshake is known to have sent nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);
/// Idle connections are dropped before a server does it in the moment of a create.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The two base URLs of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// Where tokens are minted.
    pub login: Url,
    /// Where everything else happens.
    pub api: Url,
}

impl Hosts {
    /// The hosts of a region, by host or AWS name.
    ///
    /// # Errors
    /// `Usage` for an unknown region.
    pub fn of_region(region: &str) -> Result<Self> {
        let host = super::region::host(region)?;
        Ok(Self { login: base(&format!("https://login.{host}"))?, api: base(&format!("https://api.{host}"))? })
    }
}

/// Checks a base URL: https, or http to a loopback host.
///
/// # Errors
/// `Usage` for anything else.
pub fn base(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|e| {
        Error::new(Kind::Usage, format!("\"{text}\" is not a URL"))
            .because(e)
            .hint("give scheme and host, as in https://api.mypurecloud.com")
    })?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => {
            Err(Error::new(Kind::Usage, format!("plain http to {} is refused", url.host_str().unwrap_or_default()))
                .hint("people's data and the token would travel in clear: use https (http is for loopback hosts only)"))
        }
        other => Err(Error::new(Kind::Usage, format!("cannot talk {other}: use https"))),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(UrlHost::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(UrlHost::Ipv4(ip)) => ip.is_loopback(),
        Some(UrlHost::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// A wire over HTTP.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    hosts: Hosts,
}

impl Http {
    /// A wire to `hosts`. Nothing is sent yet.
    ///
    /// # Errors
    /// `Usage` if the machine has no usable TLS set-up.
    pub fn new(hosts: Hosts) -> Result<Self> {
        let all_loopback = is_loopback(&hosts.api) && is_loopback(&hosts.login);
        let plain = hosts.api.scheme() == "http" || hosts.login.scheme() == "http";
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("rosterdiff/", env!("CARGO_PKG_VERSION")))
            .https_only(!plain)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT);
        if all_loopback {
            builder = builder.no_proxy();
        }
        let client =
            builder.build().map_err(|e| Error::new(Kind::Usage, "cannot set up TLS").because(e.without_url()))?;
        Ok(Self { client, hosts })
    }

    fn url(&self, request: &Request) -> Url {
        let mut url = match request.host {
            Host::Login => self.hosts.login.clone(),
            Host::Api => self.hosts.api.clone(),
        };
        let path = format!("{}{}", url.path().trim_end_matches('/'), request.path);
        url.set_path(&path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        url
    }
}

impl Wire for Http {
    async fn send(&self, request: Request) -> Result<Reply, Lost> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.client.request(method, self.url(&request));
        for (name, value) in &request.headers {
            let mut value = reqwest::header::HeaderValue::from_str(value)
                .map_err(|_| Lost::NotSent(format!("the header {name} has a character that cannot be sent")))?;
            value.set_sensitive(name == "authorization");
            builder = builder.header(name, value);
        }
        let response = builder.body(request.body).send().await.map_err(lost)?;
        read(response).await
    }
}

async fn read(mut response: reqwest::Response) -> Result<Reply, Lost> {
    let status = response.status().as_u16();
    let text = |v: &reqwest::header::HeaderValue| v.to_str().ok().map(str::to_owned);
    let headers = response.headers().iter().filter_map(|(n, v)| Some((n.as_str().to_owned(), text(v)?))).collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(Lost::Unknown(format!("the reply is longer than {} MiB", BODY_BYTES_MAX >> 20)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body })
}

/// Only a failure to connect proves that nothing left. The URL is dropped: it ends up in logs.
fn lost(error: reqwest::Error) -> Lost {
    let error = error.without_url();
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        why = format!("{why}: {inner}");
        cause = inner.source();
    }
    if error.is_connect() || error.is_builder() { Lost::NotSent(why) } else { Lost::Unknown(why) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn plain_http_goes_to_loopback_hosts_only() {
        for allowed in ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9", "https://api.mypurecloud.com"] {
            assert!(base(allowed).is_ok(), "{allowed}");
        }
        for refused in
            ["http://api.mypurecloud.com", "http://10.0.0.1", "http://localhost.example.com", "ftp://localhost", "api"]
        {
            assert_eq!(base(refused).unwrap_err().kind(), Kind::Usage, "{refused}");
        }
    }
}
