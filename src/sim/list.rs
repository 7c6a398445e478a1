//! `GET /api/v2/users`, page by page, and `GET /api/v2/users/query`, by cursor.

use serde::Serialize;

use super::answer::{Answer, Refusal, body};
use super::codec::{base64, digest, unbase64};
use super::org::{Call, Org};
use super::page::{Listing, Params, slice};
use super::settings::Settings;
use super::user::{EXPANSIONS, Expand, Shape};
use super::view::{At, Filter, View};

const USERS: &str = "/api/v2/users";
const QUERY: &str = "/api/v2/users/query";
/// Most `id` in one listing (error code `max.user.ids`).
const IDS_MAX: usize = 100;
/// What the two endpoints know: the listing all but the last, the cursor all but the first three.
const PARAMS: [&str; 10] = [
    "pageNumber",
    "id",
    "jabberId",
    "pageSize",
    "sortOrder",
    "expand",
    "integrationPresenceSource",
    "userCustomAttributeSchemaIds",
    "state",
    "cursor",
];

/// The `state` that a query asks for; active if it does not say.
pub(super) fn filter_of(params: Params<'_>) -> Result<Filter, Refusal> {
    let text = params.one("state").unwrap_or("active");
    Filter::parse(text)
        .ok_or_else(|| Refusal::invalid_value(text, "state", "[active, inactive, deleted, any]").field("state"))
}

/// `id`, or `jabberId`: the id without its dashes, at the organisation's chat domain.
fn wanted_ids(params: Params<'_>) -> Vec<String> {
    let plain = params.all("id").into_iter().map(str::to_owned);
    plain.chain(params.all("jabberId").into_iter().map(id_of_jabber)).collect()
}

fn id_of_jabber(jabber_id: &str) -> String {
    let id = jabber_id.split('@').next().unwrap_or_default();
    let part = |range| id.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..id.len().max(20))].join("-")
}

impl Org {
    pub(super) fn list(&mut self, call: Call<'_>) -> Answer {
        let params = Params(&call.request.query);
        self.note_unknown("GET /api/v2/users", &PARAMS[..9], params.names());
        self.note_unknown("GET /api/v2/users expand", &EXPANSIONS, params.all("expand").into_iter());
        let filter = filter_of(params)?;
        let size = params.page_size(self.settings.page_size_max, self.settings.page_size_capped)?;
        let number = params.page_number()?;
        let descending = params.descending()?;
        let ids = wanted_ids(params);
        if ids.len() > IDS_MAX {
            return Err(Refusal::new(400, "max.user.ids", "Only 100 users can be requested at a time."));
        }
        let cap = self.settings.page_cap.of(filter).filter(|_| ids.is_empty());
        if cap.is_some_and(|cap| u64::from(size) * u64::from(number) > u64::from(cap)) {
            return Err(Refusal::bad_request("The requested page is beyond the number of results that can be paged."));
        }
        let some = (!ids.is_empty()).then(|| self.store.numbers(ids.iter().map(String::as_str)));
        let view = self.store.listing(call.now);
        let divisions = self.settings.shown_divisions();
        let some = some.or_else(|| divisions.as_ref().map(|_| view.index(filter).to_vec()));
        let some = some.map(|numbers| shown(view, numbers, filter, divisions.as_deref()));
        let numbers = some.as_deref().unwrap_or_else(|| view.index(filter));
        let page = slice(numbers, size, number, descending);
        let entities = shapes(view, &page, &self.settings, Expand::asked(params));
        let total = self.settings.totals_stop_at.map_or(numbers.len(), |most| numbers.len().min(most as usize));
        Ok(body(&Listing::new(entities, total, USERS, params, size, number)))
    }

