//! `rosterdiff.toml`: what would be typed every time. A flag wins over the environment, that over the file.

use std::process::Command;

use super::front::Raw;
use super::world::{NOWHERE, World, command, contents, fast, people};
use crate::support::{Ran, run, scratch};

const ORG: &str = "email,state\nada@example.com,active\nbob@new.example,active\n";
const ROSTER: &str = "Who,Mail Box,Team\n\
                      Ada,ADA@example.com,Sales\n\
                      Ada P,ada+hr@example.com,Sales\n\
                      Bob,bob@old.example,Ops\n\
                      Cyd,cyd@example.com,Ops\n\
                      Cyd Two,cyd@example.com,IT\n";
const MAP: &str = "[roster.map]\nemail = \"Mail Box\"\nname = \"Who\"\n";

/// A directory with roster, export and settings.
fn dir(settings: &str) -> tempfile::TempDir {
    let dir = scratch();
    for (name, text) in [("hr.csv", ROSTER), ("org.csv", ORG), ("rosterdiff.toml", settings)] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

/// Runs `diff` of those, with flags that are split at blanks but for `_` within.
fn diff(settings: &str, flags: &str) -> Ran {
    let dir = dir(settings);
    let mut command = command(dir.path(), NOWHERE, "diff hr.csv --snapshot org.csv --verdict all");
    Ran::of(command.args(flags.split_whitespace().map(|flag| flag.replace('_', " "))).output().unwrap())
}

fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

#[test]
fn a_setting_does_what_its_flag_does() {
    let plain = done(diff(MAP, ""));
    for (settings, flags) in [
        ("[rules]\nkeep = \"last\"\n", "--keep last"),
        ("[rules]\nkeep = \"none\"\n", "--keep none"),
        ("[rules]\nfold_plus = true\n", "--fold-plus"),
        ("[rules]\ndomain_alias = { \"old.example\" = \"new.example\" }\n", "--domain-alias old.example=new.example"),
        ("[roster.map]\nemail = \"Mail Box\"\n", "--map email=Mail_Box"),
    ] {
        let (by_file, by_flag) = if settings.starts_with("[roster") {
            (done(diff(settings, "")), done(diff("", flags)))
        } else {
            (done(diff(&format!("{MAP}{settings}"), "")), done(diff(MAP, flags)))
        };
        assert_eq!(by_file.out, by_flag.out, "{settings}");
        assert_ne!(by_file.out, plain.out, "{settings} does nothing");
        assert!(by_file.err.starts_with("Settings: rosterdiff.toml\n"), "{}", by_file.err);
    }
}

#[test]
fn a_flag_wins_over_the_file_field_by_field_and_what_it_does_not_say_stays() {
    let columns = |ran: &Ran| ran.err.lines().find(|line| line.starts_with("Columns: ")).unwrap().to_owned();
    let by_file = done(diff(&format!("{MAP}title = \"Team\"\n"), ""));
    assert_eq!(columns(&by_file), "Columns: email = \"Mail Box\", name = \"Who\", title = \"Team\"");
    let mixed = done(diff(&format!("{MAP}title = \"Team\"\n"), "--map title= --map department=Team"));
    assert_eq!(columns(&mixed), "Columns: email = \"Mail Box\", name = \"Who\", department = \"Team\"");
    // A domain that the file and a flag send elsewhere goes where the flag says; another stays.
    let settings =
        format!("{MAP}[rules.domain_alias]\n\"old.example\" = \"else.example\"\n\"x.example\" = \"new.example\"\n");
    let mixed = done(diff(&settings, "--domain-alias OLD.example=new.example"));
    assert_eq!(mixed.out, done(diff(MAP, "--domain-alias old.example=new.example")).out);
    let kept = done(diff(&format!("{MAP}[rules]\nkeep = \"last\"\n"), "--keep first"));
    assert_eq!(kept.out, done(diff(MAP, "")).out);
}

#[test]
fn what_comes_from_the_file_is_told_and_what_a_flag_says_otherwise_too() {
    let settings = format!("{MAP}[rules]\nkeep = \"last\"\n[connection]\ntokens = 4\n");
    let told = |flags: &str| done(diff(&settings, flags)).err;
    let verbose = told("-v --keep none");
    assert!(verbose.starts_with("Settings: rosterdiff.toml\n  line 2: roster.map.email = \"Mail Box\"\n"), "{verbose}");
    assert!(verbose.contains("  line 5: rules.keep does not count: --keep was said elsewhere\n"), "{verbose}");
    assert!(!verbose.contains("tokens"), "diff has no use for it: {verbose}");
    assert!(told("").starts_with("Settings: rosterdiff.toml\nColumns: "), "{}", told(""));
    assert_eq!(told("-q"), "");
    let nothing = done(diff("[connection]\ntokens = 4\n", "--map email=Mail_Box"));
    assert!(!nothing.err.contains("Settings: "), "nothing of it is used: {nothing:?}");
    let object = done(diff(&settings, "--json -o new.csv"));
    assert_eq!(object.json()["rows"], 5);
}

#[test]
fn the_file_is_looked_for_here_and_nowhere_above_and_can_be_named_or_left_out() {
    let dir = dir(MAP);
    let line = "diff hr.csv --snapshot org.csv";
    let says = |line: &str, what: &str| {
        let ran = run(dir.path(), line);
        assert!(ran.err.contains(what), "{line}: {ran:?}");
        ran.code
    };
    assert_eq!(says(&format!("{line} --no-config"), "no e-mail column"), Some(3));
    std::fs::rename(dir.path().join("rosterdiff.toml"), dir.path().join("prod.toml")).unwrap();
    assert_eq!(says(line, "no e-mail column"), Some(3));
    assert_eq!(says(&format!("--config prod.toml {line}"), "Settings: prod.toml"), Some(0));
    std::os::unix::fs::symlink("prod.toml", dir.path().join("rosterdiff.toml")).unwrap();
    assert_eq!(says(line, "Settings: rosterdiff.toml"), Some(0));
    std::fs::create_dir(dir.path().join("below")).unwrap();
    for name in ["hr.csv", "org.csv"] {
        std::fs::copy(dir.path().join(name), dir.path().join("below").join(name)).unwrap();
    }
    let below = run(&dir.path().join("below"), line);
    assert!(below.code == Some(3) && !below.err.contains("Settings"), "{below:?}");
}

#[test]
fn a_file_that_cannot_be_one_of_settings_is_refused_and_nobody_waits_for_it() {
    let refused = |make: &dyn Fn(&std::path::Path), what: &str| {
        let dir = dir("");
        let path = dir.path().join("rosterdiff.toml");
        std::fs::remove_file(&path).unwrap();
        make(&path);
        let ran = run(dir.path(), "diff hr.csv --snapshot org.csv");
        assert!(ran.code == Some(3) && ran.err.contains(what) && ran.err.contains("hint: "), "{what}: {ran:?}");
    };
    refused(&|path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()), "is not a plain file");
    refused(&|path| std::fs::create_dir(path).unwrap(), "is a directory");
    refused(&|path| std::fs::write(path, vec![b'#'; (1 << 20) + 1]).unwrap(), "more than a MiB");
    refused(&|path| std::fs::write(path, b"[roster]\n# \xff\n").unwrap(), "line 2: not UTF-8");
}

