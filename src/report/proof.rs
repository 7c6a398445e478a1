//! What a plan rests on: the completeness certificate, what looking up proved, the gates, the sums, the digests.

use super::facts::{Facts, Journaled};
use super::html::Html;
use super::{head, times};
use crate::apply::Outcome;
use crate::files::{self, after::Wave};
use crate::number::Number;
use crate::plan::Verdict;
use crate::snapshot::{Certificate, Probe, StateProof};

/// Writes whether everybody was seen, and how that is known.
pub fn completeness(html: &mut Html, facts: &Facts) {
    let (is_proven, what) = head::proof(facts);
    html.raw("<p><b class=\"verdict\">").raw(if is_proven { "✓ Proven." } else { "✗ Not proven." }).raw("</b> ");
    html.text(what).raw("</p>");
    match &facts.manifest.certificate {
        Some(certificate) => states(html, certificate),
        None => {
            html.raw(
                "<p>The snapshot has no certificate: it is a file that something else than rosterdiff made, and a ",
            );
            html.raw("file cannot say whom it leaves out.</p>");
        }
    }
    if let Some(probe) = &facts.manifest.probe {
        looked_up(html, probe);
    }
}

fn states(html: &mut Html, certificate: &Certificate) {
    html.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Completeness certificate\"><table><thead><tr>");
    html.raw("<th scope=\"col\">State<th scope=\"col\" class=\"n\">Promised at the start<th scope=\"col\" class=\"n\">Promised at ");
    html.raw("the end<th scope=\"col\" class=\"n\">Different users that came<th scope=\"col\" class=\"n\">Pages<th scope=\"col\">");
    html.raw("Capped<th scope=\"col\">Complete</thead><tbody>");
    for proof in &certificate.states {
        state(html, proof);
    }
    html.raw("</tbody></table></div><p class=\"note\">Listed from ").text(times::day_and_time(&certificate.started_at));
    html.raw(" to ")
        .text(times::day_and_time(&certificate.ended_at))
        .raw(" UTC, in ")
        .text(Number(certificate.passes.into()));
    html.raw(if certificate.passes == 1 { " pass" } else { " passes" }).raw(", ");
    html.text(head::users(certificate.users())).raw(" in the snapshot.");
    for gap in certificate.gaps() {
        html.raw(" ").text(gap).raw(".");
    }
    html.raw("</p>");
}

fn state(html: &mut Html, proof: &StateProof) {
    html.raw("<tr><th scope=\"row\">").text(&proof.state);
    for total in [proof.total_start, proof.total_end, Some(proof.unique), Some(proof.pages)] {
        html.raw("<td class=\"n\">");
        match total {
            Some(n) => html.text(Number(n)),
            None => html.raw("not said"),
        };
    }
    html.raw("<td>").raw(match (proof.capped, proof.walked) {
        (false, _) => "no",
        (true, true) => "yes; walked by cursor",
        (true, false) => "yes",
    });
    html.raw("<td>").raw(if proof.holds() { "✓ yes" } else { "✗ no" });
}

fn looked_up(html: &mut Html, probe: &Probe) {
    html.raw("<p>Looked up until ").text(times::day_and_time(&probe.ended_at)).raw(" UTC: ").text(Number(probe.keys));
    html.raw(" addresses in ").text(Number(probe.calls)).raw(" searches of up to ").text(Number(probe.values_max));
    html.raw(" values; ").text(Number(probe.held)).raw(" are held, ").text(Number(probe.refused));
    html.raw(" could not be searched for. Usernames were ").raw(if probe.usernames {
        "searched, too."
    } else {
        "not searched."
    });
    html.raw(match probe.case_matters {
        Some(false) => " Upper and lower case are one to the search.",
        Some(true) => " The search tells upper from lower case.",
        None => " How the search takes upper and lower case could not be learnt.",
    });
    html.raw("</p>");
}

