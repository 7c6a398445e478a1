//! Bars in cells of tables, and what the ways of drawing mean.

use super::html::Html;
use crate::plan::Verdict;

/// Length of the longest bar.
const LENGTH: f64 = 200.0;
/// A part that is not nothing is seen.
const VISIBLE_MIN: f64 = 2.0;

/// A bar of parts beside each other, for a table in which the longest is `max`. The table says the same in numbers.
pub fn bar(html: &mut Html, parts: &[(&'static str, u64)], max: u64) {
    html.raw("<svg class=\"bar\" viewBox=\"0 0 200 14\" preserveAspectRatio=\"xMinYMid\" aria-hidden=\"true\">");
    let mut x = 0.0;
    for (class, n) in parts.iter().filter(|(_, n)| *n > 0) {
        #[expect(clippy::cast_precision_loss, reason = "a picture")]
        let width = (LENGTH * *n as f64 / max.max(1) as f64).max(VISIBLE_MIN).min(LENGTH - x);
        html.raw("<rect").attr("class", class).length("x", x).raw(" y=\"1\"").length("width", width);
        html.raw(" height=\"12\"/>");
        x += width;
    }
    html.raw("</svg>");
}

/// How rows of a verdict are drawn.
#[must_use]
pub const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::New => "k-new",
        Verdict::Present => "k-present",
        Verdict::Deleted => "k-deleted",
        Verdict::Duplicate => "k-duplicate",
        Verdict::Invalid => "k-invalid",
    }
}

/// What the ways of drawing mean.
pub fn legend(html: &mut Html, entries: &[(&'static str, &'static str)]) {
    html.raw("<ul class=\"legend\">");
    for (class, word) in entries {
        html.raw("<li><svg viewBox=\"0 0 18 14\" aria-hidden=\"true\">");
        match *class {
            "allowed" => html.raw("<path class=\"allowed\" d=\"M0 7H18\"/>"),
            "throttled" => html.raw("<path class=\"throttled\" d=\"M4 3h9l-4.5 8z\"/>"),
            "lost" => html.raw("<path class=\"lost\" d=\"M5 3l8 8m0 -8l-8 8\"/>"),
            class => html.raw("<rect").attr("class", class).raw(" x=\"1\" y=\"1\" width=\"16\" height=\"12\"/>"),
        };
        html.raw("</svg>").raw(word).raw("</li>");
    }
    html.raw("</ul>");
}

/// The patterns that tell fills apart without colour.
pub fn patterns(html: &mut Html) {
    html.raw(
        "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\" focusable=\"false\"><defs>\
         <pattern id=\"p-up\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect class=\"p-back\" width=\"6\" height=\"6\"/>\
         <path class=\"p-line\" d=\"M-1 7L7 -1M-1 1L1 -1M5 7L7 5\"/></pattern>\
         <pattern id=\"p-down\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect class=\"p-back p-warm\" width=\"6\" height=\"6\"/>\
         <path class=\"p-line p-warm\" d=\"M-1 -1L7 7M5 -1L7 1M-1 5L1 7\"/></pattern>\
         <pattern id=\"p-dots\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect class=\"p-back\" width=\"6\" height=\"6\"/>\
         <circle class=\"p-dot\" cx=\"2\" cy=\"2\" r=\"1.1\"/><circle class=\"p-dot\" cx=\"5\" cy=\"5\" r=\"1.1\"/></pattern>\
         <pattern id=\"p-cross\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect class=\"p-back p-amber\" width=\"6\" height=\"6\"/>\
         <path class=\"p-line p-amber\" d=\"M0 3H6M3 0V6\"/></pattern>\
         <pattern id=\"p-accent\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect class=\"p-back p-blue\" width=\"6\" height=\"6\"/>\
         <path class=\"p-line p-blue\" d=\"M0 3H6\"/></pattern></defs></svg>",
    );
}