#[test]
fn commands_without_use_for_settings_do_not_read_them_and_others_pass_over_what_is_not_theirs() {
    let world = World::planned(fast(), &people(3));
    world.write("rosterdiff.toml", "this is no TOML");
    for line in ["status hr.plan", "completions bash", "init hr.csv -o other.toml", "demo --dir look -q"] {
        world.done(line);
    }
    assert_eq!(world.run("doctor").code, Some(3));
    world.write("rosterdiff.toml", "[connection]\ntokens = 4\nper_min = 60000\nsettle = 5\n[rules]\nkeep = \"last\"\n");
    let ran = world.done("verify hr.plan --offline");
    assert!(!ran.err.contains("cannot be said together"), "{ran:?}");
    world.done("apply hr.plan --yes -v");
    world.done("verify hr.plan");
}

#[test]
fn the_environment_wins_over_the_file_and_a_flag_over_both() {
    let world = World::new(fast());
    let url = world.server.base_url();
    let settings = |url: &str| world.write("rosterdiff.toml", format!("[connection]\napi_url = \"{url}\"\n"));
    settings(NOWHERE);
    world.done("snapshot");
    settings(&url);
    assert_eq!(Ran::of(world.command("snapshot").env_remove("ROSTERDIFF_API_URL").output().unwrap()).code, Some(0));
    let flag = world.run(&format!("snapshot --api-url {NOWHERE}"));
    assert_eq!(flag.code, Some(6), "{flag:?}");
}

