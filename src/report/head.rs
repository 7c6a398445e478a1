//! The answer at a glance: what came of it, what is proven, what is left to do.

use super::facts::{Facts, Stand};
use super::html::Html;
use crate::apply::Outcome;
use crate::files::quoted;
use crate::number::{Number, counted};

/// Something to do: in words, and the command for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    /// In words.
    pub what: String,
    /// What to type, if it is that.
    pub command: Option<String>,
}

/// The badge of a plan: one word in capitals, and the same in words.
#[must_use]
pub fn badge(facts: &Facts) -> (&'static str, &'static str) {
    match facts.stand {
        Stand::Planned => ("DRY RUN", "nothing was sent"),
        Stand::AtWork => ("AT WORK", "a run is going on at this moment"),
        Stand::CutOff => ("CUT OFF", "the last run did not come to its end"),
        Stand::Ended if facts.changed.has_begun => ("ROLLED BACK", "created users were deleted again"),
        Stand::Ended if n_left(facts) > 0 => ("STOPPED", "the run ended with rows left"),
        Stand::Ended => ("DONE", "every new row has its outcome"),
    }
}

/// Rows that another `apply` would do something for.
const fn n_left(facts: &Facts) -> u64 {
    let open = facts.outcomes.of(Outcome::Unknown) + facts.outcomes.of(Outcome::Unprocessed);
    open.saturating_sub(facts.held) + facts.restored.open()
}

/// Users that these runs made, whatever became of them since.
const fn n_made(facts: &Facts) -> u64 {
    facts.outcomes.of(Outcome::Created) + facts.outcomes.of(Outcome::Adopted)
}

/// `1 person`, `5 people`.
fn people(n: u64) -> String {
    counted(n, "person", "people")
}

/// `1 user`, `5 users`.
pub fn users(n: u64) -> String {
    counted(n, "user", "users")
}

/// What came of it, in one sentence.
#[must_use]
pub fn answer(facts: &Facts) -> String {
    let counts = &facts.manifest.counts;
    let (made, new) = (n_made(facts), counts.new);
    let of_new = format!("{} of {}", Number(made), counted(new, "new person", "new people"));
    match facts.stand {
        Stand::Planned if new == 0 && facts.restored.left == 0 => {
            "Nobody is missing: there is nothing to create".to_owned()
        }
        Stand::Planned if new == 0 => format!("{} to restore, nobody to create", people(facts.restored.left)),
        Stand::Planned => {
            format!("{} of {} would be created", people(new - facts.held), counted(counts.rows, "row", "rows"))
        }
        _ if facts.changed.has_begun => {
            format!("{} of {} created users were deleted again", Number(facts.changed.removed), Number(made))
        }
        Stand::AtWork => format!("{of_new} were created so far"),
        Stand::CutOff => format!("{of_new} were created; the run was cut off"),
        Stand::Ended if new == 0 && facts.restored.restored > 0 => {
            format!("{} restored", people(facts.restored.restored))
        }
        Stand::Ended if made == new => match new {
            0 => "Nobody was missing: there was nothing to create".to_owned(),
            1 => "The one new person is in the organisation".to_owned(),
            _ => format!("All {} new people are in the organisation", Number(new)),
        },
        Stand::Ended => format!("{of_new} were created"),
    }
}

/// What the plan's verdicts rest on: whether it is a proof, and in words.
#[must_use]
pub fn proof(facts: &Facts) -> (bool, String) {
    let manifest = &facts.manifest;
    let certificate = manifest.certificate.as_ref();
    match (certificate.filter(|c| c.complete), &manifest.probe) {
        (Some(complete), _) => {
            let users = users(complete.users());
            let what = format!(
                "Everybody in the organisation was seen: {users} of every state, as many as promised before and \
                 after the listing. So a row called new was nobody’s then."
            );
            (manifest.complete, what)
        }
        (None, Some(probe)) if manifest.complete => {
            let what = format!(
                "The listing alone proves nothing, so every address that nobody seemed to hold was looked up: {} \
                 addresses in {} searches, {} of them held.",
                Number(probe.keys),
                Number(probe.calls),
                Number(probe.held)
            );
            (true, what)
        }
        (None, probe) => {
            let listed = || {
                let export =
                    || vec!["the snapshot is somebody’s export, which may lack inactive and deleted users".to_owned()];
                certificate.map_or_else(export, crate::snapshot::Certificate::gaps)
            };
            let why = probe.as_ref().map_or_else(listed, crate::snapshot::Probe::gaps).join("; ");
            (false, format!("{why}. A row called new may exist all the same."))
        }
    }
}

