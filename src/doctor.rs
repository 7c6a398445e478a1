//! What a run would meet: one organisation, asked with reads alone.
//!
//! What the service does is undocumented in places (where listings stop, how many values a search takes, whether it
//! sends rate headers): here it is asked before anybody waits for it. The one thing that no read can tell is whether the
//! client may create users.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::wire::Wire;
use crate::api::{Client, Organisation, PAGE_SIZES, Seen, Words};
use crate::error::{Error, Kind, Result};
use crate::person::State;
use crate::plan::Sought;
use crate::probe::probe;
use crate::snapshot::{Probe, TOTAL_DOUBTED};

/// Addresses that nobody can have (RFC 2606), to learn how many a search takes.
const INVENTED: u32 = 100;

/// What the listing of one state does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The state.
    pub state: State,
    /// Users that it promises, if it says.
    pub total: Option<u64>,
    /// Whether it refuses to page beyond 10,000; none if there are not so many.
    pub capped: Option<bool>,
}

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// Who is at the other end.
    pub organisation: Organisation,
    /// What the listings do; the error is a missing permission.
    pub listings: Result<Vec<Listed>>,
    /// Page size that the service really uses when asked for 500.
    pub page_size: u32,
    /// Whether the cursor listing works; the words are its refusal.
    pub cursor: Result<(), Words>,
    /// What a search does; the error is a missing permission.
    pub search: Result<Probe>,
    /// Divisions that the client may see; the words are the refusal.
    pub n_divisions: Result<usize, Words>,
    /// The organisation's limits by key; the words are the refusal.
    pub limits: Result<BTreeMap<String, u64>, Words>,
    /// What the headers of all these replies said.
    pub seen: Seen,
}

/// Asks.
///
/// # Errors
/// `Credentials` if the client cannot even log in, `Unreachable`. A missing permission is a finding.
pub async fn examine<W: Wire>(client: &Arc<Client<W>>) -> Result<Findings> {
    let organisation = client.organisation().await?;
    let mut page_size = PAGE_SIZES[0];
    let mut listings = Ok(Vec::new());
    for state in State::ALL {
        let listed = found(list(client, state, &mut page_size).await)?;
        match (listed, &mut listings) {
            (Ok(listed), Ok(all)) => all.push(listed),
            (Err(missing), _) => listings = Err(missing),
            (Ok(_), Err(_)) => {}
        }
        if listings.is_err() {
            break;
        }
    }
    let sought: Vec<Sought> = (0..INVENTED)
        .map(|n| format!("nobody-{n}@rosterdiff.invalid"))
        .map(|key| Sought { row: 0, address: key.clone(), key })
        .collect();
    let search = found(probe(client, &sought, |_| {}).await)?.map(|probed| probed.proof);
    Ok(Findings {
        organisation,
        listings,
        page_size,
        cursor: client.cursor_page(State::Active, None, page_size).await?.map(drop),
        search,
        n_divisions: client.divisions().await?.map(|all| all.len()),
        limits: client.limits().await?,
        seen: client.seen(),
    })
}

/// A missing permission is a finding; anything else ends the examination.
fn found<T>(asked: Result<T>) -> Result<Result<T>> {
    match asked {
        Err(e) if e.kind() == Kind::Credentials => Ok(Err(e)),
        Err(e) => Err(e),
        Ok(value) => Ok(Ok(value)),
    }
}

async fn list<W: Wire>(client: &Arc<Client<W>>, state: State, page_size: &mut u32) -> Result<Listed> {
    let mut asked = client.page(state, 1, *page_size).await?;
    for smaller in PAGE_SIZES.into_iter().filter(|size| *size < *page_size) {
        if asked.is_err() {
            asked = client.page(state, 1, smaller).await?;
        }
    }
    let page = asked.map_err(|words| refused(state, &words))?;
    *page_size = page.page_size;
    let beyond = page.total.filter(|total| *total >= TOTAL_DOUBTED);
    let capped = match beyond {
        Some(_) => {
            let number = u32::try_from(TOTAL_DOUBTED).unwrap_or(u32::MAX) / page.page_size + 1;
            Some(client.page(state, number, page.page_size).await?.is_err())
        }
        None => None,
    };
    Ok(Listed { state, total: page.total, capped })
}

fn refused(state: State, words: &Words) -> Error {
    let code = words.code.as_deref().unwrap_or("no code");
    Error::new(Kind::Unreachable, format!("GET users, {state}: HTTP {} ({code})", words.status))
        .hint("the service refuses to list these users")
}

/// How fast calls may leave, and how long that makes a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Calls per minute and token.
    pub per_min: f64,
    /// Most calls per minute over all tokens, if somebody wants it so.
    pub per_min_max: Option<f64>,
}

impl Findings {
    /// The rate from the headers, else from the limits, else the documented default.
    #[must_use]
    pub fn forecast(&self, per_min_max: Option<f64>) -> Forecast {
        let by_header = self.seen.allowed.zip(self.seen.window_s).map(|(allowed, window_s)| {
            // Sometimes a second more is told than a window has: 61 is a minute.
            let window_s = if window_s == 61 { 60 } else { window_s.max(1) };
            f64::from(allowed) * 60.0 / f64::from(window_s)
        });
        let by_header = by_header.or_else(|| self.seen.allowed.map(f64::from));
        let limit = |key: &str| self.limits.as_ref().ok().and_then(|l| l.get(key)).copied();
        let by_limit = limit("client.credentials.token.rate.per.minute").or_else(|| limit("token.rate.per.minute"));
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let per_min = by_header.or_else(|| by_limit.map(|n| n as f64)).unwrap_or(Forecast::PER_MIN_DEFAULT);
        Forecast { per_min, per_min_max }
    }

    /// Calls that a snapshot takes, the cursor's where listings stop included.
    #[must_use]
    pub fn snapshot_calls(&self) -> u64 {
        let pages = |total: u64| total.div_ceil(u64::from(self.page_size)).max(1);
        let of = |listed: &Listed| {
            let total = listed.total.unwrap_or(0);
            let walked = if listed.capped == Some(true) && self.cursor.is_ok() { pages(total) } else { 0 };
            let listable = if listed.capped == Some(true) { total.min(TOTAL_DOUBTED) } else { total };
            pages(listable) + 1 + walked
        };
        // Two more say who it is and how it is divided.
        self.listings.as_ref().map_or(0, |all| all.iter().map(of).sum::<u64>() + 2)
    }
}

impl Forecast {
    /// Calls a minute and token where the service says nothing: the documented default.
    pub const PER_MIN_DEFAULT: f64 = 300.0;

    /// Calls a minute of that many tokens.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
    pub fn all_per_min(&self, n_tokens: u64) -> u64 {
        self.rate(n_tokens).round() as u64
    }

    #[expect(clippy::cast_precision_loss, reason = "a handful of tokens")]
    fn rate(&self, n_tokens: u64) -> f64 {
        let allowed = self.per_min * n_tokens.max(1) as f64;
        self.per_min_max.map_or(allowed, |most| most.min(allowed))
    }

    /// Seconds that so many calls take with so many tokens.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a forecast"
    )]
    pub fn seconds(&self, calls: u64, n_tokens: u64) -> u64 {
        (calls as f64 * 60.0 / self.rate(n_tokens)).ceil() as u64
    }
}
