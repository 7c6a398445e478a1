//! What is typed, and what it has to end with.

use super::worlds as w;
use super::{Case, case};

const ID: &str = "GENESYSCLOUD_OAUTHCLIENT_ID";
const SECRET: &str = "GENESYSCLOUD_OAUTHCLIENT_SECRET";
const TOKEN: &str = "GENESYSCLOUD_ACCESS_TOKEN";
const REGION: &str = "GENESYSCLOUD_REGION";
const URL: &str = "ROSTERDIFF_API_URL";

/// With another environment.
fn with(env: &'static [(&'static str, &'static str)], case: Case) -> Case {
    Case { env, ..case }
}

pub fn typing() -> Vec<Case> {
    vec![
        case("typed-unknown-command", 2, w::plain, "aply hr.plan"),
        case("typed-unknown-flag", 2, w::plain, "diff hr.csv --snapshto org.csv"),
        case("typed-secret-as-flag", 2, w::plain, "snapshot --client-secret=canary-typed"),
        case("typed-no-roster", 2, w::plain, "plan"),
        case("typed-roster-behind-after", 2, w::plain, "plan --after first.plan hr.csv"),
        case("typed-no-snapshot", 2, w::plain, "diff hr.csv"),
        case("typed-no-directory", 2, w::plain, "apply"),
        case("typed-two-rosters", 2, w::plain, "plan hr.csv hr2.csv"),
        case("typed-no-value", 2, w::plain, "plan hr.csv --map"),
        case("typed-no-number", 2, w::plain, "plan hr.csv --tokens four"),
        case("typed-number-too-large", 2, w::plain, "snapshot --tokens 51"),
        case("typed-no-hours", 2, w::planned, "apply hr.plan --age-max 0"),
        case("typed-unknown-word", 2, w::plain, "plan hr.csv --keep newest"),
        case("typed-twice", 2, w::plain, "plan hr.csv --keep first --keep last"),
        case("typed-against-each-other", 2, w::plain, "status hr.plan -q -v"),
        case("typed-offline-with-tokens", 2, w::planned, "verify hr.plan --offline --tokens 4"),
        case("typed-unknown-shell", 2, w::plain, "completions tcsh"),
        case("typed-bad-delimiter", 2, w::plain, "diff hr.csv --snapshot org.csv --delimiter ab"),
        case("typed-bad-encoding", 2, w::plain, "diff hr.csv --snapshot org.csv --encoding ebcdic"),
        case("typed-map-without-column", 2, w::plain, "diff hr.csv --snapshot org.csv --map email"),
        case("typed-unknown-field", 2, w::plain, "diff hr.csv --snapshot org.csv --map shoe_size=Name"),
        case("typed-unknown-column", 2, w::plain, "diff hr.csv --snapshot org.csv --map email=Mail_Box"),
        case("typed-two-columns", 2, w::plain, "diff hr.csv --snapshot org.csv --map title=Name+Email"),
        case("typed-number-with-header", 2, w::plain, "diff hr.csv --snapshot org.csv --map email=2"),
        case("typed-default-without-value", 2, w::plain, "plan hr.csv --default phone=1"),
        case("typed-alias-without-new", 2, w::plain, "plan hr.csv --domain-alias old.example"),
        case(
            "typed-aliases-that-meet",
            2,
            w::plain,
            "plan hr.csv --snapshot org.csv --domain-alias a.example=b.example --domain-alias b.example=c.example",
        ),
        case("typed-bad-limit", 2, w::plain, "plan hr.csv --max-creates many"),
        case("typed-unknown-extension", 2, w::plain, "diff hr.csv --snapshot org.csv -o new.docx"),
        case("typed-json-without-file", 2, w::plain, "diff hr.csv --snapshot org.csv --json"),
        case("typed-stdin-without-name", 2, w::plain, "plan - --snapshot org.csv"),
        case("typed-nothing-to-audit", 2, w::plain, "audit"),
        case("typed-listen-elsewhere", 2, w::plain, "simulate --listen 0.0.0.0:8080"),
        case("typed-listen-nowhere", 2, w::plain, "simulate --listen here"),
        case("typed-config-and-none", 2, w::plain, "diff hr.csv --snapshot org.csv --config x.toml --no-config"),
    ]
}

