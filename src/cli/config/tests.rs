//! What a file of settings may say, and what is said of one that may not.

#![allow(clippy::unwrap_used)]
use super::*;

fn found(text: &str) -> Result<Vec<Entry>> {
    entries(NAME, text.as_bytes(), false)
}

fn flags(text: &str) -> Vec<String> {
    found(text).unwrap().into_iter().map(|entry| format!("{} --{} {}", entry.line, entry.flag, entry.value)).collect()
}

fn refused(text: &str) -> (String, String, Kind) {
    let error = found(text).unwrap_err();
    (error.to_string(), error.hint_text().unwrap().to_owned(), error.kind())
}

#[test]
fn a_setting_is_a_flag_that_was_not_typed() {
    let text = "[roster]\ndelimiter = \";\"\nsheet = 2\nno_header = true\nthreads = 0x4\n\
                map = { email = \"Work Email\", name = [\"First\", \"Last\"], title = \"\" }\n\
                [rules]\nkeep = \"last\"\nfold_plus = true\nfold_gmail_dots = false\n\
                domain_alias = { \"old.example\" = \"new.example\" }\n\
                [defaults]\ndepartment = \"New hires\"\n[gates]\nmax_creates = \"5%\"\nmax_failures = 10\n\
                [connection]\nregion = \"eu_central_1\"\napi_url = \"http://127.0.0.1:8080\"\ntokens = 4\n";
    let expected = [
        "2 --delimiter ;",
        "3 --sheet 2",
        "4 --no-header true",
        "5 --threads 4",
        "6 --map email=Work Email",
        "6 --map name=\"First\"+\"Last\"",
        "6 --map title=",
        "8 --keep last",
        "9 --fold-plus true",
        "11 --domain-alias old.example=new.example",
        "13 --default department=New hires",
        "15 --max-creates 5%",
        "16 --max-failures 10",
        "18 --region eu_central_1",
        "19 --api-url http://127.0.0.1:8080",
        "20 --tokens 4",
    ];
    assert_eq!(flags(text), expected);
    assert_eq!(
        flags("\u{feff}[roster.map]\r\nemail = 2\r\nname = [3, 4]\r\n"),
        ["2 --map email=2", "3 --map name=\"3\"+\"4\""]
    );
    assert_eq!(flags("# nothing\n[gates]\n"), Vec::<String>::new());
}

#[test]
fn every_setting_can_be_written_as_its_example_and_is_known_by_its_section() {
    for key in KEYS {
        let text = format!("[{}]\n{} = {}\n", key.section, key.name, key.example);
        entries(NAME, text.as_bytes(), true).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(SECTIONS.iter().any(|(section, _)| *section == key.section), "{}", key.name);
    }
}

#[test]
fn what_is_unknown_is_told_with_its_line_and_the_nearest_known_name() {
    for (text, what, hint) in [
        ("[rooster]\n", "line 1: there is no section [rooster]", "did you mean [roster]?"),
        (
            "\n[roster]\ndelimeter = 1\n",
            "line 3: there is no setting \"delimeter\" in [roster]",
            "did you mean delimiter?",
        ),
        ("keep = \"last\"\n", "line 1: there is no setting \"keep\"", "keep belongs under [rules]"),
        ("[rules]\ntokens = 4\n", "line 2: there is no setting \"tokens\" in [rules]", "belongs under [connection]"),
        ("[gates]\nshoe_size = 4\n", "no setting \"shoe_size\"", "`rosterdiff init ROSTER`"),
        (
            "[roster.map]\nemial = \"x\"\n",
            "line 2: roster.map does not know the field \"emial\"",
            "did you mean email?",
        ),
    ] {
        let (told, way, kind) = refused(text);
        assert!(told.starts_with(NAME) && told.contains(what), "{told}");
        assert!(way.contains(hint) && kind == Kind::Usage, "{way}");
    }
}

#[test]
fn what_is_of_another_type_is_told_in_words_and_with_what_is_wanted() {
    for (text, what, hint) in [
        ("[connection]\ntokens = \"4\"\n", "line 2: connection.tokens is text; it wants a whole number", "tokens = 1"),
        ("[connection]\ntokens = 4.5\n", "a number with a decimal point", "tokens = 1"),
        ("[roster]\ndelimiter = 59\n", "roster.delimiter is a number; it wants text", "delimiter = \";\""),
        ("[rules]\nfold_plus = \"yes\"\n", "it wants true or false", "fold_plus = false"),
        ("[gates]\nmax_creates = [1]\n", "is a list; it wants a whole number, or a share", "max_creates = \"5%\""),
        ("[gates]\ncanary = 2026-01-01\n", "is a date", "canary = 5"),
        ("[roster]\nmap = \"email\"\n", "it wants columns by field", "map = {"),
        ("[roster.map]\nname = [[1]]\n", "roster.map.name is a list", "map = {"),
        ("[roster.map]\nname = []\n", "roster.map.name is a list", "map = {"),
        ("[rules.domain_alias]\n\"a.example\" = 3\n", "rules.domain_alias.a.example is a number", "domain_alias = {"),
        ("roster = 3\n", "no setting \"roster\"", ""),
    ] {
        let (told, way, kind) = refused(text);
        assert!(told.contains(what) && way.contains(hint) && kind == Kind::Usage, "{text}: {told} / {way}");
        for word in ["f64", "usize", "u32", "invalid type", "Spanned", "DeValue"] {
            assert!(!told.contains(word) && !way.contains(word), "{told}");
        }
    }
}