#[test]
fn a_file_that_was_merely_found_sends_credentials_nowhere_else_than_somebody_said() {
    const REGION: &str = "GENESYSCLOUD_REGION";
    let world = World::new(fast());
    let url = world.server.base_url();
    let profile =
        "[jp]\nenvironment = 'mypurecloud.jp'\nclient_credentials = 'demo-client'\nclient_secret = 'demo-secret'\n";
    std::fs::create_dir(world.path(".gc")).unwrap();
    world.write(".gc/config.toml", profile);
    world.write("rosterdiff.toml", format!("[connection]\napi_url = \"{url}\"\n"));
    let run = |line: &str, region: &str| {
        let mut command = world.command(line);
        command.env_remove("ROSTERDIFF_API_URL").env("HOME", world.dir.path()).env(REGION, region);
        Ran::of(command.output().unwrap())
    };
    let refused = |line: &str, region: &str, other: &str| {
        let ran = run(line, region);
        assert_eq!((ran.code, world.n_requests()), (Some(2), 0), "{line}: {ran:?}");
        let what = format!(
            "connection.{}_url = \"{url}\", and {other} says otherwise",
            if other.starts_with("--api") { "login" } else { "api" }
        );
        assert!(ran.err.contains("error: rosterdiff.toml, line 2: ") && ran.err.contains(&what), "{ran:?}");
    };
    refused("snapshot --profile jp", "", "--profile jp");
    refused("snapshot", "mypurecloud.de", REGION);
    refused("snapshot --login-url http://localhost:9", "", "--login-url or ROSTERDIFF_LOGIN_URL");
    world.write("rosterdiff.toml", format!("[connection]\nlogin_url = \"{url}\"\n"));
    refused("snapshot --api-url http://localhost:9", "", "--api-url or ROSTERDIFF_API_URL");
    // Who says where, or names the file, is heard; and the host is told.
    world.write("rosterdiff.toml", format!("[connection]\napi_url = \"{url}\"\n"));
    for (line, region) in [
        ("snapshot", ""),
        ("snapshot --config rosterdiff.toml", "mypurecloud.de"),
        ("snapshot --config rosterdiff.toml --profile jp", ""),
    ] {
        let ran = run(line, region);
        let told = format!("Settings: rosterdiff.toml (api_url: {url})\n");
        assert!(ran.code == Some(0) && ran.err.contains(&told), "{line}: {ran:?}");
    }
    let ran = run(&format!("snapshot --api-url {url}"), "mypurecloud.de");
    assert!(ran.code == Some(0) && !ran.err.contains("Settings: "), "{ran:?}");
}

