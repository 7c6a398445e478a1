//! Arguments → runtime → command → exit code; nothing else.

use std::process::ExitCode;

/// Millions of rows are made and let go block by block: this allocator keeps the pages for the next block.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(rosterdiff::cli::main())
}
