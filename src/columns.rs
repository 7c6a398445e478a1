//! The only place where a column is spelt.
//!
//! In frames and parquet tool columns have these names; in CSVs they are prefixed with `_` and stand after the source
//! columns.

/// Row number: 1 is the first data record of the roster.
pub const ROW: &str = "row";
/// Physical line of the roster at which the record starts, 1-based.
pub const LINE: &str = "line";
/// Normalised e-mail.
pub const KEY: &str = "key";
/// `new`, `present`, `deleted`, `duplicate` or `invalid`.
pub const VERDICT: &str = "verdict";
/// Stable code that says why.
pub const REASON: &str = "reason";
/// Normalisation rules that fired on either side of the match, joined by `+`.
pub const RULES: &str = "rules";
/// Id of the existing holder, or of the created user.
pub const USER_ID: &str = "user_id";
/// State of that user.
pub const USER_STATE: &str = "user_state";
/// E-mail of that user as the organisation spells it.
pub const USER_EMAIL: &str = "user_email";
/// How many users hold the key.
pub const HOLDERS: &str = "holders";
/// Row that stands for a duplicate's key.
pub const FIRST_ROW: &str = "first_row";
/// Columns that disagree with the kept row (duplicate) or with the organisation (present).
pub const DIFFERS: &str = "differs";
/// Surplus cells of a ragged record, as they stand in the roster (CSVs only).
pub const EXTRA: &str = "extra";
/// What became of a `new` row.
pub const OUTCOME: &str = "outcome";
/// HTTP status of the reply that decided.
pub const HTTP_STATUS: &str = "http_status";
/// The service's error code.
pub const CODE: &str = "code";
/// The service's words, or what came instead of a reply.
pub const MESSAGE: &str = "message";
/// The service's correlation id.
pub const CORRELATION_ID: &str = "correlation_id";
/// Creates sent for the row that were not proven unprocessed.
pub const ATTEMPTS: &str = "attempts";
/// When the outcome was recorded, RFC 3339, UTC.
pub const AT: &str = "at";

/// In how many earlier plans a row was refused.
pub const REFUSED: &str = "refused";
/// Whether anything that a create sends was changed since, `yes` or `no`.
pub const CHANGED: &str = "changed";

/// In what a suspect resembles another.
pub const LIKENESS: &str = "likeness";
/// Where that other is: `roster` or `organisation`.
pub const RESEMBLES: &str = "resembles";
/// Its row.
pub const OTHER_ROW: &str = "other_row";
/// Its line.
pub const OTHER_LINE: &str = "other_line";
/// Its address.
pub const OTHER_EMAIL: &str = "other_email";
/// Its name.
pub const OTHER_NAME: &str = "other_name";

/// Address that is sent on create: cleaned, its case kept.
pub const EMAIL: &str = "email";
/// Full name.
pub const NAME: &str = "name";
/// Department.
pub const DEPARTMENT: &str = "department";
/// Job title.
pub const TITLE: &str = "title";
/// Division, by its name.
pub const DIVISION: &str = "division";
/// Work phone in E.164.
pub const PHONE: &str = "phone";

/// Number of a cluster of people with something in common.
pub const CLUSTER: &str = "cluster";
/// How many are in it.
pub const SIZE: &str = "size";
/// The file that one of them is in.
pub const MEMBER: &str = "member";
/// `roster` or `org`.
pub const KIND: &str = "kind";
/// Whether it is the one that stands, `yes` or `no`.
pub const KEPT: &str = "kept";
/// What decided that.
pub const POLICY: &str = "policy";
/// Columns that disagree with the one that stands.
pub const DISAGREES: &str = "disagrees";
/// Employee id.
pub const EMPLOYEE_ID: &str = "employee_id";
/// Further e-mail addresses of a user, in a snapshot, joined by a blank.
pub const CONTACTS: &str = "contacts";

/// User id in a snapshot.
pub const ID: &str = "id";
/// What is known of a row, in bits (frames only).
pub const FACTS: &str = "facts";

/// Login name in a snapshot.
pub const USERNAME: &str = "username";
/// State in a snapshot, or of a user in a cluster.
pub const STATE: &str = "state";
/// Version in a snapshot.
pub const VERSION: &str = "version";
/// Normalised username in a snapshot, null where it equals the key.
pub const USERNAME_KEY: &str = "username_key";

/// Tool columns of the five verdict CSVs and of `diff`, in order.
pub const PLAN_TOOL: [&str; 13] =
    [ROW, LINE, KEY, VERDICT, REASON, RULES, USER_ID, USER_STATE, USER_EMAIL, HOLDERS, FIRST_ROW, DIFFERS, EXTRA];

/// Tool columns that an outcome adds, in order.
pub const RESULT_TOOL: [&str; 7] = [OUTCOME, HTTP_STATUS, CODE, MESSAGE, CORRELATION_ID, ATTEMPTS, AT];

/// Tool columns that `again.csv` has behind those of the plan, in order.
pub const AGAIN_TOOL: [&str; 4] = [REFUSED, CODE, MESSAGE, CHANGED];

/// How many of `names` come before the bare tool columns at their end: the parquet of an earlier run has such.
///
/// Bare names are words that others use too (`code`, `at`, `line`), so only a run from `row` on that has a verdict
/// counts: nobody else makes one.
#[must_use]
pub fn n_before_tools(names: &[&str]) -> usize {
    let is_bare = |name: &&str| PLAN_TOOL.contains(name) || RESULT_TOOL.contains(name);
    let run = names.iter().rposition(|name| *name == ROW).filter(|at| names[*at..].iter().all(is_bare));
    run.filter(|at| names[*at..].contains(&VERDICT)).unwrap_or(names.len())
}

/// Whether a CSV header cell is one of our tool columns.
#[must_use]
pub fn is_tool(header: &str) -> bool {
    let tools = [&PLAN_TOOL[..], &RESULT_TOOL, &AGAIN_TOOL];
    header.strip_prefix('_').is_some_and(|name| tools.iter().any(|tools| tools.contains(&name)))
}
