//! Where credentials and region come from: one source, whole, and what is missing is named.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::world::{World, fast, people};
use crate::support::Ran;

const ID: &str = "GENESYSCLOUD_OAUTHCLIENT_ID";
const SECRET: &str = "GENESYSCLOUD_OAUTHCLIENT_SECRET";
const TOKEN: &str = "GENESYSCLOUD_ACCESS_TOKEN";
const CANARY: &str = "canary-profile-3e9b";
const GOOD: &str = "Client_Credentials = 'demo-client'\nCLIENT_SECRET = \"demo-secret\"\n";

/// A home directory in the world, with these profiles, for its owner's eyes.
fn home(world: &World, profiles: &str) {
    std::fs::create_dir_all(world.path("home/.gc")).unwrap();
    world.write("home/.gc/config.toml", profiles);
    permit(&world.path("home/.gc/config.toml"), 0o600);
}

fn permit(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// A command at home, without credentials in the environment.
fn at_home(world: &World, line: &str) -> Command {
    let mut command = world.command(line);
    command.env("HOME", world.path("home")).env_remove(ID).env_remove(SECRET);
    command
}

fn ran(command: &mut Command) -> Ran {
    Ran::of(command.output().unwrap())
}

/// It ends with `code`, names all of `names`, says what to do and shows no secret.
fn refused(command: &mut Command, code: i32, names: &[&str]) -> Ran {
    let ran = ran(command);
    assert_eq!(ran.code, Some(code), "{ran:?}");
    for name in names {
        assert!(ran.err.contains(name), "{name}: {ran:?}");
    }
    assert!(ran.err.contains("hint: ") && !format!("{ran:?}").contains(CANARY), "{ran:?}");
    ran
}

fn n_mints(world: &World) -> u64 {
    world.server.with_org(|org| org.counts().n("POST", "/oauth/token"))
}

#[test]
fn a_profile_is_found_in_any_case() {
    let world = World::new(fast());
    home(&world, &format!("[Sim]\n{GOOD}[other]\nclient_credentials = 'x'\nclient_secret = 'x'\n"));
    let ran = ran(&mut at_home(&world, "snapshot --profile sIM"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn the_profile_asked_for_the_environment_and_the_default_come_in_this_order() {
    let world = World::new(fast());
    let bad = format!("client_credentials = 'x'\nclient_secret = '{CANARY}'\n");
    home(&world, &format!("[default]\n{GOOD}[bad]\n{bad}"));
    assert_eq!(ran(&mut at_home(&world, "snapshot")).code, Some(0));
    refused(at_home(&world, "snapshot").env(ID, "demo-client").env(SECRET, CANARY), 5, &["invalid_client"]);
    refused(
        at_home(&world, "snapshot --profile bad").env(ID, "demo-client").env(SECRET, "demo-secret"),
        5,
        &["invalid_client"],
    );
}

#[test]
fn half_a_source_is_not_filled_up_from_another() {
    let world = World::new(fast());
    home(&world, &format!("[default]\n{GOOD}[half]\nclient_credentials = 'x'\nsecret = '{CANARY}'\n"));
    refused(at_home(&world, "snapshot").env(SECRET, CANARY), 5, &[ID, TOKEN, "--profile"]);
    let mut command = at_home(&world, "snapshot --profile half");
    refused(command.env(SECRET, "demo-secret"), 5, &["half", "client_secret", "config.toml"]);
    assert_eq!(n_mints(&world), 0);
}

#[test]
fn without_any_credentials_all_three_ways_are_named() {
    let world = World::new(fast());
    home(&world, "[other]\n");
    for command in [&mut at_home(&world, "snapshot"), at_home(&world, "snapshot").env_remove("HOME")] {
        refused(command, 5, &["no credentials", ID, SECRET, TOKEN, "--profile"]);
    }
}

#[test]
fn an_unknown_profile_is_told_those_that_exist() {
    let world = World::new(fast());
    home(&world, &format!("[default]\n{GOOD}[Prod]\nclient_secret = '{CANARY}'\n"));
    refused(&mut at_home(&world, "snapshot --profile prud"), 5, &["prud", "default", "Prod", "config.toml"]);
    std::fs::remove_file(world.path("home/.gc/config.toml")).unwrap();
    refused(&mut at_home(&world, "snapshot --profile prud"), 5, &["prud", "config.toml", "does not exist"]);
    refused(at_home(&world, "snapshot --profile prud").env_remove("HOME"), 5, &["prud", "HOME"]);
}

#[test]
fn a_file_of_profiles_that_cannot_be_parsed_is_named_by_line_and_never_shown() {
    let world = World::new(fast());
    home(&world, &format!("[default]\nclient_secret = {CANARY}\n"));
    refused(&mut at_home(&world, "snapshot -v"), 3, &["home/.gc/config.toml", "line 2"]);
    // What is not needed is not read.
    assert_eq!(ran(at_home(&world, "snapshot").env(ID, "demo-client").env(SECRET, "demo-secret")).code, Some(0));
}

#[test]
fn a_file_of_profiles_that_others_may_read_is_warned_of_once() {
    let world = World::new(fast());
    home(&world, &format!("[default]\n{GOOD}"));
    let warnings = |line: &str| ran(&mut at_home(&world, line)).err.matches("warning: ").count();
    assert_eq!(warnings("snapshot"), 0);
    permit(&world.path("home/.gc/config.toml"), 0o640);
    assert_eq!(warnings("snapshot"), 1);
    assert_eq!(warnings("snapshot -q"), 0);
}

#[test]
fn a_profile_that_nobody_asked_for_is_named_with_its_region_and_the_one_that_it_passes_over() {
    let world = World::new(fast());
    home(&world, &format!("[default]\nenvironment = 'mypurecloud.de'\n{GOOD}"));
    let told = |line: &str, region: &str| ran(at_home(&world, line).env("GENESYSCLOUD_REGION", region)).err;
    let other = told("snapshot", "us-east-1");
    assert_eq!(other.matches("profile \"DEFAULT\"").count(), 1, "{other}");
    assert!(other.contains("region mypurecloud.de") && other.contains("GENESYSCLOUD_REGION is us-east-1"), "{other}");
    let same = told("snapshot -o b.parquet", "eu_central_1");
    assert!(same.contains("profile \"DEFAULT\"") && !same.contains("GENESYSCLOUD_REGION"), "{same}");
    let asked = told("snapshot -o c.parquet --profile default", "us-east-1");
    assert!(!asked.contains("Credentials: "), "{asked}");
}

#[test]
fn a_plan_against_an_export_goes_on_without_half_set_or_unreadable_credentials_and_says_so() {
    let world = World::new(fast());
    world.write("hr.csv", people(1));
    world.write("export.csv", "email\nzoe@example.com\n");
    let warned = |command: &mut Command, name: &str, lack: &str| {
        let ran = ran(command);
        assert_eq!(ran.code, Some(9), "{ran:?}");
        let warning = ran.err.lines().find(|line| line.starts_with("warning: ")).unwrap();
        assert!(warning.contains(name) && warning.contains(lack), "{warning}");
        assert!(ran.err.matches("going on without credentials").count() == 1 && !ran.err.contains(CANARY), "{ran:?}");
    };
    home(&world, &format!("[default]\nclient_credentials = 'x'\nsecret = '{CANARY}'\n"));
    let line = |n: u32| at_home(&world, &format!("plan hr.csv --snapshot export.csv -o {n}.plan"));
    warned(line(1).env(SECRET, CANARY), ID, "is not set");
    warned(&mut line(2), "DEFAULT", "client_secret");
    home(&world, &format!("[default]\nclient_secret = {CANARY}\n"));
    warned(&mut line(3), "home/.gc/config.toml", "line 2");
    refused(&mut at_home(&world, "plan hr.csv --snapshot export.csv -o 4.plan --profile default"), 3, &["line 2"]);
    home(&world, "[default]\nenvironment = 'mypurecloud.de'\n");
    assert!(!ran(&mut line(5)).err.contains("warning"), "nobody half-set anything");
    assert_eq!(n_mints(&world), 0);
}

#[test]
fn a_token_that_cannot_be_sent_ends_the_run_at_once() {
    let world = World::new(fast());
    refused(at_home(&world, "snapshot").env(TOKEN, format!("{CANARY}\u{7f}\n{CANARY}")), 5, &["cannot be sent"]);
    assert_eq!(world.server.with_org(|org| org.counts().by_status.len()), 0);
}

#[test]
fn a_profile_brings_its_own_region() {
    let world = World::new(fast());
    home(&world, &format!("[mars]\nenvironment = 'mars-north-1'\n{GOOD}[nowhere]\n{GOOD}"));
    let offline = |profile: &str| {
        let mut command = at_home(&world, &format!("snapshot --profile {profile}"));
        command.env_remove("ROSTERDIFF_API_URL").env("GENESYSCLOUD_REGION", "eu-central-1");
        command
    };
    refused(&mut offline("mars"), 2, &["mars-north-1"]);
    refused(&mut offline("nowhere"), 2, &["nowhere", "environment"]);
    assert_eq!(n_mints(&world), 0);
}

#[test]
fn an_access_token_is_used_as_it_is_and_wins_over_a_client() {
    let world = World::new(fast());
    let token = world.server.with_org(|org| org.issue_token(Duration::ZERO));
    home(&world, &format!("[t]\naccess_token = '{token}'\nclient_credentials = 'x'\nclient_secret = '{CANARY}'\n"));
    for command in [
        &mut at_home(&world, "snapshot --profile t -o a.parquet"),
        at_home(&world, "snapshot -o b.parquet").env(TOKEN, &token),
        at_home(&world, "snapshot -o c.parquet").env(TOKEN, &token).env(ID, "x").env(SECRET, CANARY),
    ] {
        let ran = ran(command);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(!format!("{ran:?}").contains(&token), "{ran:?}");
    }
    assert_eq!(n_mints(&world), 0);
}

#[test]
fn a_token_that_is_not_accepted_ends_the_run_at_once() {
    let world = World::new(fast());
    home(&world, "");
    refused(at_home(&world, "snapshot -v").env(TOKEN, CANARY), 5, &["access token", "expired or was revoked"]);
    world.server.with_org(|org| assert_eq!((org.counts().n_status(401), n("POST", "/oauth/token", org)), (1, 0)));
}

fn n(method: &str, route: &str, org: &rosterdiff::sim::Org) -> u64 {
    org.counts().n(method, route)
}

#[test]
fn a_token_revoked_in_the_middle_of_a_run_loses_nobody() {
    let world = World::planned(fast(), &people(60));
    let token = world.server.with_org(|org| {
        org.before_each(|org, _, _| {
            if org.counts().n("POST", "/api/v2/users") == 20 {
                org.revoke_tokens();
            }
        });
        org.issue_token(Duration::ZERO)
    });
    let n_minted = n_mints(&world);
    let mut apply = world.command("apply hr.plan --yes --json");
    let ran = refused(apply.env(TOKEN, token), 5, &["access token", "expired or was revoked"]);
    assert_eq!((ran.code, n_mints(&world)), (Some(5), n_minted));
    world.server.with_org(|org| org.before_each(|_, _, _| {}));
    let rest = world.done("apply hr.plan --yes --json").json();
    assert_eq!((&rest["created"], &rest["unknown"]), (&60.into(), &0.into()));
    assert_eq!(world.server.with_org(|org| org.counts().n_conflicts()), 0);
}

#[test]
fn one_token_cannot_be_several() {
    let world = World::new(fast());
    refused(world.command("snapshot --tokens 2").env(TOKEN, CANARY), 2, &["--tokens 2", "access token"]);
}
