//! Rules that matter are tests, not paragraphs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn sources(dir: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut todo = vec![Path::new(ROOT).join(dir)];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(ROOT).unwrap().display().to_string();
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

const PARQUET: &[&str] =
    &["src/files/parquet.rs", "src/files/parquet/groups.rs", "src/files/parquet/table.rs", "src/files/foreign.rs"];

const ARGS: &[&str] = &[
    "src/cli/args.rs",
    "src/cli/args/comparing.rs",
    "src/cli/args/completing.rs",
    "src/cli/args/reading.rs",
    "src/cli/args/report.rs",
    "src/cli/args/running.rs",
    "src/cli/args/settings.rs",
    "src/cli/args/wrong.rs",
    "src/cli/args/simulated.rs",
];

/// Which room a module is in, and how far down it stands: imports point down, or stay in the room.
fn depth(module: &str) -> u8 {
    match module {
        "error" | "cells" | "columns" | "email" | "lanes" | "name" | "number" | "person" | "phone" | "reason"
        | "strings" => 0,
        "roster" | "snapshot" | "plan" | "audit" => 1,
        "api" | "take" | "probe" | "find" | "apply" | "stepwise" | "rollback" | "restore" | "files" | "verify"
        | "doctor" | "report" | "sim" => 2,
        "cli" => 3,
        other => panic!("module {other} has no place in the house: give it one here and in ARCHITECTURE.md"),
    }
}

fn module_of(file: &str) -> String {
    file.trim_start_matches("src/").split(['/', '.']).next().unwrap().to_owned()
}

/// Modules of this crate that a source imports or names, its tests left out.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<&str> = code.collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let names =
                group.split('}').next().unwrap().split(',').map(|n| n.trim().split("::").next().unwrap().to_owned());
            found.extend(names.filter(|n| !n.is_empty()));
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

#[test]
fn imports_point_down_from_door_to_hands_to_rooms_to_words() {
    for (file, text) in sources("src") {
        let from = module_of(&file);
        if ["lib", "main"].contains(&from.as_str()) {
            continue;
        }
        for to in imports(&text) {
            assert!(depth(&to) <= depth(&from), "{file} ({from}) imports {to}, which is above it");
        }
    }
}

#[test]
fn the_simulator_knows_the_wire_and_nothing_else_of_the_client() {
    for (file, text) in
        sources("src/sim").into_iter().chain(sources("src").into_iter().filter(|(f, _)| f == "src/sim.rs"))
    {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (at, _) in code.match_indices("crate::").filter(|(at, _)| !code[..*at].ends_with("//! ")) {
            let rest = &code[at..];
            assert!(
                rest.starts_with("crate::api::wire") || rest.starts_with("crate::sim"),
                "{file}: {}",
                rest.lines().next().unwrap()
            );
        }
    }
}

#[test]
fn only_a_rollback_can_delete_and_only_a_restoration_can_change_a_user() {
    let own = ["src/api.rs", "src/api/changes.rs"];
    let wire = ["src/api/wire.rs", "src/api/http.rs"];
    for (file, text) in sources("src").into_iter().filter(|(file, _)| !file.starts_with("src/sim")) {
        let allowed = |needle: &str, homes: &[&str]| {
            assert!(!text.contains(needle) || homes.contains(&file.as_str()), "{needle} in {file}");
        };
        for method in ["Method::Patch", "Method::Delete"] {
            allowed(method, &[&own[..], &wire].concat());
        }
        allowed("Remover", &[&own[..], &["src/rollback.rs"]].concat());
        allowed("Restorer", &[&own[..], &["src/restore.rs"]].concat());
    }
}

