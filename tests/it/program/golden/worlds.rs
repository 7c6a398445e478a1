//! What there is before somebody types something wrong.

use rosterdiff::sim::{Org, Settings};

use crate::program::world::{World, fast, people};
use crate::support::workbook::workbook;

const EXPORT: &str = "email,state\nada@example.com,active\n";
/// A secret that nothing may show.
const CANARY: &str = "canary-golden-71c4";

/// Three people, an export of an organisation, and nobody in the organisation itself.
pub fn plain() -> World {
    let world = World::new(fast());
    world.write("hr.csv", people(3));
    world.write("org.csv", EXPORT);
    world
}

/// The same with another roster.
fn roster(bytes: &[u8]) -> World {
    let world = plain();
    world.write("hr.csv", bytes);
    world
}

pub fn empty_roster() -> World {
    roster(b"")
}

pub fn directory() -> World {
    let world = plain();
    std::fs::create_dir(world.path("people")).unwrap();
    world
}

pub fn private_address() -> World {
    roster(b"Name,Personal Email,Team\nAda,ada@example.com,Sales\n")
}

pub fn no_address() -> World {
    roster(b"Name,Team\nAda,Sales\n")
}

pub fn two_keys() -> World {
    roster(b"Email,Work Email\na@example.com,b@example.com\n")
}

pub fn headless() -> World {
    roster(b"Ada Lovelace,ada@example.com\n")
}

pub fn two_names() -> World {
    roster(b"Name,Email,name\nAda,a@example.com,Ada\n")
}

pub fn open_quote() -> World {
    roster(b"Email,Name\na@example.com,A\nb@example.com,\"B\nc@example.com,C\n")
}

pub fn strange_bytes() -> World {
    roster(b"Email,Name\na@example.com,M\x81ller\n")
}

pub fn utf32() -> World {
    roster(b"\xff\xfe\0\0E\0\0\0m\0\0\0a\0\0\0i\0\0\0l\0\0\0\n\0\0\0")
}

pub fn damaged_table() -> World {
    let world = plain();
    world.write("hr.parquet", [&b"PAR1"[..], &[7; 400], &b"\x40\0\0\0PAR1"[..]].concat());
    world
}

pub fn damaged_workbook() -> World {
    let world = plain();
    world.write("hr.xlsx", [&b"PK\x03\x04"[..], &[7; 400]].concat());
    world
}

pub fn book() -> World {
    let world = plain();
    world.write("hr.xlsx", workbook(&[("People", &[(1, &["Email", "Name"]), (2, &["ada@example.com", "Ada"])])]));
    world
}

pub fn torn_export() -> World {
    let world = plain();
    world.write("org.csv", "email,name\nada@example.com,Ada\nbob@example.com,Bob \"Bobby\" Day\n");
    world
}

pub fn strange_seed() -> World {
    let world = plain();
    world.write("people.csv", "name,town\nAda,London\n");
    world
}

pub fn scenario() -> World {
    let world = plain();
    world.write("day.toml", "[service]\nrate_alowed = 3\n");
    world
}

/// A file of settings beside the roster.
fn settings(text: &str) -> World {
    let world = plain();
    world.write("rosterdiff.toml", text);
    world
}

pub fn unknown_setting() -> World {
    settings("[roster]\ndelimeter = \";\"\n")
}

pub fn unknown_section() -> World {
    settings("# ours\n\n[rooster]\ndelimiter = \";\"\n")
}

pub fn wrong_section() -> World {
    settings("[rules]\ntokens = 4\n")
}

pub fn wrong_type() -> World {
    settings("[connection]\nper_min = 300\ntokens = \"4\"\n")
}

pub fn wrong_value() -> World {
    settings("[connection]\ntokens = 400\n")
}

pub fn danger() -> World {
    settings("[gates]\nmax_creates = 500\naccept_low_match = true\n")
}

pub fn secret() -> World {
    settings(&format!("[connection]\nregion = \"mypurecloud.de\"\nclient_secret = \"{CANARY}\"\n"))
}

pub fn no_toml() -> World {
    settings(&format!("[connection]\nprofile = {CANARY}\n"))
}

pub fn no_such_column() -> World {
    settings("[roster.map]\nemail = \"Work Mail\"\n")
}

pub fn no_such_field() -> World {
    settings("[roster]\nmap = { email = \"Email\", nmae = \"Name\" }\n")
}

pub fn strangers_host() -> World {
    settings("[connection]\napi_url = \"https://api.stranger.example\"\n")
}

/// Profiles at home, and a file that names another host.
pub fn found_host() -> World {
    let world = profiles();
    world.write("rosterdiff.toml", "[connection]\napi_url = \"http://127.0.0.1:9\"\n");
    world
}

pub fn unknown_region() -> World {
    settings("[connection]\nregion = \"mars-north-1\"\n")
}

pub fn no_authority() -> World {
    settings("[connection]\nca_file = \"company.pem\"\n")
}