/// What is left to do, most urgent first.
#[must_use]
pub fn todos(facts: &Facts) -> Vec<Todo> {
    let dir = quoted(&facts.dir);
    let say = |what: String, command: Option<String>| Todo { what, command };
    let mut todos = Vec::new();
    let verb = if facts.changed.has_begun { "rollback" } else { "apply" };
    match facts.stand {
        Stand::Planned => planned(facts, &dir, &mut todos),
        Stand::AtWork => {
            todos.push(say("See how far the run is:".to_owned(), Some(format!("rosterdiff status {dir}"))))
        }
        Stand::CutOff => {
            let what = "Go on where it was cut off; what may have happened is looked for first:";
            todos.push(say(what.to_owned(), Some(format!("rosterdiff {verb} {dir}"))));
        }
        Stand::Ended if facts.changed.unsure > 0 => {
            let what = format!("{} users may be deleted or not. This reads them again:", Number(facts.changed.unsure));
            todos.push(say(what, Some(format!("rosterdiff rollback {dir}"))));
        }
        Stand::Ended if !facts.changed.has_begun => ended(facts, &dir, &mut todos),
        Stand::Ended => {}
    }
    if facts.stand == Stand::Ended && n_made(facts) + facts.restored.restored > 0 {
        let what = "Read everybody back, field by field:".to_owned();
        todos.push(say(what, Some(format!("rosterdiff verify {dir}"))));
    }
    let n_deleted = facts.manifest.counts.deleted;
    if n_deleted > 0 && facts.manifest.to_restore() == 0 {
        let rows = counted(n_deleted, "row belongs to a deleted user", "rows belong to deleted users");
        let what =
            "and nobody is created for them: see deleted.csv; a plan with --restore-deleted brings such users back.";
        todos.push(say(format!("{rows}, {what}"), None));
    }
    if facts.manifest.counts.invalid > 0 {
        let rows = counted(facts.manifest.counts.invalid, "row is", "rows are");
        todos.push(say(format!("{rows} invalid: correct invalid.csv, and plan that file."), None));
    }
    todos
}

fn planned(facts: &Facts, dir: &str, todos: &mut Vec<Todo>) {
    let manifest = &facts.manifest;
    let say = |what: String, command: Option<String>| Todo { what, command };
    if manifest.mapping.name.is_empty() && manifest.mapping.name_else.is_none() && manifest.counts.new > 0 {
        let what = "The roster has no name column, and nobody can be created without a name: plan again with --map name=COLUMN.";
        todos.push(say(what.to_owned(), None));
        return;
    }
    let tripped = || manifest.gates.iter().filter(|gate| gate.tripped);
    let mut flags: Vec<String> = tripped().map(|gate| gate.accept(&manifest.to_create())).collect();
    if !manifest.complete || manifest.organisation_id.is_none() {
        flags.push("--accept-unproven".to_owned());
    }
    if manifest.suspect_rows > 0 {
        let rows = counted(manifest.suspect_rows, "new row resembles", "new rows resemble");
        todos.push(say(format!("Look at the suspects: {rows} somebody."), None));
    }
    if manifest.to_create().new + facts.restored.left == 0 {
        return;
    }
    let what = match flags.is_empty() {
        true => "When this is what you want:".to_owned(),
        false => {
            "Refused as it stands: look at the gates and at what is proven. If it is right all the same:".to_owned()
        }
    };
    let flags: String = flags.iter().map(|flag| format!(" {flag}")).collect();
    todos.push(say(what, Some(format!("rosterdiff apply {dir}{flags}"))));
}

fn ended(facts: &Facts, dir: &str, todos: &mut Vec<Todo>) {
    let say = |what: String, command: Option<String>| Todo { what, command };
    let (left, refused) = (n_left(facts), facts.outcomes.of(Outcome::Refused));
    if left > 0 {
        let what = format!("{} left. Go on:", counted(left, "row is", "rows are"));
        todos.push(say(what, Some(format!("rosterdiff apply {dir}"))));
    }
    if refused > 0 {
        let rows = counted(refused, "row was", "rows were");
        let what = format!("{rows} refused: correct refused.csv, then plan that file:");
        let file = quoted(&format!("{}/refused.csv", facts.dir.trim_end_matches('/')));
        todos.push(say(what, Some(format!("rosterdiff plan {file} --after {dir}"))));
    }
    if facts.held > 0 {
        let rows = counted(facts.held, "row is", "rows are");
        todos.push(say(format!("{rows} held back: the notes at these rows say why, and what frees them."), None));
    }
}

/// Writes what is left to do.
pub fn write_todos(html: &mut Html, facts: &Facts) {
    let todos = todos(facts);
    if todos.is_empty() {
        html.raw("<p>Nothing.</p>");
        return;
    }
    html.raw("<ul class=\"todos\">");
    for todo in todos {
        html.raw("<li>").text(&todo.what);
        if let Some(command) = &todo.command {
            html.raw("<code class=\"command\">").text(command).raw("</code>");
        }
        html.raw("</li>");
    }
    html.raw("</ul>");
}