#[test]
fn each_package_has_one_home() {
    let homes: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("clap", ARGS),
        ("reqwest", &["src/api/http.rs"][..]),
        ("arrow", PARQUET),
        ("parquet", PARQUET),
        ("calamine", &["src/files/xlsx.rs", "src/files/xlsx/cell.rs", "src/files/xlsx/losses.rs"]),
        ("zip", &["src/files/xlsx/package.rs"]),
        ("encoding_rs", &["src/roster/encoding.rs", "src/roster/encoding/tests.rs"]),
        ("axum", &["src/sim/server.rs"]),
        ("indicatif", &["src/cli/render.rs"]),
        ("terminal_size", &["src/cli/render.rs"]),
        ("idna", &["src/email.rs", "src/email/likeness.rs"]),
        ("unicode_security", &["src/email/likeness.rs"]),
        ("unicode_script", &["src/name.rs"]),
        (
            "jiff",
            &[
                "src/cli.rs",
                "src/cli/resume.rs",
                "src/cli/verify.rs",
                "src/cli/doctor.rs",
                "src/report/times.rs",
                "src/sim/codec.rs",
            ],
        ),
        ("tempfile", &["src/files/atomic.rs"]),
        ("clap_complete", &["src/cli/args/completing.rs"]),
        ("toml", &["src/cli/config.rs", "src/cli/config/values.rs", "src/cli/profile.rs", "src/sim/scenario.rs"]),
        ("hyper_util", &["src/api/proxy.rs"]),
    ]);
    for (file, text) in sources("src") {
        for (package, allowed) in &homes {
            let used = text.lines().map(str::trim_start).filter(|l| !l.starts_with("//")).any(|line| {
                line.starts_with(&format!("use {package}::"))
                    || (line.contains(&format!(" {package}::")) && !line.contains("crate"))
            });
            let local = *package == "parquet" && text.contains("use crate::files::");
            assert!(!used || local || allowed.contains(&file.as_str()), "{package} is used in {file}");
        }
    }
}

#[test]
fn only_render_prints_and_only_the_door_reads_the_environment_and_the_clock() {
    for (file, text) in sources("src") {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (needle, homes) in [
            ("println!", &["src/cli/render.rs"][..]),
            ("eprint!", &["src/cli/render.rs"]),
            ("env::var", &["src/cli/connect.rs"]),
            ("Timestamp::now", &["src/cli.rs", "src/cli/resume.rs", "src/cli/verify.rs", "src/cli/doctor.rs"]),
            ("SystemTime::now", &[]),
        ] {
            assert!(!code.contains(needle) || homes.contains(&file.as_str()), "{needle} in {file}");
        }
    }
}

#[test]
fn files_stay_under_five_hundred_lines_and_functions_under_seventy() {
    for (file, text) in sources("src").into_iter().chain(sources("tests")).chain(sources("benches")) {
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() < 500, "{file} has {} lines", lines.len());
        assert!(
            file.starts_with("tests") || file.ends_with("main.rs") || text.starts_with("//!"),
            "{file} says nothing about itself"
        );
        let mut begun: Option<(usize, usize)> = None;
        for (at, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_fn = [
                "fn ",
                "pub fn ",
                "async fn ",
                "pub async fn ",
                "pub(super) fn ",
                "pub(super) async fn ",
                "pub(crate) fn ",
            ]
            .iter()
            .any(|start| line.trim_start().starts_with(start));
            if is_fn && line.ends_with('{') {
                begun = Some((at, indent));
            }
            if let Some((start, column)) = begun
                && line.trim() == "}"
                && indent == column
            {
                assert!(at - start <= 70, "{file}, line {}: a function of {} lines", start + 1, at - start);
                begun = None;
            }
        }
    }
}

#[test]
fn names_avoid_words_that_mean_nothing() {
    const BANNED: [&str; 8] = ["manager", "handler", "helper", "util", "processor", "data", "info", "sync"];
    for (file, text) in sources("src").into_iter().chain(sources("tests")) {
        let stem = PathBuf::from(&file).file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!BANNED.contains(&stem.as_str()), "{file}");
        for line in text.lines().map(str::trim_start) {
            let name = ["fn ", "struct ", "enum ", "mod ", "trait ", "type "].iter().find_map(|kind| {
                let at = line.find(kind).filter(|at| line[..*at].is_empty() || line[..*at].starts_with("pub"))?;
                let rest = &line[at + kind.len()..];
                Some(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>().to_lowercase())
            });
            let words = name.iter().flat_map(|n| n.split('_'));
            let bad = words
                .filter(|w| BANNED.contains(w))
                .find(|_| !(line.contains("sync_dir") || line.contains("fn data(") || line.contains("type Data = ")));
            assert!(bad.is_none(), "{file}: {line}");
        }
    }
}

#[test]
fn the_map_of_the_house_names_every_module() {
    let map = std::fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    for (file, _) in sources("src") {
        let short = file.trim_start_matches("src/");
        let parent = short.split('/').next().unwrap().trim_end_matches(".rs");
        assert!(
            map.contains(&format!("`{short}`")) || ["cli", "sim"].contains(&parent),
            "ARCHITECTURE.md does not know {file}"
        );
    }
}