/// Profiles at home.
pub fn profiles() -> World {
    let world = plain();
    std::fs::create_dir(world.path(".gc")).unwrap();
    let text = format!("[test]\nclient_credentials = 'x'\nclient_secret = '{CANARY}'\n");
    world.write(".gc/config.toml", text);
    std::fs::set_permissions(world.path(".gc/config.toml"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    world
}

/// A service that answers everything but logins so.
fn answering(status: u16, headers: &'static [(&'static str, &'static str)], body: &'static str) -> World {
    let world = plain();
    world.server.with_org(|org| {
        org.after_each(move |_, request, reply| {
            if request.path.starts_with("/api/") {
                (reply.status, reply.body) = (status, body.as_bytes().to_vec());
                reply.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            }
        });
    });
    world
}

pub fn forbidding() -> World {
    answering(403, &[], r#"{"code":"missing.permissions","message":"ask ada@example.com","status":403}"#)
}

pub fn throttling() -> World {
    answering(429, &[("retry-after", "600")], "{}")
}

pub fn redirecting() -> World {
    answering(302, &[("location", "https://login.example/?canary-location")], "")
}

pub fn portal() -> World {
    answering(200, &[("content-type", "text/html")], "<html>Welcome to the hotel</html>")
}

/// A plan that nobody has begun.
pub fn planned() -> World {
    World::planned(fast(), &people(3))
}

pub fn begun() -> World {
    let world = planned();
    world.done("apply hr.plan --yes -q");
    world
}

pub fn tampered_plan() -> World {
    let world = planned();
    let new = world.read("hr.plan/new.csv");
    world.write("hr.plan/new.csv", [&new[..], b"\n"].concat());
    world
}

pub fn tampered_manifest() -> World {
    let world = planned();
    let manifest = String::from_utf8(world.read("hr.plan/manifest.json")).unwrap();
    world.write("hr.plan/manifest.json", manifest.replace("\"new\": 3", "\"new\": 4"));
    world
}

pub fn damaged_manifest() -> World {
    let world = planned();
    world.write("hr.plan/manifest.json", "{\"format\": 1,");
    world
}

pub fn damaged_snapshot() -> World {
    let world = planned();
    let mut bytes = world.read("org.parquet");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    world.write("org.parquet", bytes);
    world
}

pub fn damaged_journal() -> World {
    let world = begun();
    let journal = String::from_utf8(world.read("hr.plan/journal.jsonl")).unwrap();
    let lines: Vec<&str> = journal.lines().collect();
    let kept: Vec<&str> = [&lines[..2], &lines[3..]].concat();
    world.write("hr.plan/journal.jsonl", kept.join("\n") + "\n");
    world
}

pub fn lost_journal() -> World {
    let world = begun();
    std::fs::remove_file(world.path("hr.plan/journal.jsonl")).unwrap();
    world
}

/// A plan that another process is at work on, as long as this one lives.
pub fn locked() -> World {
    let world = begun();
    let journal = std::fs::File::options().append(true).open(world.path("hr.plan/journal.jsonl")).unwrap();
    journal.lock().unwrap();
    std::mem::forget(journal);
    world
}

/// A plan of the day before yesterday.
pub fn stale() -> World {
    let world = planned();
    world.age_plan(31 * 3_600);
    world
}

pub fn of_tomorrow() -> World {
    let world = planned();
    world.age_plan(-31 * 3_600);
    world
}

/// A plan against an export, by somebody without credentials.
pub fn unproven() -> World {
    let world = plain();
    let mut plan = world.command("plan hr.csv --snapshot org.csv -o hr.plan -q");
    plan.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").env_remove("GENESYSCLOUD_OAUTHCLIENT_SECRET");
    assert_eq!(plan.output().unwrap().status.code(), Some(9));
    world
}

/// A plan that was begun in another organisation.
pub fn other_organisation() -> World {
    let world = planned();
    world.server.with_org(|org| *org = Org::new(Settings { seed: 2, ..fast() }));
    world
}

/// A service that takes no create.
pub fn refusing() -> World {
    let world = World::planned(fast(), &people(40));
    world.server.with_org(|org| {
        org.after_each(|_, request, reply| {
            if request.path == "/api/v2/users" && !request.body.is_empty() {
                (reply.status, reply.body) = (400, br#"{"code":"invalid.value","status":400}"#.to_vec());
            }
        });
    });
    world
}

/// An organisation whose listings stop, and 40 people of whom nobody is in it.
pub fn few_match() -> World {
    let mut org = Org::new(fast());
    org.seed_users(100);
    let world = World::of(org);
    world.write("hr.csv", people(40));
    world.plan();
    world
}

pub fn limited() -> World {
    let mut org = Org::new(fast());
    org.seed_csv(&people(30)).unwrap();
    let world = World::of(org);
    world.write("hr.csv", people(40));
    world.done("snapshot -o org.parquet -q");
    world.done("plan hr.csv --snapshot org.parquet -o hr.plan --max-creates 5 -q");
    world
}