#[test]
fn a_switch_of_the_file_can_be_switched_off_and_stands_anywhere_alone() {
    let settings = format!(
        "{MAP}[rules]\nfold_plus = true\nfold_gmail_dots = true\nhold_suspects = true\n[roster]\nno_header = true\n"
    );
    let off = "--no-header=false --fold-plus=false --fold-gmail-dots=false";
    let ran = done(diff(&settings, &format!("-v {off}")));
    assert_eq!(ran.out, done(diff(MAP, "")).out);
    let dir = dir(&settings);
    let plan = run(dir.path(), &format!("plan hr.csv --snapshot org.csv -v --hold-suspects=false {off}"));
    let flags = [
        ("roster.no_header", "no-header"),
        ("rules.fold_plus", "fold-plus"),
        ("rules.fold_gmail_dots", "fold-gmail-dots"),
    ];
    for (key, flag) in flags.into_iter().chain([("rules.hold_suspects", "hold-suspects")]) {
        let told = format!("{key} does not count: --{flag} was said elsewhere\n");
        assert!(plan.err.contains(&told), "{plan:?}");
        assert!(ran.err.contains(&told) || flag == "hold-suspects", "{ran:?}");
    }
    std::fs::write(dir.path().join("rosterdiff.toml"), MAP).unwrap();
    let alone = run(dir.path(), "diff --fold-plus hr.csv --snapshot org.csv --verdict all");
    assert_eq!(done(alone).out, done(diff(MAP, "--fold-plus=true")).out);
    let wrong = diff(MAP, "--fold-plus=maybe");
    assert!(wrong.code == Some(2) && wrong.err.contains("it is one of true or false"), "{wrong:?}");
}

#[test]
fn canaries_of_the_file_can_be_left_out_for_once() {
    let world = World::planned(fast(), &people(3));
    world.write("rosterdiff.toml", "[gates]\ncanary = 1\n");
    let ran = world.done("apply hr.plan --yes -v --canary 0");
    // Canaries are read back, and that is told.
    assert!(!ran.err.contains("Verified: "), "{ran:?}");
    assert_eq!(world.n_posts(), 3);
}

#[test]
fn an_error_is_not_laid_to_a_setting_whose_letters_it_only_holds() {
    let dir = dir(&format!("{MAP}[roster]\nsheet = 1\n"));
    let ran = run(dir.path(), "diff hr.csv --snapshot gone1.csv");
    assert!(ran.code == Some(3) && ran.err.contains("gone1.csv") && !ran.err.contains("said in"), "{ran:?}");
}

