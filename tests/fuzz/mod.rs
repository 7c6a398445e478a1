//! What is fuzzed, and by which laws: shared by `cargo bench --bench fuzz` and `cargo test`.

pub mod engine;
pub mod formats;
pub mod normaliser;
mod plain_reader;
pub mod scanner;
mod scratch;
pub mod snapshot;
pub mod whole;

use engine::Target;

pub const TARGETS: [Target; 7] = [
    scanner::TARGET,
    normaliser::TARGET,
    snapshot::TARGET,
    whole::TARGET,
    formats::ENCODINGS,
    formats::PARQUET,
    formats::WORKBOOK,
];
