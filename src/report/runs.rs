//! The section about runs: the picture, what it means, and the same in numbers.

use super::bars::legend;
use super::facts::{Facts, Stand};
use super::html::Html;
use super::story::{Drawn, Run};
use super::{timeline, times, words};
use crate::number::Number;

/// Runs that are told; of more the last.
const TOLD_MAX: usize = 50;

/// Writes how the runs went.
pub fn write(html: &mut Html, facts: &Facts) {
    let runs = &facts.story.runs;
    if runs.is_empty() {
        html.raw("<p>No run has begun: nothing was sent.</p>");
        return;
    }
    let drawn = facts.story.drawn();
    html.raw("<figure>");
    timeline::draw(html, &facts.story, &drawn, timeline::WIDE);
    timeline::draw(html, &facts.story, &drawn, timeline::NARROW);
    html.raw("<figcaption>");
    caption(html, facts, &drawn);
    html.raw("</figcaption></figure>");
    let is_changing = runs.iter().any(|run| run.sum.changed > 0);
    let mut entries = vec![("k-created", "created or adopted"), ("k-refused", "taken or refused")];
    entries.extend(is_changing.then_some(("k-removed", "deleted again, restored")));
    entries.extend(runs.iter().any(|run| !run.allowed.is_empty()).then_some(("allowed", "allowed")));
    entries.extend(runs.iter().any(|run| !run.waits.is_empty()).then_some(("wait", "nothing left: waited")));
    entries.extend(runs.iter().any(|run| run.sum.throttled > 0).then_some(("throttled", "throttled (429)")));
    entries.extend(runs.iter().any(|run| run.sum.lost > 0).then_some(("lost", "reply lost")));
    legend(html, &entries);
    table(html, facts);
}

fn caption(html: &mut Html, facts: &Facts, drawn: &Drawn) {
    let runs = &facts.story.runs;
    html.raw("A column is ")
        .text(times::span(drawn.step_s.unsigned_abs()))
        .raw(", told as calls a minute; times are UTC.");
    if runs.len() > 1 {
        html.raw(" The time between runs is left out.");
    }
    if drawn.skipped > 0 {
        html.raw(" The first ").text(Number(drawn.skipped as u64)).raw(" runs are not drawn.");
    }
    if runs.iter().all(|run| run.allowed.is_empty()) {
        html.raw(" What was allowed is not in this journal.");
    }
}

fn table(html: &mut Html, facts: &Facts) {
    let runs = &facts.story.runs;
    html.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Runs\"><table><thead><tr><th scope=\"col\" class=\"n\">Run");
    html.raw("<th scope=\"col\">Began<th scope=\"col\" class=\"n\">Took<th scope=\"col\">It…<th scope=\"col\" class=\"n\">Created");
    html.raw("<th scope=\"col\" class=\"n\">Taken, refused<th scope=\"col\" class=\"n\">Deleted, restored<th scope=\"col\" class=\"n\">");
    html.raw("Replies lost<th scope=\"col\" class=\"n\">429<th scope=\"col\" class=\"n\">Waited<th scope=\"col\" class=\"n\">A minute");
    html.raw("<th scope=\"col\" class=\"n\">Allowed</thead><tbody>");
    let skip = runs.len().saturating_sub(TOLD_MAX);
    for (at, run) in runs.iter().enumerate().skip(skip) {
        let is_at_work = facts.stand == Stand::AtWork && at + 1 == runs.len();
        line(html, at + 1, run, is_at_work);
    }
    html.raw("</tbody></table></div>");
    if skip > 0 {
        html.raw("<p class=\"note\">The first ").text(Number(skip as u64)).raw(" runs are left out.</p>");
    }
}

fn line(html: &mut Html, number: usize, run: &Run, is_at_work: bool) {
    let sum = &run.sum;
    html.raw("<tr><th scope=\"row\" class=\"n\">").text(number).raw("<td>").text(times::date(run.begun)).raw(" ");
    html.text(times::clock(run.begun, true)).raw("<td class=\"n\">").text(times::span(run.seconds())).raw("<td>");
    html.text(words::ending(run.why.as_deref(), is_at_work));
    for n in [sum.created, sum.other + run.found, sum.changed, sum.lost, sum.throttled] {
        html.raw(if n == 0 { "<td class=\"n zero\">" } else { "<td class=\"n\">" }).text(Number(n));
    }
    let waited: i64 = run.waits.iter().map(|wait| wait.ended - wait.begun).sum();
    html.raw("<td class=\"n\">").text(times::span(u64::try_from(waited).unwrap_or(0))).raw("<td class=\"n\">");
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = sum.calls() as f64 * 60.0 / run.seconds() as f64;
    html.text(timeline::rate_text(rate)).raw("<td class=\"n\">").text(timeline::told(run));
    html.raw(if run.is_capped { " (capped)" } else { "" });
}
