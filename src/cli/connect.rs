//! From the environment, a profile and the flags to a client.
//!
//! Credentials and region come from one source, whole: the profile asked for, else the environment, else the profile of
//! a file of settings, else the profile `DEFAULT`. Only where the environment has credentials and no region, that of the
//! file of settings counts. Half of one and half of another could send one organisation's secret to another's host.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use super::args::Connection;
use super::config::NAME;
use super::profile::{DEFAULT, Profiles};
use super::render::Render;
use crate::api::http::{Authorities, Hosts, Http, Route, base};
use crate::api::proxy::{Proxy, is_excepted};
use crate::api::{Client, Credentials, Options};
use crate::error::{Error, Kind, Result};

const ID: &str = "GENESYSCLOUD_OAUTHCLIENT_ID";
const SECRET: &str = "GENESYSCLOUD_OAUTHCLIENT_SECRET";
const TOKEN: &str = "GENESYSCLOUD_ACCESS_TOKEN";
const REGION: &str = "GENESYSCLOUD_REGION";
/// Longest file of authorities: the whole bundle of a system is a quarter of a MiB.
const CA_BYTES_MAX: u64 = 8 << 20;

/// What a command needs to talk to one organisation.
#[derive(Clone, Debug)]
pub struct Session {
    /// The client, its wire real.
    pub client: Arc<Client<Http>>,
}

impl Session {
    /// A session from the environment, a profile and the flags; nothing is sent yet. `render` is told once what a
    /// person should know: which proxy is asked, and that a file of secrets is open to others.
    ///
    /// # Errors
    /// `Usage` for a wrong URL or region, `Credentials` if they are missing or incomplete, `File` if a profile or an
    /// authority cannot be read.
    pub fn new(connection: &Connection, render: &Render) -> Result<Self> {
        let source = Source::choose(connection, &env, render)?;
        let source = source.ok_or_else(|| missing("there are no credentials"))?;
        Self::of_source(source, connection, render)
    }

    /// The same, or nothing where no credentials are given: then a command that can do without them does. Incomplete
    /// ones, and a file of profiles that cannot be read, count as none and are told of, unless a profile was asked for.
    ///
    /// # Errors
    /// As [`Session::new`], but for missing credentials.
    pub fn find(connection: &Connection, render: &Render) -> Result<Option<Self>> {
        let source = Source::usable(connection, &env, render)?;
        source.map(|source| Self::of_source(source, connection, render)).transpose()
    }

    /// A session with a given wire and credentials.
    ///
    /// # Errors
    /// `Usage` if more tokens are asked for than these credentials can give.
    pub fn with(wire: Http, credentials: Credentials, connection: &Connection) -> Result<Self> {
        if connection.tokens > 1 && matches!(credentials, Credentials::Token(_)) {
            return Err(Error::new(Kind::Usage, format!("--tokens {} with an access token", connection.tokens))
                .hint("one token is one token: more can only be minted with an OAuth client's id and secret"));
        }
        let options =
            Options { n_tokens: usize::from(connection.tokens.max(1)), per_min: connection.per_min.map(f64::from) };
        Ok(Self { client: Client::new(wire, credentials, options) })
    }

    fn of_source(source: Source, connection: &Connection, render: &Render) -> Result<Self> {
        if connection.profile.is_none() {
            let file = connection.filed.region.as_deref().map(|region| ("the region of the settings", region));
            let variable = env(REGION);
            source.tell_profile([variable.as_deref().map(|region| (REGION, region)), file], render);
        }
        let region = source.region();
        let credentials = source.credentials()?;
        check_hosts(connection, &env)?;
        let hosts = hosts(connection, region, matches!(credentials, Credentials::Token(_)))?;
        let route = Route {
            authorities: connection.ca_file.as_deref().map(authorities).transpose()?,
            proxy: proxy(&hosts, &env, render)?,
        };
        Self::with(Http::new(hosts, &route)?, credentials, connection)
    }
}

/// Reads a variable of the environment.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where credentials and region come from.
#[derive(Debug)]
enum Place {
    Environment,
    Profile { name: String, path: PathBuf },
}

/// What one place says.
#[derive(Debug)]
struct Source {
    place: Place,
    id: Option<String>,
    secret: Option<SecretString>,
    token: Option<SecretString>,
    region: Option<String>,
}