/// Writes what nobody should create people over without a second look.
pub fn gates(html: &mut Html, facts: &Facts) {
    let manifest = &facts.manifest;
    if manifest.gates.is_empty() {
        html.raw("<p>There was too little to judge by: no gate was looked at.</p>");
        return;
    }
    html.raw("<ul class=\"gates\">");
    for gate in &manifest.gates {
        html.raw("<li><b class=\"verdict\">").raw(if gate.tripped { "✗ Tripped." } else { "✓ Passed." }).raw("</b> ");
        html.text(capital(&gate.what)).raw(".");
        if gate.tripped {
            html.raw(" <span class=\"note\">Accepted by</span> <code>")
                .text(gate.accept(&manifest.to_create()))
                .raw("</code>");
        }
        html.raw("</li>");
    }
    html.raw("</ul>");
    if facts.journal.is_some() && manifest.gates.iter().any(|gate| gate.tripped) {
        html.raw("<p class=\"note\">Whoever began the run has accepted what is tripped here.</p>");
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

/// Writes both sums.
pub fn sums(html: &mut Html, facts: &Facts) {
    let counts = &facts.manifest.counts;
    let verdicts: Vec<(u64, &'static str)> = Verdict::ALL.iter().map(|v| (counts.of(*v), v.as_str())).collect();
    sum(html, (counts.rows, "rows"), &verdicts);
    if facts.journal.is_some() {
        let outcomes: Vec<(u64, &'static str)> =
            Outcome::ALL.iter().map(|o| (facts.outcomes.of(*o), o.as_str())).collect();
        sum(html, (counts.new, "new"), &outcomes);
    }
    if facts.manifest.restore_deleted {
        let tally = &facts.restored;
        let parts = [
            (tally.restored, "restored"),
            (tally.refused, "restore_refused"),
            (tally.unknown, "restore_unknown"),
            (tally.left, "not tried"),
        ];
        sum(html, (counts.deleted, "deleted"), &parts);
    }
    if facts.changed.has_begun {
        let made = facts.outcomes.of(Outcome::Created) + facts.outcomes.of(Outcome::Adopted);
        let changed = &facts.changed;
        let rest = made.saturating_sub(changed.removed + changed.kept + changed.unsure);
        let parts =
            [(changed.removed, "removed"), (changed.kept, "kept"), (changed.unsure, "unknown"), (rest, "not tried")];
        sum(html, (made, "created and adopted"), &parts);
    }
}

fn sum(html: &mut Html, (all, word): (u64, &'static str), parts: &[(u64, &'static str)]) {
    html.raw("<p class=\"sum\"><b>").text(Number(all)).raw("</b> ").raw(word).raw(" = ");
    for (at, (n, word)) in parts.iter().enumerate() {
        html.raw(if at == 0 { "" } else { " + " })
            .raw(if *n == 0 { "<span class=\"part none\"><b>" } else { "<span class=\"part\"><b>" })
            .text(Number(*n))
            .raw("</b> ")
            .raw(word);
        html.raw("</span>");
    }
    html.raw("</p>");
}

/// Writes what everything was made from, so that each can be told from another.
pub fn evidence(html: &mut Html, facts: &Facts) {
    let manifest = &facts.manifest;
    html.raw("<dl class=\"evidence\">");
    let mut row = |head: &'static str, write: &dyn Fn(&mut Html)| {
        html.raw("<div><dt>").raw(head).raw("</dt><dd>");
        write(html);
        html.raw("</dd></div>");
    };
    let digest = |html: &mut Html, path: &str, blake3: &str, bytes: u64| {
        html.people(path)
            .raw(" <span class=\"note\">")
            .text(Number(bytes))
            .raw(" bytes, BLAKE3</span> <code class=\"digest\">");
        html.text(blake3).raw("</code>");
    };
    row("Roster", &|h| digest(h, &manifest.roster.path, &manifest.roster.digest.blake3, manifest.roster.digest.bytes));
    row("Snapshot", &|h| {
        digest(h, &manifest.snapshot.path, &manifest.snapshot.digest.blake3, manifest.snapshot.digest.bytes)
    });
    if let Some(earlier) = &manifest.earlier {
        row("Earlier snapshot", &|h| digest(h, &earlier.path, &earlier.digest.blake3, earlier.digest.bytes));
    }
    if !manifest.after.is_empty() {
        row("Earlier plans", &|h| manifest.after.iter().for_each(|wave| earlier_plan(h, wave)));
    }
    row("Plan", &|h| {
        h.raw("made ").text(times::day_and_time(&manifest.made_at)).raw(" UTC by ").text(&manifest.tool);
        h.raw(" <span class=\"note\">plan.parquet, BLAKE3</span> <code class=\"digest\">").text(manifest.plan_digest());
        h.raw("</code>");
    });
    row("Manifest", &|h| {
        h.raw("sealed <span class=\"note\">manifest.json, BLAKE3</span> <code class=\"digest\">");
        h.text(&facts.manifest_digest).raw("</code>");
    });
    if let Some(journal) = &facts.journal {
        row("Journal", &|h| journaled(h, journal));
    }
    row("Columns", &|h| mapping(h, facts));
    row("Policy", &|h| policy(h, facts));
    row("This page", &|h| {
        h.raw("made ").text(times::day_and_time(&facts.told_at)).raw(" UTC by rosterdiff ");
        h.raw(env!("CARGO_PKG_VERSION")).raw(", from plan and journal alone");
    });
    html.raw("</dl><p class=\"note\">These digests are read here, not proven. Whether any file was altered since is found by</p>");
    html.raw("<code class=\"command\">")
        .text(format_args!("rosterdiff verify --offline {}", files::quoted(&facts.dir)))
        .raw("</code>");
}

/// What an earlier plan had come to when it was asked.
fn earlier_plan(html: &mut Html, wave: &Wave) {
    html.raw("<div>").people(&wave.path).raw(" <span class=\"note\">");
    let told = wave.rows.iter().filter(|(_, n)| **n > 0);
    let told: Vec<String> = told.map(|(what, n)| format!("{} {}", Number(*n), what.replace('_', " "))).collect();
    html.text(told.join(", ")).raw("; manifest.json, BLAKE3</span> <code class=\"digest\">");
    html.text(&wave.manifest).raw("</code></div>");
}

fn journaled(html: &mut Html, journal: &Journaled) {
    html.text(Number(journal.n_lines)).raw(" lines, the last of ");
    html.text(journal.last_at.as_deref().map_or_else(String::new, times::day_and_time)).raw(" UTC");
    if journal.n_bytes_torn > 0 {
        html.raw("; behind it ").text(Number(journal.n_bytes_torn)).raw(" bytes of a line that is not whole");
    }
    html.raw(" <span class=\"note\">end of its chain</span> <code class=\"digest\">")
        .text(&journal.chain)
        .raw("</code>");
}

fn mapping(html: &mut Html, facts: &Facts) {
    let named = &facts.manifest.mapping;
    let one = |html: &mut Html, field: &'static str, headers: &[&String]| {
        html.raw(field).raw(" = ");
        for (at, header) in headers.iter().enumerate() {
            html.raw(if at == 0 { "“" } else { " + “" }).people(header).raw("”");
        }
    };
    one(html, "email", &[&named.email]);
    let names: Vec<&String> = named.name.iter().chain(&named.name_else).collect();
    let others = [
        ("department", &named.department),
        ("title", &named.title),
        ("division", &named.division),
        ("phone", &named.phone),
        ("employee-id", &named.employee_id),
    ];
    if !names.is_empty() {
        html.raw(", ");
        one(html, "name", &names);
    }
    for (field, header) in others {
        if let Some(header) = header {
            html.raw(", ");
            one(html, field, &[header]);
        }
    }
}

fn policy(html: &mut Html, facts: &Facts) {
    let manifest = &facts.manifest;
    html.raw("of several rows with one address ").raw(match manifest.keep {
        crate::plan::Keep::First => "the first stands",
        crate::plan::Keep::Last => "the last stands",
        crate::plan::Keep::None => "none stands",
    });
    let defaults = [
        ("department", &manifest.defaults.department),
        ("title", &manifest.defaults.title),
        ("division", &manifest.defaults.division),
    ];
    for (field, value) in defaults {
        if let Some(value) = value {
            html.raw("; ").raw(field).raw(" where empty: “").people(value).raw("”");
        }
    }
    html.raw(if manifest.folds.plus { "; what follows a plus sign is folded" } else { "" });
    html.raw(if manifest.folds.gmail_dots { "; dots of Gmail are folded" } else { "" });
    for (old, new) in &manifest.folds.aliases {
        html.raw("; ").text(old).raw(" is ").text(new);
    }
    html.raw(if manifest.restore_deleted { "; deleted users are restored" } else { "; deleted users are left alone" });
}
