//! What each help text ends with: examples that work, as a test runs every one of them, and what the exit codes mean.

pub(super) const SHORT: &str = "Begin with `rosterdiff demo`. Examples: rosterdiff <COMMAND> --help";

pub(super) const ALL: &str = "\
See it first, on sample data and a simulated organisation:
  rosterdiff demo

Then four steps; nothing is changed at the service before the third:
  rosterdiff snapshot -o org.parquet
      who is there, with proof that nobody is missing
  rosterdiff plan hr.csv --snapshot org.parquet
      a verdict for every row, in hr.plan, to look through
  rosterdiff apply hr.plan --yes
      creates the new rows; the same command resumes
  rosterdiff verify hr.plan
      reads them back and proves the sums

Before them, if you like: `init` writes the settings down, `doctor` says how long it will take.

Exit codes:
  0 done                        5 credentials or permission
  1 some rows are left          6 unreachable: run it again
  2 wrong usage                 7 interrupted: run it again
  3 a file cannot be used       8 a file of ours is damaged
  4 refused for safety          9 not proven     10 a difference was found";

pub(super) const INIT: &str = "\
Examples:
  rosterdiff init hr.csv
      writes rosterdiff.toml, which the other commands then use
  rosterdiff init hr.csv --keep last -o hr.toml
      another file, used with --config hr.toml

No cell of a person is written, only what the columns are called. Exit 3 if which
column is the key is a question: the file is written, with the candidates in it.";

pub(super) const SNAPSHOT: &str = "\
Example:
  rosterdiff snapshot -o org.parquet
      reads only; asks the organisation for every user of every state

Exit 9 if the service did not list everybody: such a snapshot can be used all the
same, `plan` then looks every new row up.";

pub(super) const DIFF: &str = "\
Examples:
  rosterdiff diff hr.csv --snapshot org.parquet > new.csv
  rosterdiff diff hr.csv --snapshot org.parquet --verdict duplicate -o twice.csv

The rows are the roster's own, byte for byte; columns behind them say why.";

pub(super) const AUDIT: &str = "\
Examples:
  rosterdiff audit hr.csv --snapshot org.parquet > doubles.csv
  rosterdiff audit hr.csv --by employee-id -o doubles.parquet

One line for each who is there more than once, in clusters. Exit 0 whether there are any or not.";

pub(super) const PLAN: &str = "\
Examples:
  rosterdiff plan hr.csv --snapshot org.parquet
      writes hr.plan: look through its new.csv and suspects.csv
  rosterdiff plan hr.csv --map email=\"Work Email\" --max-creates 5% -o tonight.plan

A plan that is not applied is the dry run. Exit 9 if rows could not be proven to be new.";

pub(super) const APPLY: &str = "\
Examples:
  rosterdiff apply hr.plan --yes --canary 5
      five first, the others only if those are there as they were sent
  rosterdiff apply hr.plan --yes
      again after whatever ended it: it goes on where it was

Exit 1 if rows were refused (refused.csv says why), 4 if nothing was sent for
safety's sake, 6 or 7: run it again.";

pub(super) const ROLLBACK: &str = "\
Example:
  rosterdiff rollback hr.plan --yes
      without --yes it shows first whom it would delete, and asks

Only users that this plan's run created and nobody has changed since are deleted.";

pub(super) const STATUS: &str = "\
Example:
  rosterdiff status hr.plan
      in another window, while `apply` runs";

pub(super) const VERIFY: &str = "\
Examples:
  rosterdiff verify hr.plan
      reads every created user back
  rosterdiff verify hr.plan --offline
      proves from the files alone that none was altered

Exit 10 if anything differs.";

pub(super) const DOCTOR: &str = "\
Examples:
  rosterdiff doctor
      permissions, limits, clock, and how long 40,000 users take
  rosterdiff doctor hr.plan
      the same for one plan

Exit 5 if a permission is missing. Nothing is changed.";

pub(super) const SIMULATE: &str = "\
Examples:
  rosterdiff simulate --listen 127.0.0.1:8080 --users 500
  rosterdiff simulate --seed-csv org.csv --rate 60 --lag 2

Then, in another terminal:
  export ROSTERDIFF_API_URL=http://127.0.0.1:8080
  export GENESYSCLOUD_OAUTHCLIENT_ID=demo-client GENESYSCLOUD_OAUTHCLIENT_SECRET=demo-secret";

pub(super) const DEMO: &str = "\
Example:
  rosterdiff demo --dir look
      leaves its files in ./look, to be looked through";

pub(super) const COMPLETIONS: &str = "\
Examples:
  rosterdiff completions bash > rosterdiff.bash
      then, in ~/.bashrc: source rosterdiff.bash
  rosterdiff completions zsh > _rosterdiff
      in a directory of $fpath
  rosterdiff completions fish > rosterdiff.fish
      in ~/.config/fish/completions";
