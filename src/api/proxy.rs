//! A proxy between this machine and the service. Its password is held in memory only and prints as nothing.

use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use url::{Host, Url};

use crate::error::{Error, Kind, Result};

/// Hosts that no proxy is asked for, whatever the environment says.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// A proxy for https, and the hosts that are reached without it.
#[derive(Clone)]
pub struct Proxy {
    url: Url,
    except: String,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Proxy {
    /// A proxy from what `variable` holds (`http://host:port`, the scheme may be missing) and from a list like that of
    /// `NO_PROXY`.
    ///
    /// # Errors
    /// `Usage` if it is no address of an HTTP proxy. The text is not shown: it may hold a password.
    pub fn new(variable: &str, text: &str, except: &str) -> Result<Self> {
        let text = text.trim();
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&whole).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| {
            Error::new(Kind::Usage, format!("{variable} is not the address of an HTTP proxy"))
                .hint("write it as http://host:port, or unset it to connect directly")
        })?;
        Ok(Self { url, except: format!("{except},{LOOPBACK}") })
    }

    /// Scheme, host and port, without user and password.
    #[must_use]
    pub fn shown(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{host}{port}", self.url.scheme())
    }

    /// Whether `host` is reached through it.
    #[must_use]
    pub fn is_for(&self, host: &Url) -> bool {
        !is_excepted(host, &self.except)
    }

    /// Where it is, user and password included.
    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// The hosts that are reached without it.
    pub(super) fn except(&self) -> &str {
        &self.except
    }
}

/// Whether `host` is reached without any proxy, by a list like that of `NO_PROXY`.
#[must_use]
pub fn is_excepted(host: &Url, except: &str) -> bool {
    // Any proxy will do to ask the matcher with.
    let matcher = Matcher::builder().https("http://proxy.invalid").no(format!("{except},{LOOPBACK}")).build();
    let is_matched = host.as_str().parse().is_ok_and(|uri| matcher.intercept(&uri).is_some());
    !is_matched || is_loopback(host)
}

/// Whether a URL names this machine by its loopback address.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn is_for(except: &str, host: &str) -> bool {
        Proxy::new("HTTPS_PROXY", "http://ada:canary@proxy.example:3128", except)
            .unwrap()
            .is_for(&host.parse().unwrap())
    }

    #[test]
    fn a_proxy_is_for_every_real_host_that_is_not_excepted() {
        let host = "https://api.mypurecloud.de";
        assert!(is_for("", host) && is_for("other.example,mypurecloud.com", host));
        assert!(!is_for("mypurecloud.de", host) && !is_for(".mypurecloud.de", host) && !is_for("*", host));
    }

    #[test]
    fn no_proxy_is_asked_for_loopback() {
        for host in ["https://localhost:9", "https://127.0.0.1:9", "https://127.1.2.3", "https://[::1]:9"] {
            assert!(!is_for("", host), "{host}");
        }
    }

    #[test]
    fn a_proxy_is_shown_without_user_and_password() {
        for (text, shown) in [
            ("http://ada:canary@proxy.example:3128/", "http://proxy.example:3128"),
            ("ada:canary@proxy.example:3128", "http://proxy.example:3128"),
            ("https://canary@[::1]", "https://[::1]"),
        ] {
            let proxy = Proxy::new("HTTPS_PROXY", text, "").unwrap();
            assert_eq!((proxy.shown(), format!("{proxy:?}")), (shown.to_owned(), shown.to_owned()));
        }
        for text in ["socks5://canary@proxy.example", "http://", "canary secret"] {
            let error = Proxy::new("HTTPS_PROXY", text, "").unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