pub fn settings() -> Vec<Case> {
    const DIFF: &str = "diff hr.csv --snapshot org.csv";
    vec![
        case("settings-unknown-key", 2, w::unknown_setting, DIFF),
        case("settings-unknown-section", 2, w::unknown_section, DIFF),
        case("settings-wrong-section", 2, w::wrong_section, DIFF),
        case("settings-wrong-type", 2, w::wrong_type, DIFF),
        case("settings-wrong-value", 2, w::wrong_value, DIFF),
        case("settings-danger", 2, w::danger, "apply hr.plan --yes"),
        case("settings-secret", 2, w::secret, "snapshot"),
        case("settings-no-toml", 3, w::no_toml, DIFF),
        case("settings-missing-file", 3, w::plain, "diff hr.csv --snapshot org.csv --config prod.toml"),
        case("settings-directory", 3, w::directory, "diff hr.csv --snapshot org.csv --config people"),
        case("settings-unknown-column", 2, w::no_such_column, DIFF),
        case("settings-unknown-field", 2, w::no_such_field, DIFF),
        case("settings-strangers-host", 2, w::strangers_host, "snapshot"),
        case("settings-unknown-region", 2, w::unknown_region, "snapshot"),
        case("settings-strangers-authority", 2, w::no_authority, "snapshot"),
        case("settings-no-authority", 3, w::no_authority, "snapshot --config rosterdiff.toml"),
        with(&[(URL, ""), (REGION, "mypurecloud.de")], case("settings-host-and-region", 2, w::found_host, "snapshot")),
        with(
            &[("HOME", "DIR"), (URL, "")],
            case("settings-host-and-profile", 2, w::found_host, "snapshot --profile test"),
        ),
        case("init-exists", 3, w::no_such_column, "init hr.csv"),
        case("init-is-the-roster", 3, w::plain, "init hr.csv -o hr.csv --overwrite"),
        case("init-question", 3, w::two_keys, "init hr.csv"),
        case("init-no-address", 3, w::no_address, "init hr.csv"),
    ]
}

pub fn files() -> Vec<Case> {
    const DIFF: &str = "diff hr.csv --snapshot org.csv";
    vec![
        case("roster-missing", 3, w::plain, "diff gone.csv --snapshot org.csv"),
        case("roster-directory", 3, w::directory, "diff people --snapshot org.csv"),
        case("roster-empty", 3, w::empty_roster, DIFF),
        case("roster-no-address", 3, w::no_address, DIFF),
        case("roster-private-address", 3, w::private_address, DIFF),
        case("roster-two-addresses", 3, w::two_keys, DIFF),
        case("roster-no-header", 3, w::headless, DIFF),
        case("roster-numbers-missing", 3, w::headless, "diff hr.csv --snapshot org.csv --no-header --map name=1"),
        case("roster-two-names", 3, w::two_names, DIFF),
        case("roster-open-quote", 3, w::open_quote, DIFF),
        case("roster-strange-bytes", 3, w::strange_bytes, DIFF),
        case("roster-utf32", 3, w::utf32, DIFF),
        case("roster-not-that-encoding", 3, w::plain, "diff hr.csv --snapshot org.csv --encoding utf-16le"),
        case("roster-damaged-parquet", 3, w::damaged_table, "diff hr.parquet --snapshot org.csv"),
        case("roster-damaged-workbook", 3, w::damaged_workbook, "diff hr.xlsx --snapshot org.csv"),
        case("roster-no-such-sheet", 2, w::book, "diff hr.xlsx --snapshot org.csv --sheet Payroll"),
        case("roster-inside-plan", 3, w::planned, "plan hr.plan/new.csv -o hr.plan --overwrite --snapshot org.parquet"),
        case("snapshot-missing", 3, w::plain, "diff hr.csv --snapshot gone.parquet"),
        case("snapshot-damaged", 8, w::damaged_snapshot, "diff hr.csv --snapshot org.parquet"),
        case("snapshot-torn-export", 3, w::torn_export, DIFF),
        case("output-is-input", 3, w::plain, "diff hr.csv --snapshot org.csv -o hr.csv"),
        case("output-nowhere", 3, w::plain, "diff hr.csv --snapshot org.csv -o nowhere/new.csv"),
        case("output-nowhere-plan", 3, w::plain, "plan hr.csv --snapshot org.csv -o nowhere/hr.plan"),
        case("scenario-unknown-name", 3, w::scenario, "simulate --scenario day.toml"),
        case("scenario-no-address", 3, w::strange_seed, "simulate --seed-csv people.csv"),
    ]
}

