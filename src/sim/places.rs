//! The organisation itself: who it is, what it allows, how it is divided.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal, body};
use super::codec::uuid;
use super::org::{Call, Org};
use super::page::{Listing, Params, slice};
use super::settings::Settings;

const DIVISIONS: &str = "/api/v2/authorization/divisions";
/// The one namespace of limits this simulator knows.
const NAMESPACE: &str = "platform.api";

impl Settings {
    /// Id of the division of that number.
    #[must_use]
    pub fn division_id(&self, number: usize) -> String {
        uuid(self.seed, "division", number as u64)
    }

    /// Id of the organisation.
    #[must_use]
    pub fn org_id(&self) -> String {
        uuid(self.seed, "organisation", 0)
    }

    /// At least one: an organisation has a home division.
    pub(super) fn division_ids(&self) -> impl Iterator<Item = String> {
        (0..self.divisions.len().max(1)).map(|number| self.division_id(number))
    }

    /// Ids of the divisions that this client may see; none if it may see all.
    pub(super) fn shown_divisions(&self) -> Option<Vec<String>> {
        self.divisions_shown.map(|n| self.division_ids().take(n).collect())
    }

    /// Most organisations have one division: only the others are looked up by id.
    pub(super) fn division_name(&self, id: &str) -> &str {
        let number = if self.divisions.len() > 1 { self.division_ids().position(|known| known == id) } else { Some(0) };
        number.and_then(|number| self.divisions.get(number)).map_or("Home", String::as_str)
    }

    /// The limit of a token, scaled to a minute.
    pub(super) fn rate_per_minute(&self) -> u64 {
        let window_ms = self.rate_window.as_millis().max(1);
        u64::try_from(u128::from(self.rate_allowed) * 60_000 / window_ms).unwrap_or(u64::MAX)
    }
}

impl Org {
    pub(super) fn me(&self) -> Vec<u8> {
        body(&json!({
            "id": self.settings.org_id(),
            "name": self.settings.org_name,
            "defaultLanguage": "en-us",
            "defaultCountryCode": "US",
            "thirdPartyOrgName": "simulated",
            "domain": "simulated",
            "version": 1,
            "state": "active",
            "features": {},
            "productPlatform": "GenesysCloud",
            "selfUri": "/api/v2/organizations/me",
        }))
    }

    pub(super) fn limits(&self, namespace: &str, per_minute: u64) -> Answer {
        if namespace != NAMESPACE || !self.settings.limits_shown {
            return Err(Refusal::not_found(namespace));
        }
        let limit = |(key, value): (&str, u64)| json!({"key": key, "namespace": NAMESPACE, "value": value});
        let limits = [
            ("client.credentials.token.rate.per.minute", per_minute),
            ("token.rate.per.minute", per_minute),
            ("org.app.user.rate.per.minute", self.settings.org_rate_allowed.map_or(3_000, u64::from)),
            ("org.user.rate.per.minute", 3_000),
            ("request.bytes.max", self.settings.body_octets_max as u64),
        ];
        Ok(body(&json!({"entities": limits.map(limit)})))
    }

    pub(super) fn home_division(&self) -> Vec<u8> {
        body(&self.division_shape(0))
    }

    pub(super) fn divisions(&self, call: Call<'_>) -> Answer {
        let params = Params(&call.request.query);
        let size = params.page_size(self.settings.page_size_max, self.settings.page_size_capped)?;
        let number = params.page_number()?;
        let name = params.one("name").map(str::to_lowercase);
        let named = |at: &usize| {
            let own = self.settings.divisions.get(*at).map_or("home".to_owned(), |name| name.to_lowercase());
            name.as_ref().is_none_or(|name| own.contains(name))
        };
        let all: Vec<usize> = (0..self.settings.divisions.len().max(1)).filter(named).collect();
        let entities = slice(&all, size, number, false).into_iter().map(|at| self.division_shape(at)).collect();
        Ok(body(&Listing::new(entities, all.len(), DIVISIONS, params, size, number)))
    }

    fn division_shape(&self, number: usize) -> Value {
        let id = self.settings.division_id(number);
        json!({
            "id": id,
            "name": self.settings.division_name(&id),
            "description": "",
            "homeDivision": number == 0,
            "selfUri": format!("{DIVISIONS}/{id}"),
        })
    }
}
