//! From the environment and the flags to a client.

use std::sync::Arc;

use secrecy::SecretString;

use super::args::Connection;
use crate::api::http::{Hosts, Http, base};
use crate::api::{Client, Credentials, Options};
use crate::error::{Error, Kind, Result};

/// What a command needs to talk to one organisation.
#[derive(Clone, Debug)]
pub struct Session {
    /// The client, its wire real.
    pub client: Arc<Client<Http>>,
}

impl Session {
    /// A session from the environment and the flags; nothing is sent yet.
    ///
    /// # Errors
    /// `Usage` for a wrong URL or region, `Credentials` if none are given.
    pub fn new(connection: &Connection) -> Result<Self> {
        let hosts = hosts(connection)?;
        let credentials = Credentials {
            client_id: required("GENESYSCLOUD_OAUTHCLIENT_ID")?,
            client_secret: SecretString::from(required("GENESYSCLOUD_OAUTHCLIENT_SECRET")?),
        };
        Self::with(hosts, credentials, connection)
    }

    /// A session if there are credentials in the environment.
    ///
    /// # Errors
    /// `Usage` for a wrong URL or region.
    pub fn find(connection: &Connection) -> Result<Option<Self>> {
        let has = |name| env(name).is_some();
        let has_all = has("GENESYSCLOUD_OAUTHCLIENT_ID") && has("GENESYSCLOUD_OAUTHCLIENT_SECRET");
        has_all.then(|| Self::new(connection)).transpose()
    }

    /// A session with given hosts and credentials.
    ///
    /// # Errors
    /// `Usage` if the machine has no usable TLS set-up.
    pub fn with(hosts: Hosts, credentials: Credentials, connection: &Connection) -> Result<Self> {
        let options =
            Options { n_tokens: usize::from(connection.tokens.max(1)), per_min: connection.per_min.map(f64::from) };
        Ok(Self { client: Client::new(Http::new(hosts)?, credentials, options) })
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn required(name: &str) -> Result<String> {
    env(name).ok_or_else(|| {
        Error::new(Kind::Credentials, format!("{name} is not set"))
            .hint("set GENESYSCLOUD_OAUTHCLIENT_ID, GENESYSCLOUD_OAUTHCLIENT_SECRET and GENESYSCLOUD_REGION of an OAuth client (client credentials grant)")
    })
}

fn hosts(connection: &Connection) -> Result<Hosts> {
    let region = env("GENESYSCLOUD_REGION").map(|r| Hosts::of_region(&r)).transpose();
    match (&connection.api_url, &connection.login_url) {
        (None, None) => region?.ok_or_else(|| {
            Error::new(Kind::Usage, "GENESYSCLOUD_REGION is not set")
                .hint("set it to the organisation's host or AWS region, such as mypurecloud.de or eu-central-1")
        }),
        (Some(api), Some(login)) => Ok(Hosts { api: base(api)?, login: base(login)? }),
        (Some(api), None) => {
            let api = base(api)?;
            // A simulator serves both on one port; anything else has to say where secrets go.
            let login = if api.scheme() == "http" { Some(api.clone()) } else { region?.map(|r| r.login) };
            let login = login.ok_or_else(|| {
                Error::new(Kind::Usage, "--api-url without a login host")
                    .hint("add --login-url, or set GENESYSCLOUD_REGION")
            })?;
            Ok(Hosts { api, login })
        }
        (None, Some(login)) => {
            let api = region?.map(|r| r.api).ok_or_else(|| {
                Error::new(Kind::Usage, "--login-url without an API host")
                    .hint("add --api-url, or set GENESYSCLOUD_REGION")
            })?;
            Ok(Hosts { api, login: base(login)? })
        }
    }
}