    /// The cursor. It has no total and no page number: a walk ends where no cursor comes back.
    pub(super) fn walk(&mut self, call: Call<'_>) -> Answer {
        if !self.settings.cursor {
            return Err(Refusal::not_found(QUERY));
        }
        // "No division filtering available so directory:user:view permission for all divisions is required."
        if self.settings.cursor_forbidden || self.settings.divisions_shown.is_some() {
            let text = "Unable to perform the requested action. You are missing the following permission(s): \
                        directory:user:view";
            return Err(Refusal::new(403, "missing.permissions", text).param("permissions", "directory:user:view"));
        }
        let params = Params(&call.request.query);
        self.note_unknown("GET /api/v2/users/query", &PARAMS[3..], params.names());
        self.note_unknown("GET /api/v2/users/query expand", &EXPANSIONS, params.all("expand").into_iter());
        let size = params.page_size(self.settings.page_size_max, self.settings.page_size_capped)?;
        let now = call.now.as_millis();
        let fresh = Cursor { filter: filter_of(params)?, descending: params.descending()?, last: None, made_ms: now };
        let lifetime_ms = self.settings.cursor_lifetime.map(|lifetime| lifetime.as_millis());
        let is_good = |cursor: &Cursor| lifetime_ms.is_none_or(|lifetime| now < cursor.made_ms + lifetime);
        let cursor = match params.one("cursor").filter(|text| !text.is_empty()) {
            Some(text) => Cursor::open(text, self.settings.seed)
                .filter(is_good)
                .ok_or_else(|| Refusal::bad_request("The cursor is not valid.").field("cursor"))?,
            None => fresh,
        };
        let view = self.store.listing(call.now);
        let numbers = first(view.index(cursor.filter), self.settings.cursor_cap, cursor.descending);
        let (page, more) = cursor.page(numbers, size);
        let next = Cursor { last: page.last().copied(), made_ms: now, ..cursor };
        let next = more.then(|| next.seal(self.settings.seed));
        Ok(body(&CursorListing {
            entities: shapes(view, &page, &self.settings, Expand::asked(params)),
            next_uri: next.as_deref().map(|next| params.cursor_uri(QUERY, size, Some(next))),
            self_uri: params.cursor_uri(QUERY, size, params.one("cursor")),
            results: page.len(),
            cursor: next,
        }))
    }
}

/// As many as a walk in that direction comes to.
fn first(numbers: &[At], cap: Option<u32>, descending: bool) -> &[At] {
    let n = cap.map_or(numbers.len(), |cap| numbers.len().min(cap as usize));
    if descending { &numbers[numbers.len() - n..] } else { &numbers[..n] }
}

fn shown(view: &View, numbers: Vec<At>, filter: Filter, divisions: Option<&[String]>) -> Vec<At> {
    let admitted = |at: &At| {
        view.get(*at)
            .is_some_and(|user| filter.admits(user.state) && divisions.is_none_or(|d| d.contains(&user.division_id)))
    };
    numbers.into_iter().filter(admitted).collect()
}

fn shapes<'a>(view: &'a View, page: &[At], settings: &'a Settings, expand: Expand) -> Vec<Shape<'a>> {
    let users = page.iter().filter_map(|at| view.get(*at));
    users.map(|user| user.shape(settings.division_name(&user.division_id), expand)).collect()
}

/// `UserCursorEntityListing`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CursorListing<'a> {
    entities: Vec<Shape<'a>>,
    next_uri: Option<String>,
    self_uri: String,
    results: usize,
    cursor: Option<String>,
}

/// Where a walk is: after which user, and what it asked for at its start.
#[derive(Clone, Copy)]
struct Cursor {
    filter: Filter,
    descending: bool,
    last: Option<At>,
    /// When it was handed out, since the simulator started.
    made_ms: u128,
}

impl Cursor {
    /// The next page, and whether there is another after it.
    fn page(self, numbers: &[At], size: u32) -> (Vec<At>, bool) {
        let size = size as usize;
        if self.descending {
            let end = self.last.map_or(numbers.len(), |last| numbers.partition_point(|at| *at < last));
            let start = end.saturating_sub(size);
            return (numbers[start..end].iter().rev().copied().collect(), start > 0);
        }
        let start = self.last.map_or(0, |last| numbers.partition_point(|at| *at <= last));
        let end = (start + size).min(numbers.len());
        (numbers[start..end].to_vec(), end < numbers.len())
    }

    fn plain(self) -> String {
        format!("{} {} {} {}", self.filter.as_str(), self.descending, self.last.unwrap_or(0), self.made_ms)
    }

    /// Opaque on purpose: a client that looks inside should find nothing it understands by chance.
    fn seal(self, seed: u64) -> String {
        let plain = self.plain();
        base64(format!("{} {plain}", mark(seed, &plain)).as_bytes())
    }

    fn open(text: &str, seed: u64) -> Option<Self> {
        let text = String::from_utf8(unbase64(text)?).ok()?;
        let (given, plain) = text.split_once(' ')?;
        let mut parts = plain.split(' ');
        let cursor = Self {
            filter: Filter::parse(parts.next()?)?,
            descending: parts.next()? == "true",
            last: Some(parts.next()?.parse().ok()?),
            made_ms: parts.next()?.parse().ok()?,
        };
        (given == mark(seed, plain)).then_some(cursor)
    }
}

fn mark(seed: u64, plain: &str) -> String {
    digest(seed, plain, 0)[..8].to_owned()
}