#[test]
fn the_command_that_goes_on_names_the_file_or_that_there_is_none() {
    let world = World::planned(fast(), &people(40));
    world.server.with_org(|org| {
        org.after_each(|_, request, reply| {
            if request.path == "/api/v2/users" && !request.body.is_empty() {
                (reply.status, reply.body) = (400, br#"{"code":"invalid.value","status":400}"#.to_vec());
            }
        });
    });
    world.write("rosterdiff.toml", "this is no TOML");
    world.write("my prod.toml", "[gates]\ncanary = 2\nmax_failures = \"90%\"\n");
    for (flags, shown) in
        [(&["--no-config"][..], "--no-config"), (&["--config", "my prod.toml"], "--config 'my prod.toml'")]
    {
        let mut command = world.command("apply hr.plan --yes --canary 2");
        let ran = Ran::of(command.args(flags).output().unwrap());
        let line = ran
            .err
            .lines()
            .find_map(|line| line.strip_prefix("To go on: rosterdiff "))
            .unwrap_or_else(|| panic!("{ran:?}"));
        assert!(line.ends_with(shown), "{line}");
        assert_eq!(line.contains("--max-failures 90% "), shown.starts_with("--config"), "{line}");
        // As it is shown it can be typed: the file that is no TOML is not read.
        let words = line.strip_suffix(shown).unwrap().split_whitespace();
        let again = Ran::of(world.command("").args(words).args(flags).output().unwrap());
        assert_eq!(again.code, ran.code, "{again:?}");
    }
}

/// To which host a login goes, as a proxy hears it.
fn login_host(settings: &str, env: &[(&str, &str)]) -> String {
    let dir = scratch();
    let proxy = Raw::saying(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n".to_vec());
    std::fs::write(dir.path().join("rosterdiff.toml"), settings).unwrap();
    std::fs::create_dir(dir.path().join(".gc")).unwrap();
    let profile = "[jp]\nenvironment = 'mypurecloud.jp'\nclient_credentials = 'x'\nclient_secret = 'y'\n";
    std::fs::write(dir.path().join(".gc/config.toml"), profile).unwrap();
    let mut command = command(dir.path(), NOWHERE, "snapshot");
    command.env_remove("ROSTERDIFF_API_URL").env("HTTPS_PROXY", proxy.url()).env("HOME", dir.path());
    for (name, value) in env {
        if value.is_empty() {
            command.env_remove(name)
        } else {
            command.env(name, value)
        };
    }
    let ran = Ran::of(command.output().unwrap());
    let heard = proxy.heard();
    let first = heard.first().unwrap_or_else(|| panic!("nobody was asked: {ran:?}"));
    first.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn a_region_of_the_file_counts_where_the_environment_has_credentials_and_none() {
    const FILE: &str = "[connection]\nregion = \"eu_central_1\"\n";
    const GONE: [(&str, &str); 2] = [("GENESYSCLOUD_OAUTHCLIENT_ID", ""), ("GENESYSCLOUD_OAUTHCLIENT_SECRET", "")];
    assert_eq!(login_host(FILE, &[]), "login.mypurecloud.de:443");
    assert_eq!(login_host(FILE, &[("GENESYSCLOUD_REGION", "mypurecloud.ie")]), "login.mypurecloud.ie:443");
    // A profile is taken whole: its region is its own, and the environment's credentials come before it.
    let profile = format!("{FILE}profile = \"jp\"\n");
    assert_eq!(login_host(&profile, &GONE), "login.mypurecloud.jp:443");
    assert_eq!(login_host(&profile, &[]), "login.mypurecloud.de:443");
}

#[test]
fn a_limit_of_the_file_is_the_plans_and_accepts_nothing_behind_it() {
    let world = World::new(fast());
    world.write("hr.csv", people(40));
    world.done("snapshot -o org.parquet -q");
    world.write("rosterdiff.toml", "[gates]\nmax_creates = 5\n");
    let plan = world.done("plan hr.csv --snapshot org.parquet -o hr.plan --json");
    assert!(plan.json()["gates"].to_string().contains("creates"), "{plan:?}");
    // A greater number comes too late: the plan has said that there are too many.
    world.write("rosterdiff.toml", "[gates]\nmax_creates = 500\nage_max = 48\n");
    let apply = world.run("apply hr.plan --yes");
    assert_eq!((apply.code, world.n_posts()), (Some(4), 0), "{apply:?}");
    world.done("apply hr.plan --yes --max-creates 500");
    assert_eq!(world.n_posts(), 40);
}

#[test]
fn gates_of_a_run_are_taken_from_the_file() {
    let world = World::planned(fast(), &people(3));
    world.age_plan(31 * 3_600);
    assert_eq!(world.run("apply hr.plan --yes").code, Some(4));
    world.write("rosterdiff.toml", "[gates]\nage_max = 48\ncanary = 1\nmax_failures = 99\n");
    // Nobody uses the gates of a run, so nobody is told of them.
    let ran = world.done("verify hr.plan --offline");
    assert!(!ran.err.contains("gates."), "{ran:?}");
    let ran = world.done("apply hr.plan --yes");
    let told = "Settings: rosterdiff.toml\n  line 2: gates.age_max = \"48\" instead of the built-in 24\n  \
                line 4: gates.max_failures = \"99\" instead of the built-in 50%\n";
    assert!(ran.err.contains(told) && !ran.err.contains("gates.canary"), "{ran:?}");
    assert_eq!(world.n_posts(), 3);
}

#[test]
fn no_file_of_settings_is_ever_written_by_a_command_that_reads_one() {
    let dir = dir(MAP);
    let before = contents(dir.path());
    assert_eq!(run(dir.path(), "diff hr.csv --snapshot org.csv").code, Some(0));
    assert!(contents(dir.path()) == before);
}
