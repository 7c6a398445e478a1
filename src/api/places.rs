//! The calls about the organisation itself: who it is, how it is divided, what it allows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::api::client::Client;
use crate::api::fate::{Fate, Words};
use crate::api::shapes::{DivisionBody, DivisionListing, LimitListing};
use crate::api::users::get;
use crate::api::wire::Wire;
use crate::error::Result;
use crate::person::Division;

/// Divisions asked for per page; the default of 25 would take four times the calls.
const DIVISION_PAGE_SIZE: u32 = 100;
/// Limits that hold for a token, the first one known.
const RATE_KEYS: [&str; 2] = ["client.credentials.token.rate.per.minute", "token.rate.per.minute"];
/// Pages of divisions that are read.
const DIVISION_PAGES_MAX: u32 = 100;

/// The organisation that a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Organisation {
    /// Its id: snapshots, plans and runs are bound to it.
    pub id: String,
    /// Its name, for people.
    #[serde(default)]
    pub name: Option<String>,
}

impl Organisation {
    /// Its name in quotes, or its id: for people.
    #[must_use]
    pub fn shown(&self) -> String {
        self.name.as_ref().map_or_else(|| self.id.clone(), |name| format!("\"{name}\""))
    }
}

impl<W: Wire> Client<W> {
    /// `GET /api/v2/organizations/me`.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn organisation(self: &Arc<Self>) -> Result<Organisation> {
        let call = "GET organizations/me";
        let reply = self.read(call, &get("/api/v2/organizations/me", &[])).await?;
        reply.map_err(|words| Fate::Refused(words).into_error(call))
    }

    /// `GET /api/v2/authorization/divisions`: all of them. The inner error is the service's refusal, a missing
    /// permission included.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn divisions(self: &Arc<Self>) -> Result<Result<Vec<Division>, Words>> {
        let mut all = Vec::new();
        let mut n_listed = 0;
        for number in 1..=DIVISION_PAGES_MAX {
            let query = [("pageSize", DIVISION_PAGE_SIZE.to_string()), ("pageNumber", number.to_string())];
            let request = get("/api/v2/authorization/divisions", &query);
            let page = match self.read_optional::<DivisionListing>("GET authorization/divisions", &request).await? {
                Ok(page) => page,
                Err(words) => return Ok(Err(words)),
            };
            let n_page = page.entities.len() as u64;
            n_listed += n_page;
            all.extend(page.entities.into_iter().flatten().filter_map(DivisionBody::into_division));
            if n_page == 0 || page.total.is_some_and(|total| total <= n_listed) {
                break;
            }
        }
        Ok(Ok(all))
    }

    /// `GET /api/v2/organizations/limits/namespaces/platform.api`: limits by key, such as `token.rate.per.minute`. The
    /// inner error is the service's refusal.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn limits(self: &Arc<Self>) -> Result<Result<BTreeMap<String, u64>, Words>> {
        let request = get("/api/v2/organizations/limits/namespaces/platform.api", &[]);
        let listing = self.read_optional::<LimitListing>("GET organizations/limits", &request).await?;
        Ok(listing.map(|listing| {
            let limits = listing.entities.into_iter().flatten();
            limits.filter_map(|limit| Some((limit.key?, limit.value?))).collect()
        }))
    }

    /// Asks the limits endpoint, once, what replies without rate headers do not say, and takes it for true as long as no
    /// header speaks. The calls a minute that are taken for true now; none where there was nothing to ask, or where the
    /// service does not say: then nothing changes.
    pub async fn learn_limits(self: &Arc<Self>) -> Option<u32> {
        if !self.lacks_limits() {
            return None;
        }
        // What ends a run ends it at the next call, too.
        let limits = self.limits().await.ok()?.ok()?;
        let per_min = RATE_KEYS.iter().find_map(|key| limits.get(*key))?;
        let per_min = u32::try_from(*per_min).ok().filter(|per_min| *per_min > 0)?;
        self.assume(per_min);
        Some(per_min)
    }
}
