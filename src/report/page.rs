//! The page: the answer first, evidence last.

use super::bars::{self, bar, legend};
use super::facts::{Cell, Column, Facts, Stand, Table};
use super::html::Html;
use super::{flow, head, proof, runs, times, words};
use crate::number::Number;
use crate::plan::Verdict;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Bytes that the rows of all tables take at most: the page stays one that can be mailed.
const TABLES_BYTES_MAX: usize = 1_800_000;
/// Characters of a domain that are shown.
const DOMAIN_CHARS_MAX: usize = 48;
/// Reasons and refusals that are told.
const REASONS_MAX: usize = 40;

/// Writes the whole page.
#[must_use]
pub fn write(facts: &Facts) -> String {
    let mut body = Html::default();
    bars::patterns(&mut body);
    header(&mut body, facts);
    body.raw("<main>");
    section(&mut body, "flow", "Where the rows went", |h| rows_went(h, facts));
    section(&mut body, "runs", "The run over time", |h| runs::write(h, facts));
    section(&mut body, "reasons", "What is wrong with rows", |h| reasons(h, facts));
    section(&mut body, "domains", "Domains", |h| domains(h, facts));
    section(&mut body, "tables", "Row by row", |h| tables(h, facts));
    section(&mut body, "complete", "Was everybody seen?", |h| proof::completeness(h, facts));
    section(&mut body, "gates", "Gates", |h| proof::gates(h, facts));
    section(&mut body, "evidence", "Evidence", |h| proof::evidence(h, facts));
    body.raw("</main>");
    whole(&body, facts)
}

/// The page around its body. Style and script are let in by a number that nobody knows who has not seen all of the page:
/// what would slip through the escaping could still not run.
fn whole(body: &Html, facts: &Facts) -> String {
    let nonce = blake3::hash(body.as_str().as_bytes()).to_hex();
    let mut page = Html::default();
    page.raw(super::BEGIN);
    page.raw("<meta http-equiv=\"Content-Security-Policy\"");
    page.attr("content", format_args!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'"
    ));
    page.raw(">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.raw(
        "<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">\n<title>",
    );
    page.raw(if facts.is_masked { "MASKED · " } else { "" });
    page.raw(if facts.stand == Stand::Planned { "DRY RUN · " } else { "" });
    page.text(head::answer(facts)).raw(" · ").text(roster(facts)).raw("</title>\n<style").attr("nonce", nonce).raw(">");
    page.raw(STYLE).raw("</style></head><body>");
    page.piece(body);
    page.raw("<script").attr("nonce", nonce).raw(">").raw(SCRIPT).raw("</script></body></html>\n");
    page.as_str().to_owned()
}

fn section(html: &mut Html, id: &'static str, title: &'static str, write: impl FnOnce(&mut Html)) {
    html.raw("<section").attr("id", id).attr("aria-labelledby", format_args!("{id}-h")).raw("><h2");
    html.attr("id", format_args!("{id}-h")).raw(">").raw(title).raw("</h2>");
    write(html);
    html.raw("</section>");
}

/// The roster's file name.
fn roster(facts: &Facts) -> String {
    crate::files::name(std::path::Path::new(&facts.manifest.roster.path))
}

