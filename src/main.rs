//! Arguments → runtime → command → exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(rosterdiff::cli::main())
}