pub fn connection() -> Vec<Case> {
    vec![
        with(&[(ID, ""), (SECRET, "")], case("way-no-credentials", 5, w::plain, "snapshot")),
        with(&[(SECRET, "")], case("way-half-credentials", 5, w::plain, "snapshot")),
        with(&[(SECRET, "canary-wrong")], case("way-wrong-secret", 5, w::plain, "snapshot")),
        with(&[(TOKEN, "canary-old")], case("way-old-token", 5, w::plain, "snapshot")),
        with(&[(TOKEN, "canary-old")], case("way-tokens-of-a-token", 2, w::plain, "snapshot --tokens 4")),
        with(&[("HOME", "DIR")], case("way-no-such-profile", 5, w::profiles, "snapshot --profile prod")),
        with(&[(URL, "")], case("way-no-region", 2, w::plain, "snapshot")),
        with(&[(URL, ""), (REGION, "mars-north-1")], case("way-unknown-region", 2, w::plain, "snapshot")),
        case("way-plain-http", 2, w::plain, "snapshot --api-url http://api.example.com"),
        case("way-no-url", 2, w::plain, "snapshot --api-url api.example.com"),
        case("way-other-scheme", 2, w::plain, "snapshot --api-url ftp://127.0.0.1"),
        case("way-password-in-url", 2, w::plain, "snapshot --api-url https://me:canary-url@127.0.0.1"),
        case("way-no-authority", 3, w::plain, "snapshot --ca-file gone.pem"),
        case("way-authority-no-pem", 3, w::plain, "snapshot --ca-file hr.csv"),
        with(
            &[("HTTPS_PROXY", "socks5://127.0.0.1:9")],
            case(
                "way-proxy-of-another-kind",
                2,
                w::plain,
                "snapshot --api-url https://api.mypurecloud.de --login-url https://login.mypurecloud.de",
            ),
        ),
        case("way-nobody-there", 6, w::plain, "snapshot --api-url http://127.0.0.1:9"),
        case("way-forbidden", 5, w::forbidding, "snapshot"),
        case("way-redirect", 4, w::redirecting, "snapshot"),
        case("way-portal", 6, w::portal, "snapshot"),
        case("way-throttled", 6, w::throttling, "snapshot"),
    ]
}

pub fn plans() -> Vec<Case> {
    vec![
        case("plan-exists", 3, w::planned, "plan hr.csv --snapshot org.parquet -o hr.plan"),
        case("plan-begun", 3, w::begun, "plan hr.csv --snapshot org.parquet -o hr.plan --overwrite"),
        case("plan-folds-unproven", 4, w::plain, "plan hr.csv --snapshot org.csv --fold-plus"),
        case("plan-missing", 3, w::plain, "apply gone.plan --yes"),
        case("plan-is-a-file", 3, w::plain, "apply hr.csv --yes"),
        case("plan-tampered", 4, w::tampered_plan, "apply hr.plan --yes"),
        case("plan-tampered-manifest", 4, w::tampered_manifest, "apply hr.plan --yes"),
        case("plan-damaged-manifest", 8, w::damaged_manifest, "apply hr.plan --yes"),
        case("plan-stale", 4, w::stale, "apply hr.plan --yes --accept-empty-snapshot"),
        case("plan-of-tomorrow", 4, w::of_tomorrow, "apply hr.plan --yes --accept-empty-snapshot"),
        case("plan-unproven", 4, w::unproven, "apply hr.plan --yes --accept-empty-snapshot"),
        case("plan-not-confirmed", 4, w::few_match, "apply hr.plan --accept-low-match --accept-new-domains"),
        case("plan-other-organisation", 4, w::other_organisation, "apply hr.plan --yes --accept-empty-snapshot"),
        case("gate-nobody", 4, w::planned, "apply hr.plan --yes"),
        case("gate-low-match", 4, w::few_match, "apply hr.plan --yes"),
        case("gate-too-many", 4, w::limited, "apply hr.plan --yes"),
        case("run-canary", 4, w::refusing, "apply hr.plan --yes --accept-empty-snapshot --canary 2"),
        case("run-damaged-journal", 8, w::damaged_journal, "apply hr.plan --yes"),
        case("run-lost-journal", 8, w::lost_journal, "apply hr.plan --yes"),
        case("run-status-of-nothing", 3, w::plain, "status gone.plan"),
        case("rollback-of-nothing", 3, w::planned, "rollback hr.plan --yes"),
        case("rollback-not-confirmed", 4, w::begun, "rollback hr.plan"),
        case("run-locked", 4, w::locked, "apply hr.plan --yes"),
        case("verify-of-nothing", 3, w::planned, "verify hr.plan"),
        case("verify-damaged", 8, w::damaged_journal, "verify hr.plan --offline"),
    ]
}