impl Source {
    /// The first place that says anything, or the one that was asked for.
    fn choose(connection: &Connection, env: Env<'_>, render: &Render) -> Result<Option<Self>> {
        if let Some(name) = &connection.profile {
            return Self::named(name, env, render).map(Some);
        }
        if [ID, SECRET, TOKEN].iter().any(|name| env(name).is_some()) {
            return Ok(Some(Self {
                place: Place::Environment,
                id: env(ID),
                secret: env(SECRET).map(SecretString::from),
                token: env(TOKEN).map(SecretString::from),
                region: env(REGION).or_else(|| connection.filed.region.clone()),
            }));
        }
        if let Some(name) = &connection.filed.profile {
            return Self::named(name, env, render).map(Some);
        }
        let profiles = profiles_path(env).map(|path| Profiles::read(&path)).transpose()?.flatten();
        Ok(profiles.and_then(|profiles| Self::of_profile(&profiles, DEFAULT, render)))
    }

    /// The profile of that name.
    fn named(name: &str, env: Env<'_>, render: &Render) -> Result<Self> {
        let path = profiles_path(env).ok_or_else(|| {
            missing(&format!("there is no profile \"{name}\": HOME is not set, so ~/.gc/config.toml is nowhere"))
        })?;
        let profiles = Profiles::read(&path)?
            .ok_or_else(|| missing(&format!("there is no profile \"{name}\": {} does not exist", path.display())))?;
        Self::of_profile(&profiles, name, render).ok_or_else(|| unknown(&profiles, name))
    }

    fn of_profile(profiles: &Profiles, name: &str, render: &Render) -> Option<Self> {
        let profile = profiles.find(name)?;
        if profiles.is_open {
            let path = profiles.path().display();
            render.warn_once(format!("warning: {path} holds secrets and others may read it: chmod 600 {path}"));
        }
        Some(Self {
            place: Place::Profile { name: name.to_owned(), path: profiles.path().to_owned() },
            id: profile.get("client_credentials"),
            secret: profile.get("client_secret").map(SecretString::from),
            token: profile.get("access_token").map(SecretString::from),
            region: profile.get("environment"),
        })
    }

    /// The same, but for a place that nobody asked for and that cannot be read or is incomplete: it is told of, once.
    fn usable(connection: &Connection, env: Env<'_>, render: &Render) -> Result<Option<Self>> {
        let chosen = Self::choose(connection, env, render);
        if connection.profile.is_some() {
            return chosen;
        }
        let source = match chosen {
            Err(error) if error.kind() == Kind::File => {
                render.warn_once(format!("warning: {error}; going on without credentials"));
                return Ok(None);
            }
            chosen => chosen?,
        };
        let Some(lack) = source.as_ref().and_then(Self::missing_half) else { return Ok(source) };
        if source.is_some_and(|source| source.id.is_some() || source.secret.is_some()) {
            render.warn_once(format!("warning: {lack}; going on without credentials"));
        }
        Ok(None)
    }

    /// Says which profile is used that nobody asked for: it may be of another organisation than is thought.
    fn tell_profile(&self, others: [Option<(&str, &str)>; 2], render: &Render) {
        let Place::Profile { name, path } = &self.place else { return };
        let region = self.region.as_deref().unwrap_or("none");
        render.warn_once(format!("Credentials: profile \"{name}\" of {}, region {region}.", path.display()));
        let host = |region: &str| crate::api::region::host(region).map_or_else(|_| region.to_owned(), str::to_owned);
        for (what, other) in others.into_iter().flatten().filter(|(_, other)| host(other) != host(region)) {
            render.warn_once(format!(
                "warning: {what} is {other} and not used: credentials and region come from one source"
            ));
        }
    }

    /// The region, or what to say of a missing one.
    fn region(&self) -> Result<String, String> {
        self.region.clone().ok_or_else(|| self.lacks(REGION, "environment"))
    }

    /// What is to be said of credentials that are not whole.
    fn missing_half(&self) -> Option<String> {
        match (&self.id, &self.secret) {
            _ if self.token.is_some() => None,
            (None, _) => Some(self.lacks(ID, "client_credentials")),
            (_, None) => Some(self.lacks(SECRET, "client_secret")),
            (Some(_), Some(_)) => None,
        }
    }

    /// A token wins over the means to mint one, as with the official tools.
    fn credentials(self) -> Result<Credentials> {
        if let Some(lack) = self.missing_half() {
            return Err(missing(&lack));
        }
        match (self.token, self.id.zip(self.secret)) {
            (Some(token), _) => Ok(Credentials::Token(token)),
            (None, Some((id, secret))) => Ok(Credentials::Client { id, secret }),
            (None, None) => Err(Error::bug("credentials were found complete and are not")),
        }
    }

