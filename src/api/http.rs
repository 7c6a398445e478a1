//! The wire in production: reqwest, told to do nothing by itself.
//!
//! No redirect is followed (a 307 would send people's data to another host), nothing is retried (every attempt is in the
//! journal), headers and bodies are capped, no URL out of a reply is ever asked for, and plain http goes to loopback
//! hosts only. Certificates are always checked: there is no way to say otherwise.

use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::redirect::Policy;
use url::Url;

use crate::api::proxy::{Proxy, is_loopback};
use crate::api::wire::{Host, Lost, Method, Reply, Request, Wire};
use crate::error::{Error, Kind, Result};

/// Longest body of a listing, decompressed: a page of 500 users is well below 1 MiB.
const PAGE_BYTES_MAX: usize = 32 << 20;
/// Longest body of any other reply, decompressed: one user, one token, a hundred hits.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest header of a reply, all fields together.
const HEADER_BYTES_MAX: usize = 64 << 10;
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
        // In front of an @ there may be a password.
        let shown = text.rsplit('@').next().unwrap_or_default();
        Error::new(Kind::Usage, format!("\"{shown}\" is not a URL"))
            .because(e)
            .hint("give scheme and host, as in https://api.mypurecloud.com")
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::new(Kind::Usage, "a URL with a user or a password in it is refused")
            .hint("secrets come from the environment or a profile, never from an argument"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => {
            Err(Error::new(Kind::Usage, format!("plain http to {} is refused", url.host_str().unwrap_or_default()))
                .hint("people's data and the token would travel in clear: use https (http is for loopback hosts only)"))
        }
        other => Err(Error::new(Kind::Usage, format!("cannot talk {other}: use https"))
            .hint("give scheme and host, as in https://api.mypurecloud.com")),
    }
}

/// How the hosts are reached, beyond what the system does by itself.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// Certificate authorities that are trusted beside the system's.
    pub authorities: Option<Authorities>,
    /// A proxy for https.
    pub proxy: Option<Proxy>,
}

/// Certificate authorities out of a PEM file.
#[derive(Clone, Debug)]
pub struct Authorities {
    path: PathBuf,
    certificates: Vec<reqwest::Certificate>,
}

impl Authorities {
    /// The certificates in `pem`, which was read from `path`.
    ///
    /// # Errors
    /// `File` if there is none.
    pub fn of_pem(path: impl Into<PathBuf>, pem: &[u8]) -> Result<Self> {
        let path = path.into();
        match reqwest::Certificate::from_pem_bundle(pem) {
            Ok(certificates) if !certificates.is_empty() => Ok(Self { path, certificates }),
            _ => Err(unusable(&path)),
        }
    }
}

fn unusable(path: &std::path::Path) -> Error {
    Error::new(Kind::File, format!("{} holds no usable certificate", path.display()))
        .hint("--ca-file wants a PEM file: blocks that begin with -----BEGIN CERTIFICATE-----")
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
    /// `Usage` if the machine has no usable TLS set-up, `File` if an authority cannot be used.
    pub fn new(hosts: Hosts, route: &Route) -> Result<Self> {
        let plain = hosts.api.scheme() == "http" || hosts.login.scheme() == "http";
        let no_tls = |e: reqwest::Error| match &route.authorities {
            Some(authorities) => unusable(&authorities.path),
            None => Error::new(Kind::Usage, "cannot set up TLS").because(e.without_url()),
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("rosterdiff/", env!("CARGO_PKG_VERSION")))
            .https_only(!plain)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http2_max_header_list_size(HEADER_BYTES_MAX as u32)
            // The route says it all: reqwest would read the environment by itself.
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT);
        if let Some(proxy) = &route.proxy {
            let except = reqwest::NoProxy::from_string(proxy.except());
            let through = reqwest::Proxy::https(proxy.url().as_str());
            // The error would show the password.
            let through = through.map_err(|_| Error::new(Kind::Usage, format!("cannot use {}", proxy.shown())))?;
            builder = builder.proxy(through.no_proxy(except));
        }
        if let Some(authorities) = &route.authorities {
            builder = builder.tls_certs_merge(authorities.certificates.clone());
        }
        Ok(Self { client: builder.build().map_err(no_tls)?, hosts })
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
        let url = self.url(&request);
        let host = shown(&url);
        let mut builder = self.client.request(method, url);
        for (name, value) in &request.headers {
            let mut value = reqwest::header::HeaderValue::from_str(value)
                .map_err(|_| Lost::Barred(format!("the header {name} has a character that cannot be sent")))?;
            value.set_sensitive(name == "authorization");
            builder = builder.header(name, value);
        }
        let bytes_max = if request.method == Method::Get { PAGE_BYTES_MAX } else { BODY_BYTES_MAX };
        let response = builder.body(request.body).send().await.map_err(|e| lost(&host, e))?;
        read(response, &host, bytes_max).await
    }
}

async fn read(mut response: reqwest::Response, host: &str, bytes_max: usize) -> Result<Reply, Lost> {
    let status = response.status().as_u16();
    let header_bytes: usize = response.headers().iter().map(|(n, v)| n.as_str().len() + v.len()).sum();
    if header_bytes > HEADER_BYTES_MAX {
        return Err(Lost::Unknown(format!("the header of the reply is longer than {} KiB", HEADER_BYTES_MAX >> 10)));
    }
    let text = |v: &reqwest::header::HeaderValue| v.to_str().ok().map(str::to_owned);
    let headers = response.headers().iter().filter_map(|(n, v)| Some((n.as_str().to_owned(), text(v)?))).collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| lost(host, e))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Lost::Unknown(format!("the reply is longer than {} MiB", bytes_max >> 20)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body })
}

/// What the layers below say of themselves, and tells nobody what is wrong.
const LAYERS: [&str; 4] =
    ["error sending request: ", "client error (Connect): ", "client error (SendRequest): ", "tcp connect error: "];

/// Host and port alone: the rest of a URL may hold anything, and ends up in logs.
fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Only a failure to connect proves that nothing left. Of the URL only the host is told.
fn lost(host: &str, error: reqwest::Error) -> Lost {
    let error = error.without_url();
    let mut why = format!("{host}: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        why = format!("{why}: {inner}");
        cause = inner.source();
    }
    let why = LAYERS.iter().fold(why, |why, layer| why.replace(layer, ""));
    let why = why.split(" (os error ").next().unwrap_or_default().to_owned();
    match error.is_connect() || error.is_builder() {
        // rustls says so, some layers down; its type is not ours to name.
        true if why.contains("invalid peer certificate") => {
            Lost::Untrusted(format!("the certificate of the host is not trusted: {why}"))
        }
        // A 407, in the words of hyper-util; its type is not public.
        true if why.contains("proxy authorization required") => {
            Lost::Barred("the proxy wants other credentials".to_owned())
        }
        true => Lost::NotSent(why),
        false => Lost::Unknown(why),
    }
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

    #[test]
    fn a_url_with_a_password_is_refused_and_not_shown() {
        for text in
            ["https://ada:canary@api.mypurecloud.com", "https://canary@api.mypurecloud.com", "https://a:canary@"]
        {
            let error = base(text).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
