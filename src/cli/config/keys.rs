//! The settings that there are: the one list for reading a file, for writing one, and for naming what was meant.

/// What a setting is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `"text"`, and a number where that may be meant.
    Text,
    /// `4`.
    Number,
    /// `100` or `"5%"`.
    Limit,
    /// `true` or `false`.
    Switch,
    /// `{ field = "Column", … }`.
    Columns,
    /// `{ "old.example" = "new.example" }`.
    Pairs,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its section.
    pub section: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The flag that says the same.
    pub flag: &'static str,
    /// What it is written as.
    pub shape: Shape,
    /// What is built in, or an example where nothing is; as it is written.
    pub example: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
}

const fn key(
    section: &'static str,
    name: &'static str,
    flag: &'static str,
    shape: Shape,
    example: &'static str,
    about: &'static str,
) -> Key {
    Key { section, name, flag, shape, example, about }
}

/// What each section is about, in the order of a written file.
pub(in crate::cli) const SECTIONS: [(&str, &str); 5] = [
    ("roster", "How the roster is read."),
    ("rules", "Who is who."),
    ("defaults", "What new users are created with where the roster says nothing."),
    ("gates", "What stops a run before it goes too far. What accepts a danger is a flag and never stands here."),
    (
        "connection",
        "Where the organisation is. Secrets come from the environment or ~/.gc/config.toml, never from here.",
    ),
];

/// All settings, in the order of a written file.
#[rustfmt::skip]
pub const KEYS: [Key; 26] = [
    key("roster", "delimiter", "delimiter", Shape::Text, "\";\"", "What parts the cells: one character, or \"tab\". Found out if left out."),
    key("roster", "encoding", "encoding", Shape::Text, "\"windows-1252\"", "utf-8, utf-16le, utf-16be or windows-1252. Found out if left out."),
    key("roster", "sheet", "sheet", Shape::Text, "1", "Sheet of a workbook, by name or number. The first visible one that holds anything if left out."),
    key("roster", "no_header", "no-header", Shape::Switch, "false", "The first line is a record already: columns are numbers, as in email = 2."),
    key("roster", "threads", "threads", Shape::Number, "4", "Threads to read and compare with. As many as there are cores if left out."),
    key("roster", "map", "map", Shape::Columns, "{ email = \"Work Email\", name = [\"First Name\", \"Last Name\"], title = \"\" }", "Which column holds what. \"\" leaves a field out."),
    key("rules", "keep", "keep", Shape::Text, "\"first\"", "Which of several rows with one key stands: first, last or none."),
    key("rules", "fold_plus", "fold-plus", Shape::Switch, "false", "Addresses that differ by what follows a plus sign are one person's."),
    key("rules", "fold_gmail_dots", "fold-gmail-dots", Shape::Switch, "false", "Addresses at gmail.com that differ by dots are one person's."),
    key("rules", "hold_suspects", "hold-suspects", Shape::Switch, "false", "New rows that resemble somebody are not created until somebody has looked at suspects.csv."),
    key("rules", "domain_alias", "domain-alias", Shape::Pairs, "{ \"old.example\" = \"new.example\" }", "Domains that were renamed: addresses at either are one person's."),
    key("defaults", "department", "default", Shape::Text, "\"New hires\"", "Department."),
    key("defaults", "title", "default", Shape::Text, "\"Agent\"", "Job title."),
    key("defaults", "division", "default", Shape::Text, "\"Home\"", "Division, by name or id; it has to exist."),
    key("gates", "max_creates", "max-creates", Shape::Limit, "\"5%\"", "Most users that may be created: a number, or a share of the rows. `plan` notes it, `apply` obeys. No limit if left out."),
    key("gates", "max_failures", "max-failures", Shape::Limit, "\"50%\"", "`apply` stops when more rows than this, or more of the last 200, were refused or stay unknown."),
    key("gates", "age_max", "age-max", Shape::Number, "24", "Hours that what proves a plan may be old."),
    key("gates", "canary", "canary", Shape::Number, "5", "So many rows go ahead, and the others follow only if those are there as they were sent. None if left out or 0."),
    key("connection", "region", "region", Shape::Text, "\"mypurecloud.de\"", "Host or AWS region of the organisation; GENESYSCLOUD_REGION wins over it."),
    key("connection", "profile", "profile", Shape::Text, "\"prod\"", "Profile of ~/.gc/config.toml, where the environment has no credentials."),
    key("connection", "api_url", "api-url", Shape::Text, "\"http://127.0.0.1:8080\"", "Replaces the region's API host. Hosts that are neither loopback nor Genesys' own only in a file that --config names."),
    key("connection", "login_url", "login-url", Shape::Text, "\"http://127.0.0.1:8080\"", "Replaces the region's login host. As for api_url."),
    key("connection", "ca_file", "ca-file", Shape::Text, "\"company-ca.pem\"", "PEM file of certificate authorities to trust beside the system's. Only in a file that --config names."),
    key("connection", "tokens", "tokens", Shape::Number, "1", "OAuth tokens to spread calls over; each has its own limit at the service."),
    key("connection", "per_min", "per-min", Shape::Number, "300", "Cap on calls a minute for the whole run. What the service allows if left out."),
    key("connection", "settle", "settle", Shape::Number, "180", "Seconds for which an unknown create is looked for before it may be sent again."),
];

impl Key {
    /// The setting of a section by its name.
    pub(super) fn find(section: &str, name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.section == section && key.name == name)
    }

    /// The one command that it means something to, if its flag means something else to another. `apply` takes its limit of
    /// creates from the plan: one of a file would accept, unseen, what the plan has said too much of.
    pub(super) fn only(&self) -> Option<&'static str> {
        (self.name == "max_creates").then_some("plan")
    }
}