fn header(html: &mut Html, facts: &Facts) {
    let (badge, means) = head::badge(facts);
    html.raw("<header><p class=\"eyebrow\"><span class=\"brand\">rosterdiff report</span> <span class=\"badge\">")
        .raw(badge);
    html.raw("</span> <span>").raw(means).raw("</span>");
    if facts.is_masked {
        html.raw(" <span class=\"badge quiet\">MASKED</span> <span>addresses are numbered, names hidden</span>");
    }
    html.raw("</p><h1>").text(head::answer(facts)).raw("</h1>");
    about(html, facts);
    proof::sums(html, facts);
    html.raw(
        "<div class=\"cards\"><section class=\"card\" aria-labelledby=\"todo-h\"><h2 id=\"todo-h\">Left to do</h2>",
    );
    head::write_todos(html, facts);
    let (is_proven, what) = head::proof(facts);
    html.raw("</section><section class=\"card\" aria-labelledby=\"proven-h\"><h2 id=\"proven-h\">");
    html.raw(if is_proven { "✓ Proven" } else { "✗ Not proven" }).raw("</h2><p>");
    html.text(what).raw("</p></section></div></header><nav aria-label=\"Parts of this page\"><ul>");
    let parts = [
        ("#flow", "Rows"),
        ("#runs", "Run"),
        ("#reasons", "Reasons"),
        ("#domains", "Domains"),
        ("#tables", "Row by row"),
        ("#complete", "Completeness"),
        ("#gates", "Gates"),
        ("#evidence", "Evidence"),
    ];
    for (link, word) in parts {
        html.raw("<li><a").attr("href", link).raw(">").raw(word).raw("</a></li>");
    }
    html.raw("</ul></nav>");
}

/// Organisation, roster, and when.
fn about(html: &mut Html, facts: &Facts) {
    let manifest = &facts.manifest;
    html.raw("<dl class=\"about\"><div><dt>Organisation</dt><dd>");
    let name = manifest.certificate.as_ref().and_then(|c| c.organisation_name.as_deref());
    if let Some(name) = name {
        html.people(name).raw(" ");
    }
    let bound = facts.journal.as_ref().and_then(|journal| journal.organisation_id.as_deref());
    match manifest.organisation_id.as_deref().or(bound) {
        Some(id) => html.raw("<span class=\"note\">").text(id).raw("</span>"),
        None => html.raw("unknown: the snapshot is somebody’s export"),
    };
    html.raw("</dd></div><div><dt>Roster</dt><dd>").people(&roster(facts)).raw("</dd></div><div><dt>Planned</dt><dd>");
    html.text(times::day_and_time(&manifest.made_at)).raw(" UTC</dd></div>");
    if let Some(last) = facts.journal.as_ref().and_then(|journal| journal.last_at.as_deref()) {
        html.raw("<div><dt>Journal’s last entry</dt><dd>").text(times::day_and_time(last)).raw(" UTC</dd></div>");
    }
    html.raw("</dl>");
}

fn rows_went(html: &mut Html, facts: &Facts) {
    let rows = facts.manifest.counts.rows;
    let branches = flow::branches(facts);
    if branches.is_empty() {
        html.raw("<p>The roster has a header and no rows: was the export cut off?</p>");
        return;
    }
    html.raw("<figure>");
    let is_stretched = flow::draw(html, &branches, rows, flow::WIDE);
    flow::draw(html, &branches, rows, flow::NARROW);
    html.raw(
        "<figcaption>The wider a band, the more rows. Present, duplicate and invalid rows end there: nothing is done ",
    );
    html.raw("about them.").raw(if is_stretched {
        " The thinnest bands are drawn wider than they are, to be seen."
    } else {
        ""
    });
    html.raw("</figcaption></figure><details class=\"numbers\"><summary>The same as a table</summary>");
    html.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Rows by verdict and outcome\"><table><thead><tr>");
    html.raw("<th scope=\"col\">Verdict<th scope=\"col\">Outcome<th scope=\"col\" class=\"n\">Rows<th scope=\"col\" class=\"n\">Of all");
    html.raw("</thead><tbody>");
    for branch in &branches {
        line(html, branch.verdict.word, "", branch.verdict.n, rows);
        for leaf in &branch.leaves {
            line(html, branch.verdict.word, leaf.word, leaf.n, rows);
        }
    }
    html.raw("</tbody></table></div></details>");
}

fn line(html: &mut Html, verdict: &'static str, outcome: &'static str, n: u64, rows: u64) {
    html.raw("<tr><th scope=\"row\">").raw(verdict).raw("<td>").raw(outcome).raw("<td class=\"n\">").text(Number(n));
    html.raw("<td class=\"n\">").text(flow::share(n, rows));
}