#[test]
fn what_a_flag_refuses_is_refused_with_its_line_and_the_flags_own_words() {
    for (text, what) in [
        ("[connection]\ntokens = 51\n", "line 2: connection.tokens = \"51\": write a whole number from 1 to 50"),
        ("[connection]\ntokens = 99999999999999999999\n", "write a whole number from 1 to 50"),
        ("[roster]\ndelimiter = \"xx\"\n", "write one ASCII character"),
        ("[roster]\nencoding = \"ebcdic\"\n", "is not read here"),
        ("[rules]\nkeep = \"newest\"\n", "it is one of first, last or none"),
        ("[gates]\nage_max = 0\n", "write a whole number, 1 or more"),
        ("[gates]\nmax_creates = \"many\"\n", "max_creates = \"many\": "),
        ("[defaults]\ntitle = \" \"\n", "a default needs a value"),
        ("[rules.domain_alias]\n\"a b\" = \"new.example\"\n", "is no domain"),
        ("[rules.domain_alias]\n\"a.example\" = \"b.example\"\n\"b.example\" = \"c.example\"\n", "line 3: "),
        ("[connection]\nregion = \"mars\"\n", "unknown region"),
        ("[connection]\napi_url = \"http://example.com\"\n", "plain http to example.com is refused"),
    ] {
        let (told, _, kind) = refused(text);
        assert!(told.contains(what) && kind == Kind::Usage, "{text}: {told}");
    }
}

#[test]
fn what_accepts_a_danger_and_what_is_secret_cannot_stand_in_a_file_and_no_value_is_shown() {
    for section in ["gates", "connection", "roster", "accept"] {
        for name in [
            "accept_low_match",
            "accept_duplicate_rows",
            "accept_unproven",
            "yes",
            "restore_deleted",
            "overwrite",
            "accept-anything",
        ] {
            let (told, way, kind) = refused(&format!("[{section}]\n{name} = true\n").replace("[accept]\n", ""));
            assert!(told.contains(&format!("{name} cannot stand in a file")), "{told}");
            assert!(way.contains(&format!("--{}", name.replace('_', "-"))) && kind == Kind::Usage, "{way}");
        }
    }
    for name in ["client_secret", "client_id", "access_token", "token", "GENESYSCLOUD_OAUTHCLIENT_SECRET", "password"] {
        for text in [format!("[connection]\n{name} = \"canary-1\"\n"), format!("\n{name} = \"canary-1\"\n")] {
            let (told, way, _) = refused(&text);
            assert!(told.contains("line 2: ") && told.contains("cannot stand in a file"), "{told}");
            assert!(way.contains("~/.gc/config.toml") && !format!("{told}{way}").contains("canary"), "{told} {way}");
        }
    }
}

#[test]
fn a_file_that_was_merely_found_cannot_say_where_secrets_are_sent() {
    let text = "[connection]\nlogin_url = \"https://login.stranger.example\"\n";
    let (told, way, kind) = refused(text);
    assert!(told.contains("line 2: ") && way.contains("--config") && kind == Kind::Usage, "{told} {way}");
    assert_eq!(entries(NAME, text.as_bytes(), true).unwrap().len(), 1);
    for known in ["https://api.mypurecloud.de", "https://login.mypurecloud.ie/", "http://localhost:1", "http://[::1]:1"]
    {
        assert_eq!(flags(&format!("[connection]\napi_url = \"{known}\"\n")).len(), 1);
    }
    let (told, way, kind) = refused("[connection]\nca_file = \"company.pem\"\n");
    assert!(told.contains("whose certificates") && way.contains("--config") && kind == Kind::Usage, "{told} {way}");
    let (told, way, _) = refused("[connection]\napi_url = \"https://me:canary@api.mypurecloud.de\"\n");
    assert!(!format!("{told}{way}").contains("canary"), "{told} {way}");
}

#[test]
fn what_is_no_toml_is_named_by_line_and_never_shown() {
    for (text, line) in [
        (&b"[connection]\nclient_secret = canary\n"[..], "line 2"),
        (b"[roster]\n\ndelimiter = 'canary\n", "line 3"),
        (b"[roster]\nsheet = 'canary'\nsheet = 'canary'\n", "line 3"),
        (b"[roster]\nsheet = 'canary\xff'\n", "line 2"),
        (b"canary", "line 1"),
    ] {
        let error = entries(NAME, text, false).unwrap_err();
        let shown = format!("{error:?}");
        assert!(shown.contains(line) && !shown.contains("canary"), "{shown}");
        assert_eq!((error.kind(), error.hint_text().is_some()), (Kind::File, true));
    }
}

#[test]
fn what_lets_more_pass_than_is_built_in_is_known_with_what_is_built_in() {
    for (text, built_in) in [
        ("age_max = 25", Some("24")),
        ("age_max = 24", None),
        ("age_max = 12", None),
        ("max_failures = \"100%\"", Some("50%")),
        ("max_failures = 5000", Some("50%")),
        ("max_failures = \"50%\"", None),
        ("canary = 5", None),
    ] {
        let all = found(&format!("[gates]\n{text}\n")).unwrap();
        assert_eq!(all[0].loosens().as_deref(), built_in, "{text}");
    }
    assert_eq!(found("[connection]\nsettle = 5\n").unwrap()[0].loosens().as_deref(), Some("180"));
    assert_eq!(found("[connection]\nsettle = 300\n").unwrap()[0].loosens(), None);
}
