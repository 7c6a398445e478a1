//! The runs over time: creates a minute as columns, what was allowed as a line, waits as bands, losses as marks.

use super::html::Html;
use super::story::{Bin, Drawn, Run, Story};
use super::{times, words};
use crate::number::{Lasting, Number};

/// The size of a drawing.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// What tells the two apart.
    pub name: &'static str,
    width: f64,
    /// Left of the first column.
    left: f64,
    /// Between two runs.
    gap: f64,
    /// A label of a time.
    label: f64,
}

/// For desks and paper.
pub const WIDE: Size = Size { name: "wide", width: 960.0, left: 56.0, gap: 40.0, label: 84.0 };
/// For phones.
pub const NARROW: Size = Size { name: "narrow", width: 340.0, left: 58.0, gap: 24.0, label: 84.0 };

/// Where the plot begins and ends, from above.
const TOP: f64 = 52.0;
const BOTTOM: f64 = 232.0;
const HEIGHT: f64 = 276.0;
/// A column is no wider than this.
const COLUMN_MAX: f64 = 64.0;
/// What is allowed is drawn to scale up to so many times the highest column.
const SCALE_MAX: f64 = 4.0;

/// Where everything is.
struct Scale<'a> {
    story: &'a Story,
    drawn: &'a Drawn,
    size: Size,
    /// Width of a column.
    column: f64,
    /// Calls a minute at the top.
    max: f64,
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
const fn float(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
const fn seconds(n: i64) -> f64 {
    n as f64
}

impl<'a> Scale<'a> {
    fn of(story: &'a Story, drawn: &'a Drawn, size: Size) -> Self {
        let n_columns: u64 = drawn.stretches.iter().map(|s| s.columns.len() as u64).sum();
        let n_gaps = drawn.stretches.len().saturating_sub(1) as u64;
        let room = size.width - size.left - 8.0 - size.gap * float(n_gaps);
        let column = (room.max(size.width / 3.0) / float(n_columns.max(1))).min(COLUMN_MAX);
        let bins = drawn.stretches.iter().flat_map(|s| &s.columns);
        let most = bins.map(|bin| a_minute(bin.calls(), drawn.step_s)).fold(0.0, f64::max);
        let rates = story.runs.iter().skip(drawn.skipped).flat_map(|run| &run.allowed).map(|(_, rate)| *rate);
        let allowed = rates.filter(|rate| *rate <= most * SCALE_MAX).fold(0.0, f64::max);
        Self { story, drawn, size, column, max: round_up(most.max(allowed).max(1.0)) }
    }

    fn runs(&self) -> impl Iterator<Item = (f64, &'a Run, &'a super::story::Stretch)> {
        let mut x = self.size.left;
        let (column, gap) = (self.column, self.size.gap);
        let runs = self.story.runs.iter().skip(self.drawn.skipped).zip(&self.drawn.stretches);
        runs.map(move |(run, stretch)| {
            let begun = x;
            x += float(stretch.columns.len() as u64) * column + gap;
            (begun, run, stretch)
        })
    }

    /// Where a time is, in a run whose drawing begins at `x`.
    fn x(&self, x: f64, stretch: &super::story::Stretch, at: i64) -> f64 {
        let all = float(stretch.columns.len() as u64) * self.column;
        x + (seconds(at - stretch.begun) / seconds(self.drawn.step_s) * self.column).clamp(0.0, all)
    }

    fn y(&self, rate: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * (rate / self.max).min(1.0)
    }
}

/// Calls of a column as calls a minute.
fn a_minute(calls: u64, step_s: i64) -> f64 {
    float(calls) * 60.0 / seconds(step_s)
}

/// The next round number.
fn round_up(value: f64) -> f64 {
    let ten = 10_f64.powf(value.log10().floor());
    [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0].into_iter().map(|n| n * ten).find(|n| *n >= value).unwrap_or(value)
}

/// Draws the runs.
pub fn draw(html: &mut Html, story: &Story, drawn: &Drawn, size: Size) {
    let scale = Scale::of(story, drawn, size);
    let thin = if scale.column < 7.0 { " thin" } else { "" };
    html.raw("<svg role=\"img\"")
        .attr("class", format_args!("{}{thin}", size.name))
        .attr("aria-labelledby", format_args!("time-{}", size.name));
    html.raw(" viewBox=\"0 0 ").point(size.width).raw(" ").point(HEIGHT).raw("\">");
    html.raw("<title")
        .attr("id", format_args!("time-{}", size.name))
        .raw(">Calls a minute over time, against what was ");
    html.raw("allowed. The table below says the same in numbers.</title>");
    axis(html, &scale);
    let (mut labelled, mut before): (f64, Option<i64>) = (f64::MIN, None);
    for (x, run, stretch) in scale.runs() {
        waits(html, &scale, x, (run, stretch));
        for (at, bin) in stretch.columns.iter().enumerate() {
            column(
                html,
                &scale,
                x + float(at as u64) * scale.column,
                (bin, stretch.begun + drawn.step_s * i64::try_from(at).unwrap_or(0)),
            );
        }
        allowed(html, &scale, x, (run, stretch));
        if let Some(before) = before {
            html.raw("<path class=\"break\" d=\"M").point(x - size.gap / 2.0 - 3.0).raw(" ").point(BOTTOM + 5.0);
            html.raw("l4 -10m3 0l-4 10\"><title>").text(later(run.begun - before)).raw("</title></path>");
        }
        if x - labelled >= size.label {
            labelled = x;
            time(html, x, run.begun);
        }
        let end = x + float(stretch.columns.len() as u64) * scale.column;
        let is_last = run.begun == story.runs.last().map_or(0, |last| last.begun);
        if is_last && end - labelled >= size.label && end + size.label / 2.0 < size.width {
            time(html, end, run.ended);
        }
        before = Some(run.ended);
    }
    html.raw("</svg>");
}

fn later(seconds: i64) -> String {
    format!("{} without a run", Lasting(u64::try_from(seconds).unwrap_or(0)))
}

/// The line at the bottom and the rates beside it.
fn axis(html: &mut Html, scale: &Scale<'_>) {
    html.raw("<text class=\"axis\" x=\"0\" y=\"14\">calls a minute</text>");
    for rate in [0.0, scale.max / 2.0, scale.max] {
        let y = scale.y(rate);
        html.raw("<path class=\"grid\" d=\"M")
            .point(scale.size.left)
            .raw(" ")
            .point(y)
            .raw("H")
            .point(scale.size.width);
        html.raw("\"/><text class=\"axis end\"").length("x", scale.size.left - 6.0).length("y", y + 4.0).raw(">");
        html.text(rate_text(rate)).raw("</text>");
    }
}

/// A rate as people read it.
#[must_use]
pub fn rate_text(rate: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are small and not negative")]
    let whole = rate.round() as u64;
    if rate < 10.0 && (rate - rate.round()).abs() > 0.05 { format!("{rate:.1}") } else { Number(whole).to_string() }
}

/// When a run began.
fn time(html: &mut Html, x: f64, at: i64) {
    html.raw("<text class=\"axis\"").length("x", x).length("y", BOTTOM + 20.0).raw(">").text(times::clock(at));
    html.raw("</text><text class=\"axis faint\"").length("x", x).length("y", BOTTOM + 36.0).raw(">");
    html.text(times::date(at)).raw("</text>");
}

fn waits(html: &mut Html, scale: &Scale<'_>, x: f64, (run, stretch): (&Run, &super::story::Stretch)) {
    for wait in &run.waits {
        let (from, to) = (scale.x(x, stretch, wait.begun), scale.x(x, stretch, wait.ended));
        html.raw("<rect class=\"wait\"").length("x", from).length("y", TOP).length("width", (to - from).max(2.0));
        html.length("height", BOTTOM - TOP).raw("><title>").text(words::waited(&wait.why)).raw(" for ");
        html.text(Lasting(u64::try_from(wait.ended - wait.begun).unwrap_or(0))).raw("</title></rect>");
    }
}

fn column(html: &mut Html, scale: &Scale<'_>, x: f64, (bin, at): (&Bin, i64)) {
    let mut y = BOTTOM;
    let width = if scale.column > 4.0 { scale.column - 1.0 } else { scale.column };
    let parts = [
        (bin.created, "k-created", "created"),
        (bin.changed, "k-removed", "deleted or restored"),
        (bin.other, "k-refused", "taken or refused"),
    ];
    for (n, class, word) in parts.into_iter().filter(|(n, ..)| *n > 0) {
        let height = ((BOTTOM - TOP) * a_minute(n, scale.drawn.step_s) / scale.max).max(1.0);
        y -= height;
        html.raw("<rect").attr("class", class).length("x", x).length("y", y).length("width", width);
        html.length("height", height).raw("><title>").text(times::clock(at)).raw(": ").text(Number(n)).raw(" ");
        html.raw(word).raw("</title></rect>");
    }
    let middle = x + width / 2.0;
    if bin.throttled > 0 {
        html.raw("<path class=\"throttled\" d=\"M").point(middle - 4.5).raw(" 32h9l-4.5 8z\"><title>");
        html.text(times::clock(at)).raw(": ").text(Number(bin.throttled)).raw(" throttled (429)</title></path>");
    }
    if bin.lost > 0 {
        html.raw("<path class=\"lost\" d=\"M").point(middle - 4.0).raw(" 42l8 8m0 -8l-8 8\"><title>");
        html.text(times::clock(at)).raw(": ").text(Number(bin.lost)).raw(" replies lost</title></path>");
    }
}

/// The line of what was allowed; above the scale it runs along the top.
fn allowed(html: &mut Html, scale: &Scale<'_>, x: f64, (run, stretch): (&Run, &super::story::Stretch)) {
    let Some((first, _)) = run.allowed.first() else { return };
    let end = x + float(stretch.columns.len() as u64) * scale.column;
    let is_beyond = run.allowed.iter().any(|(_, rate)| *rate > scale.max);
    html.raw("<path").attr("class", if is_beyond { "allowed beyond" } else { "allowed" }).raw(" d=\"M");
    html.point(scale.x(x, stretch, *first).min(end)).raw(" ").point(scale.y(run.allowed[0].1));
    for (at, rate) in run.allowed.iter().skip(1) {
        html.raw("H").point(scale.x(x, stretch, *at)).raw("V").point(scale.y(*rate));
    }
    html.raw("H").point(end.max(x + 12.0)).raw("\"><title>Allowed: ").text(told(run)).raw(" a minute</title></path>");
}

/// The rates that were allowed, lowest and highest.
#[must_use]
pub fn told(run: &Run) -> String {
    let low = run.allowed.iter().map(|(_, rate)| *rate).fold(f64::INFINITY, f64::min);
    let high = run.allowed.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    match run.allowed.is_empty() {
        true => "not recorded".to_owned(),
        false if rate_text(low) == rate_text(high) => rate_text(high),
        false => format!("{} to {}", rate_text(low), rate_text(high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_with_a_round_number_above_everything() {
        let tops = [1.0, 3.0, 20.0, 21.0, 299.0, 5001.0].map(round_up);
        assert_eq!(tops, [1.0, 3.0, 20.0, 30.0, 300.0, 6_000.0]);
    }

    #[test]
    fn rates_are_told_as_people_read_them() {
        assert_eq!([0.0, 2.5, 300.0, 12_345.4].map(rate_text), ["0", "2.5", "300", "12,345"]);
    }
}