fn reasons(html: &mut Html, facts: &Facts) {
    let max = facts.reasons.iter().map(|(_, n)| *n).max().unwrap_or(0);
    html.raw("<h3>Invalid</h3>");
    if facts.reasons.is_empty() {
        html.raw("<p>No row is invalid.</p>");
    } else {
        open_table(html, "Why rows are invalid", &["What is wrong", "What to do", "Code"]);
        for (code, n) in facts.reasons.iter().take(REASONS_MAX) {
            let (means, todo) = words::reason(code);
            counted(html, *n, max, "k-invalid");
            html.raw("<td>").text(&means).raw("<td>").text(&todo).raw("<td><code>").text(code).raw("</code>");
        }
        html.raw("</tbody></table></div>");
    }
    html.raw("<h3>Refused by the service</h3>");
    let max = facts.refusals.iter().map(|(_, n)| *n).max().unwrap_or(0);
    if facts.refusals.is_empty() {
        html.raw(if facts.journal.is_some() { "<p>Nothing was refused.</p>" } else { "<p>Nothing was sent.</p>" });
        return;
    }
    open_table(html, "Why rows were refused", &["The service’s words", "What to do", "HTTP", "Code"]);
    for (said, n) in facts.refusals.iter().take(REASONS_MAX) {
        counted(html, *n, max, "k-refused");
        html.raw("<td>").people(said.words.as_deref().unwrap_or("(none)")).raw("<td>").raw(words::refusal(said.http));
        html.raw("<td>").text(said.http.map_or_else(String::new, |http| http.to_string())).raw("<td><code>");
        html.people(said.code.as_deref().unwrap_or_default()).raw("</code>");
    }
    html.raw("</tbody></table></div>");
    let rest = facts.refusals.iter().skip(REASONS_MAX).map(|(_, n)| n).sum::<u64>() + facts.refused_otherwise;
    if rest > 0 {
        html.raw("<p class=\"note\">").text(Number(rest)).raw(" more rows were refused in other words.</p>");
    }
}

/// A table whose first two columns are a number and its bar.
fn open_table(html: &mut Html, label: &'static str, heads: &[&'static str]) {
    html.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\"")
        .attr("aria-label", label)
        .raw("><table><thead><tr>");
    html.raw("<th scope=\"col\" class=\"n\">Rows<th scope=\"col\">Share");
    for head in heads {
        html.raw("<th scope=\"col\">").raw(head);
    }
    html.raw("</thead><tbody>");
}

fn counted(html: &mut Html, n: u64, max: u64, class: &'static str) {
    html.raw("<tr><td class=\"n\">").text(Number(n)).raw("<td>");
    bar(html, &[(class, n)], max);
}

fn domains(html: &mut Html, facts: &Facts) {
    let domains = &facts.domains;
    if domains.most.is_empty() {
        html.raw("<p>No row has a usable address.</p>");
        return;
    }
    let n_each = |rows: &[u64; 5]| Verdict::ALL.map(|verdict| (bars::class(verdict), rows[verdict as usize]));
    let sum = |rows: &[u64; 5]| rows.iter().sum::<u64>();
    let max = domains.most.iter().map(|(_, rows)| sum(rows)).max().unwrap_or(0).max(sum(&domains.others));
    legend(html, &Verdict::ALL.map(|verdict| (bars::class(verdict), verdict.as_str())));
    html.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Rows by domain and verdict\"><table><thead><tr>");
    html.raw("<th scope=\"col\">Domain<th scope=\"col\">Share<th scope=\"col\" class=\"n\">Rows");
    for verdict in Verdict::ALL {
        html.raw("<th scope=\"col\" class=\"n\">").raw(verdict.as_str());
    }
    html.raw("</thead><tbody>");
    let row = |html: &mut Html, rows: &[u64; 5]| {
        html.raw("<td>");
        bar(html, &n_each(rows), max);
        html.raw("<td class=\"n\">").text(Number(sum(rows)));
        for (_, n) in n_each(rows) {
            html.raw(if n == 0 { "<td class=\"n zero\">" } else { "<td class=\"n\">" }).text(Number(n));
        }
    };
    for (domain, rows) in &domains.most {
        html.raw("<tr><th scope=\"row\">").people_within(domain, DOMAIN_CHARS_MAX);
        row(html, rows);
    }
    if domains.n_others > 0 {
        html.raw("<tr><th scope=\"row\">").text(Number(domains.n_others)).raw(" more");
        row(html, &domains.others);
    }
    html.raw("</tbody></table></div>");
    if domains.without > 0 {
        html.raw("<p class=\"note\">")
            .text(Number(domains.without))
            .raw(" rows have no usable address, and so no domain.</p>");
    }
}

