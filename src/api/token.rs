//! OAuth client credentials. A secret is held in memory only and prints as nothing.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::api::wire::{Host, Method, Request};

/// How to get a token.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// An OAuth client (client credentials grant): tokens are minted, and renewed in time.
    Client {
        /// OAuth client id.
        id: String,
        /// OAuth client secret.
        secret: SecretString,
    },
    /// A token that somebody else has minted. It cannot be renewed: when it is no longer accepted, the run ends.
    Token(SecretString),
}

/// A token to call with.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub secret: SecretString,
    /// When to mint the next one, on the client's clock.
    pub renew_at: Duration,
    /// When it is good for nothing any more.
    pub expires_at: Duration,
    /// Which minting this is: a 401 to an older one is no news.
    pub generation: u64,
}

#[derive(Deserialize)]
pub(super) struct TokenReply {
    pub access_token: String,
    pub expires_in: Option<u64>,
}

impl TokenReply {
    /// Renewed at 80 % of its life, so that no call meets the end of it; a day if the service does not say, and no longer
    /// than a year.
    pub(super) fn into_token(self, now: Duration, generation: u64) -> Token {
        let life = Duration::from_secs(self.expires_in.filter(|s| *s > 0).unwrap_or(86_400).min(365 * 86_400));
        let (renew_at, expires_at) = (now + life.mul_f64(0.8), now + life);
        Token { secret: self.access_token.into(), renew_at, expires_at, generation }
    }
}

impl Credentials {
    /// The credentials of an OAuth client.
    #[must_use]
    pub fn client(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self::Client { id: id.into(), secret: secret.into() }
    }

    /// `POST /oauth/token`, `grant_type=client_credentials`, Basic authorization.
    pub(super) fn request(id: &str, secret: &SecretString) -> Request {
        let pair = format!("{id}:{}", secret.expose_secret());
        let mut request = Request::new(Host::Login, Method::Post, "/oauth/token");
        request.headers = vec![
            ("authorization".to_owned(), format!("Basic {}", base64(pair.as_bytes()))),
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ];
        request.body = b"grant_type=client_credentials".to_vec();
        request
    }
}

impl Token {
    /// A token that is never renewed.
    pub(super) fn given(secret: &SecretString) -> Self {
        Self { secret: secret.clone(), renew_at: Duration::MAX, expires_at: Duration::MAX, generation: 0 }
    }

    pub(super) fn header(&self) -> (String, String) {
        ("authorization".to_owned(), format!("Bearer {}", self.secret.expose_secret()))
    }
}

/// RFC 4648 with padding: one header needs it.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= group.len() { letter as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Credentials, base64};

    #[test]
    fn credentials_print_as_nothing() {
        let (client, token) = (Credentials::client("client", "canary"), Credentials::Token("canary".into()));
        assert!(!format!("{client:?} {token:?}").contains("canary"));
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
