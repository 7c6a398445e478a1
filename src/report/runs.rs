//! The section about runs: the picture, what it means, and the same in numbers.

use super::bars::legend;
use super::facts::{Facts, Stand};
use super::html::Html;
use super::story::{Bin, Drawn, Run};
use super::{timeline, times, words};
use crate::number::{Lasting, Number};

/// Runs that are told; of more the last.
const TOLD_MAX: usize = 50;

/// Writes how the runs went.
pub fn write(html: &mut Html, facts: &Facts) {
    let runs = &facts.story.runs;
    if runs.is_empty() {
        html.raw("<p>No run has begun: nothing was sent.</p>");
        return;
    }
    if runs.iter().all(|run| run.sum == Bin::default() && run.waits.is_empty()) {
        html.raw("<p>Nothing had to be sent.</p>");
    } else {
        picture(html, facts);
    }
    table(html, facts);
}

fn picture(html: &mut Html, facts: &Facts) {
    let runs = &facts.story.runs;
    let drawn = facts.story.drawn();
    html.raw("<figure>");
    timeline::draw(html, &facts.story, &drawn, timeline::WIDE);
    timeline::draw(html, &facts.story, &drawn, timeline::NARROW);
    html.raw("<figcaption>");
    caption(html, facts, &drawn);
    html.raw("</figcaption></figure>");
    let columns = Columns::of(runs);
    let mut entries = vec![("k-created", "created or adopted"), ("k-refused", "taken or refused")];
    entries.extend(columns.changed.then_some(("k-removed", "deleted again, restored")));
    entries.extend(columns.allowed.then_some(("allowed", "allowed")));
    entries.extend(columns.waited.then_some(("wait", "nothing was sent: waited")));
    entries.extend(columns.throttled.then_some(("throttled", "throttled (429)")));
    entries.extend(columns.lost.then_some(("lost", "reply lost")));
    legend(html, &entries);
}

/// A window of the service, unless it says otherwise.
const WINDOW_S: i64 = 60;

fn caption(html: &mut Html, facts: &Facts, drawn: &Drawn) {
    let runs = &facts.story.runs;
    html.raw("A column is ").text(Lasting(drawn.step_s.unsigned_abs())).raw(", told as calls a minute; times are UTC.");
    if runs.len() > 1 {
        html.raw(" The time between runs is left out.");
    }
    if drawn.skipped > 0 {
        html.raw(" The first ").text(Number(drawn.skipped as u64)).raw(" runs are not drawn.");
    }
    if drawn.step_s < WINDOW_S && runs.iter().any(|run| !run.allowed.is_empty()) {
        html.raw(
            " Calls go early in a window, so a single column can be above what is allowed; a whole window is not.",
        );
    }
    if runs.iter().all(|run| run.allowed.is_empty()) {
        html.raw(" What was allowed is not in this journal.");
    }
}

/// What is told of a run, where any run has something to tell.
struct Columns {
    changed: bool,
    lost: bool,
    throttled: bool,
    waited: bool,
    allowed: bool,
}

impl Columns {
    fn of(runs: &[Run]) -> Self {
        let any = |is: fn(&Run) -> bool| runs.iter().any(is);
        Self {
            changed: any(|run| run.sum.changed > 0),
            lost: any(|run| run.sum.lost > 0),
            throttled: any(|run| run.sum.throttled > 0),
            waited: any(|run| !run.waits.is_empty()),
            allowed: any(|run| !run.allowed.is_empty()),
        }
    }

    fn heads(&self) -> impl Iterator<Item = &'static str> {
        let heads = [
            (true, "Created"),
            (true, "Taken, refused"),
            (self.changed, "Deleted, restored"),
            (self.lost, "Replies lost"),
            (self.throttled, "Throttled (429)"),
            (self.waited, "Waited"),
            (true, "Calls a minute"),
            (self.allowed, "Allowed a minute"),
        ];
        heads.into_iter().filter(|(is_told, _)| *is_told).map(|(_, head)| head)
    }
}

fn table(html: &mut Html, facts: &Facts) {
    let runs = &facts.story.runs;
    let columns = Columns::of(runs);
    html.raw(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Runs\"><table class=\"tight\"><thead><tr>",
    );
    html.raw("<th scope=\"col\" class=\"n\">Run<th scope=\"col\">Began<th scope=\"col\" class=\"n\">Took<th scope=\"col\">Its end");
    for head in columns.heads() {
        html.raw("<th scope=\"col\" class=\"n\">").raw(head);
    }
    html.raw("</thead><tbody>");
    let skip = runs.len().saturating_sub(TOLD_MAX);
    for (at, run) in runs.iter().enumerate().skip(skip) {
        let is_at_work = facts.stand == Stand::AtWork && at + 1 == runs.len();
        line(html, at + 1, run, &columns, is_at_work);
    }
    html.raw("</tbody></table></div>");
    if skip > 0 {
        html.raw("<p class=\"note\">The first ").text(Number(skip as u64)).raw(" runs are left out.</p>");
    }
}

fn line(html: &mut Html, number: usize, run: &Run, columns: &Columns, is_at_work: bool) {
    let sum = &run.sum;
    html.raw("<tr><th scope=\"row\" class=\"n\">").text(number).raw("<td>").text(times::date(run.begun)).raw(" ");
    html.text(times::clock(run.begun)).raw("<td class=\"n\">").text(Lasting(run.seconds())).raw("<td>");
    html.text(words::ending(run.why.as_deref(), is_at_work));
    let counts = [
        (true, sum.created),
        (true, sum.other + run.found),
        (columns.changed, sum.changed),
        (columns.lost, sum.lost),
        (columns.throttled, sum.throttled),
    ];
    for (_, n) in counts.into_iter().filter(|(is_told, _)| *is_told) {
        html.raw(if n == 0 { "<td class=\"n zero\">" } else { "<td class=\"n\">" }).text(Number(n));
    }
    if columns.waited {
        let waited: i64 = run.waits.iter().map(|wait| wait.ended - wait.begun).sum();
        html.raw("<td class=\"n\">").text(Lasting(u64::try_from(waited).unwrap_or(0)));
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = sum.calls() as f64 * 60.0 / run.seconds() as f64;
    html.raw("<td class=\"n\">").text(timeline::rate_text(rate));
    if columns.allowed {
        html.raw("<td class=\"n\">").text(timeline::told(run)).raw(if run.is_capped { " (capped)" } else { "" });
    }
}