fn tables(html: &mut Html, facts: &Facts) {
    let told: Vec<&Table> = facts.tables.iter().filter(|table| table.total > 0).collect();
    let mut n_bytes_left = TABLES_BYTES_MAX;
    for (at, table) in told.iter().enumerate() {
        // What one leaves is for those behind it.
        n_bytes_left -= write_table(html, table, n_bytes_left / (told.len() - at));
    }
    html.raw("<p class=\"note\">");
    for (at, table) in facts.tables.iter().filter(|table| table.total == 0).enumerate() {
        html.raw(if at == 0 { "" } else { " " }).raw(table.none);
    }
    html.raw("</p>");
}

/// Writes a table whose rows take at most `n_bytes_max`; how many they take.
fn write_table(html: &mut Html, table: &Table, n_bytes_max: usize) -> usize {
    html.raw("<details class=\"rows\"")
        .attr("id", table.id)
        .raw("><summary><h3>")
        .raw(table.title)
        .raw("</h3> <span class=\"n\">");
    html.text(Number(table.total)).raw("</span></summary><p>").raw(table.about).raw("</p>");
    let mut rows = Html::default();
    let mut n_shown = 0_u64;
    for row in &table.rows {
        let before = rows.n_bytes();
        cells(&mut rows, table.columns, row);
        if rows.n_bytes() > n_bytes_max {
            rows.truncate(before);
            break;
        }
        n_shown += 1;
    }
    shown(html, table, n_shown);
    html.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\"")
        .attr("aria-label", table.title)
        .raw("><table class=\"live\"><thead><tr>");
    for Column { head, is_number } in table.columns {
        html.raw(if *is_number { "<th scope=\"col\" class=\"n\">" } else { "<th scope=\"col\">" }).raw(head);
    }
    html.raw("</thead><tbody>").piece(&rows).raw("</tbody></table></div></details>");
    rows.n_bytes()
}

/// How many of the rows are shown, and where all of them are.
fn shown(html: &mut Html, table: &Table, n_shown: u64) {
    html.raw("<p class=\"shown\">");
    let is_all = n_shown == table.total;
    html.text(Number(n_shown)).raw(" of ").text(Number(table.total)).raw(if is_all { ". " } else { "; " });
    match table.file {
        Some(file) => html
            .raw(if is_all { "With all columns they are in " } else { "all of them are in " })
            .raw("<code>")
            .raw(file)
            .raw("</code>."),
        None => html.raw(if is_all {
            "The run has not written its files yet."
        } else {
            "the run has not written its files yet."
        }),
    };
    html.raw("</p>");
}

fn cells(html: &mut Html, columns: &[Column], row: &[Cell]) {
    html.raw("<tr>");
    for (column, cell) in columns.iter().zip(row) {
        html.raw(if column.is_number { "<td class=n>" } else { "<td>" });
        match cell {
            Cell::None => {}
            Cell::Number(n) => {
                html.text(n);
            }
            Cell::Code(text) => {
                html.text(text);
            }
            Cell::Address(text) | Cell::Name(text) | Cell::Words(text) => {
                html.people(text);
            }
        }
    }
    html.raw("\n");
}