    fn lacks(&self, variable: &str, key: &str) -> String {
        match &self.place {
            Place::Environment => format!("{variable} is not set"),
            Place::Profile { name, path } => format!("profile \"{name}\" in {} has no {key}", path.display()),
        }
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn profiles_path(env: Env<'_>) -> Option<PathBuf> {
    env("HOME").map(|home| Path::new(&home).join(".gc").join("config.toml"))
}

fn missing(what: &str) -> Error {
    Error::new(Kind::Credentials, what).hint(format!(
        "set {ID} and {SECRET} (an OAuth client with client credentials grant), or set {TOKEN}, each with {REGION}; or \
         use a profile of ~/.gc/config.toml with --profile NAME"
    ))
}

fn unknown(profiles: &Profiles, name: &str) -> Error {
    let path = profiles.path().display();
    let names = profiles.names();
    let known = if names.is_empty() { "it holds none".to_owned() } else { format!("it holds {}", names.join(", ")) };
    Error::new(Kind::Credentials, format!("there is no profile \"{name}\" in {path}: {known}"))
        .hint("name one of them with --profile NAME, or leave it away to use the environment")
}

/// A file of settings that merely lies there does not send credentials elsewhere than somebody said. It is not passed over:
/// whoever practises against a simulator that the file names would be at work in the organisation.
fn check_hosts(connection: &Connection, env: Env<'_>) -> Result<()> {
    let found = &connection.filed.hosts;
    let Some(host) = found.first() else { return Ok(()) };
    let is_typed = |flag: &str, url: &Option<String>| url.is_some() && found.iter().all(|host| host.flag != flag);
    let (other, way) = match &connection.profile {
        Some(name) => (format!("--profile {name}"), "leave --profile away"),
        None if env(REGION).is_some() => (REGION.to_owned(), "unset GENESYSCLOUD_REGION"),
        None if is_typed("api-url", &connection.api_url) => {
            ("--api-url or ROSTERDIFF_API_URL".to_owned(), "say --login-url as well")
        }
        None if is_typed("login-url", &connection.login_url) => {
            ("--login-url or ROSTERDIFF_LOGIN_URL".to_owned(), "say --api-url as well")
        }
        None => return Ok(()),
    };
    Err(Error::new(Kind::Usage, format!("{}, and {other} says otherwise to whom credentials are sent", host.said))
        .hint(format!("to go where the file says, name it with --config {NAME}; else say --no-config, or {way}")))
}

/// The hosts: those of the flags, else the region's. `region` is what to say if one is needed and there is none.
fn hosts(connection: &Connection, region: Result<String, String>, is_token: bool) -> Result<Hosts> {
    let of_region = |without: &str, hint: &str| match &region {
        Ok(region) => Hosts::of_region(region),
        Err(lack) if without.is_empty() => Err(Error::new(Kind::Usage, lack.as_str()).hint(hint)),
        Err(_) => Err(Error::new(Kind::Usage, without).hint(hint)),
    };
    match (&connection.api_url, &connection.login_url) {
        (None, None) => {
            of_region("", "it is the organisation's host or AWS region, such as mypurecloud.de or eu-central-1")
        }
        (Some(api), Some(login)) => Ok(Hosts { api: base(api)?, login: base(login)? }),
        (Some(api), None) => {
            let api = base(api)?;
            // A simulator serves both on one port, and a token needs no login; anything else has to say where secrets go.
            let login = if api.scheme() == "http" || is_token {
                api.clone()
            } else {
                of_region("--api-url without a login host", "add --login-url, or set GENESYSCLOUD_REGION")?.login
            };
            Ok(Hosts { api, login })
        }
        (None, Some(login)) => {
            let login = base(login)?;
            let api = of_region("--login-url without an API host", "add --api-url, or set GENESYSCLOUD_REGION")?.api;
            Ok(Hosts { api, login })
        }
    }
}

fn authorities(path: &Path) -> Result<Authorities> {
    let file = std::fs::File::open(path).map_err(|e| Error::file("read", path, e))?;
    let mut pem = Vec::new();
    file.take(CA_BYTES_MAX).read_to_end(&mut pem).map_err(|e| Error::file("read", path, e))?;
    Authorities::of_pem(path, &pem)
}

/// The proxy that the environment names for https, if it is to be asked for one of the hosts at all.
fn proxy(hosts: &Hosts, env: Env<'_>, render: &Render) -> Result<Option<Proxy>> {
    let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| env(name).map(|value| (name, value)));
    let named = first(["HTTPS_PROXY", "https_proxy"]).or_else(|| first(["ALL_PROXY", "all_proxy"]));
    let except = first(["NO_PROXY", "no_proxy"]).map(|(_, value)| value).unwrap_or_default();
    // What nobody asks a proxy for needs none that can be used.
    let is_asked = [&hosts.login, &hosts.api].into_iter().any(|host| !is_excepted(host, &except));
    let Some((name, text)) = named.filter(|_| is_asked) else { return Ok(None) };
    let proxy = Proxy::new(name, &text, &except)?;
    render.warn_once(format!("Through the proxy {} ({name}).", proxy.shown()));
    Ok(Some(proxy))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::args::Talk;

    const QUIET: Talk = Talk { json: false, quiet: true, verbose: false, events: None };

    /// What is found without a prompt: the client id, or `token`.
    fn usable(set: &[(&str, &str)], profile: Option<&str>) -> Result<Option<String>> {
        let env = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let connection = Connection { profile: profile.map(str::to_owned), ..Connection::default() };
        let source = Source::usable(&connection, &env, &Render::eventless(QUIET))?;
        Ok(source.map(|source| match source.credentials() {
            Ok(Credentials::Client { id, .. }) => id,
            Ok(Credentials::Token(_)) => "token".to_owned(),
            Err(e) => e.to_string(),
        }))
    }

    /// A home directory, gone at the end of the test.
    struct Home(PathBuf);

    impl Drop for Home {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn home(text: &str) -> (Home, String) {
        let home = Home(crate::files::atomic::fresh_dir("rosterdiff-test-").unwrap());
        std::fs::create_dir(home.0.join(".gc")).unwrap();
        std::fs::write(home.0.join(".gc/config.toml"), text).unwrap();
        let path = home.0.display().to_string();
        (home, path)
    }

    #[test]
    fn no_credentials_or_half_of_them_count_as_none() {
        assert_eq!(usable(&[], None).unwrap(), None);
        assert_eq!(usable(&[(REGION, "mypurecloud.de")], None).unwrap(), None);
        assert_eq!(usable(&[(ID, "id")], None).unwrap(), None);
        assert_eq!(usable(&[("HOME", "/nonexistent")], None).unwrap(), None);
        let (_kept, home) = home("[other]\nclient_credentials = 'o'\nclient_secret = 's'\n");
        assert_eq!(usable(&[("HOME", &home)], None).unwrap(), None);
    }

    #[test]
    fn the_profile_asked_for_comes_before_the_environment_and_that_before_the_default() {
        let profile = |name: &str| format!("[{name}]\nclient_credentials = '{name}'\nclient_secret = 's'\n");
        let (_kept, home) = home(&[profile("default"), profile("other")].concat());
        let all = [("HOME", home.as_str()), (ID, "env"), (SECRET, "s")];
        assert_eq!(usable(&all, Some("Other")).unwrap().as_deref(), Some("other"));
        assert_eq!(usable(&all, None).unwrap().as_deref(), Some("env"));
        assert_eq!(usable(&all[..1], None).unwrap().as_deref(), Some("default"));
        // Half a source is not filled up from another.
        assert_eq!(usable(&all[..2], None).unwrap(), None);
        assert_eq!(usable(&[all[0], all[1], all[2], (TOKEN, "t")], None).unwrap().as_deref(), Some("token"));
    }

    #[test]
    fn a_proxy_that_is_asked_for_nothing_may_be_written_wrong() {
        let hosts = Hosts::of_region("eu-central-1").unwrap();
        let found = |except: &'static str| {
            let set = [("HTTPS_PROXY", "socks5://nowhere"), ("NO_PROXY", except)];
            let env = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            proxy(&hosts, &env, &Render::eventless(QUIET)).map(|proxy| proxy.is_some())
        };
        assert!(!found("*").unwrap() && !found("mypurecloud.de").unwrap());
        assert_eq!(found("api.mypurecloud.de").unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn a_profile_that_was_asked_for_and_is_not_there_is_an_error() {
        let (_kept, home) = home("[default]\naccess_token = 't'\n");
        let error = usable(&[("HOME", &home)], Some("prod")).unwrap_err();
        assert_eq!(error.kind(), Kind::Credentials);
        assert!(error.to_string().contains("prod") && error.to_string().contains("default"), "{error}");
        assert_eq!(usable(&[], Some("prod")).unwrap_err().kind(), Kind::Credentials);
        assert_eq!(usable(&[("HOME", "/nonexistent")], Some("prod")).unwrap_err().kind(), Kind::Credentials);
    }
}
