//! Query parameters and the envelope of a page.

use serde::Serialize;

use super::answer::Refusal;
use super::codec::escape;

/// `pageSize` where none is asked for.
pub(super) const PAGE_SIZE: u32 = 25;

/// The query of one request.
#[derive(Clone, Copy)]
pub(super) struct Params<'a>(pub(super) &'a [(String, String)]);

impl<'a> Params<'a> {
    pub(super) fn one(self, name: &str) -> Option<&'a str> {
        self.every(name).next()
    }

    /// A list, given by repeating the name (the spec) or joined by commas (the official command line).
    pub(super) fn all(self, name: &str) -> Vec<&'a str> {
        self.every(name).flat_map(|value| value.split(',')).filter(|part| !part.is_empty()).collect()
    }

    /// All values of a name.
    pub(super) fn every(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// A whole number from 1 on.
    fn number(self, name: &str, default: u32) -> Result<u32, Refusal> {
        let Some(text) = self.one(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|n| *n > 0);
        number.ok_or_else(|| Refusal::invalid_value(text, name, "whole numbers from 1").field(name))
    }

    pub(super) fn page_number(self) -> Result<u32, Refusal> {
        self.number("pageNumber", 1)
    }

    pub(super) fn page_size(self, max: u32, capped: bool) -> Result<u32, Refusal> {
        page_size(self.number("pageSize", PAGE_SIZE)?, max, capped)
    }

    /// `sortOrder`: whether it is descending. The default of the spec is not in its own list, so both spellings count.
    pub(super) fn descending(self) -> Result<bool, Refusal> {
        let text = self.one("sortOrder").unwrap_or("ASC");
        match text.to_ascii_lowercase().as_str() {
            "asc" | "ascending" => Ok(false),
            "desc" | "descending" => Ok(true),
            _ => Err(Refusal::invalid_value(text, "sortOrder", "[ascending, descending]").field("sortOrder")),
        }
    }

    /// Everything but the page, as the links of a page repeat it.
    fn rest(self, left_out: &[&str]) -> String {
        let kept = self.0.iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
        kept.map(|(name, value)| format!("&{}={}", escape(name), escape(value))).collect()
    }

    /// Link to a page of a listing.
    pub(super) fn page_uri(self, path: &str, size: u32, number: u32) -> String {
        format!("{path}?pageSize={size}&pageNumber={number}{}", self.rest(&["pageSize", "pageNumber"]))
    }

    /// Link to a page of a walk.
    pub(super) fn cursor_uri(self, path: &str, size: u32, cursor: Option<&str>) -> String {
        let cursor = cursor.map(|cursor| format!("&cursor={}", escape(cursor))).unwrap_or_default();
        format!("{path}?pageSize={size}{cursor}{}", self.rest(&["pageSize", "cursor"]))
    }
}

/// Checks a page size, or lowers it in silence.
pub(super) fn page_size(asked: u32, max: u32, capped: bool) -> Result<u32, Refusal> {
    if asked <= max || capped {
        return Ok(asked.min(max));
    }
    Err(Refusal::invalid_value(&asked.to_string(), "pageSize", &format!("1 to {max}")).field("pageSize"))
}

pub(super) const fn page_count(total: usize, size: u32) -> u32 {
    total.div_ceil(size as usize) as u32
}

/// The entries of one page, `numbers` being all of them in ascending order.
pub(super) fn slice<T: Copy>(numbers: &[T], size: u32, number: u32, descending: bool) -> Vec<T> {
    let first = (size as usize).saturating_mul(number as usize - 1).min(numbers.len());
    let last = first.saturating_add(size as usize).min(numbers.len());
    if descending {
        let n = numbers.len();
        return numbers[n - last..n - first].iter().rev().copied().collect();
    }
    numbers[first..last].to_vec()
}

/// `UserEntityListing` and its like.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing<T> {
    entities: Vec<T>,
    page_size: u32,
    page_number: u32,
    total: usize,
    first_uri: String,
    previous_uri: Option<String>,
    next_uri: Option<String>,
    last_uri: String,
    self_uri: String,
    page_count: u32,
}

impl<T> Listing<T> {
    pub(super) fn new(entities: Vec<T>, total: usize, path: &str, params: Params<'_>, size: u32, number: u32) -> Self {
        let count = page_count(total, size);
        let uri = |n| params.page_uri(path, size, n);
        Self {
            entities,
            page_size: size,
            page_number: number,
            total,
            first_uri: uri(1),
            previous_uri: (number > 1).then(|| uri(number - 1)),
            next_uri: (number < count).then(|| uri(number + 1)),
            last_uri: uri(count.max(1)),
            self_uri: uri(number),
            page_count: count,
        }
    }
}
