//! The line editor in front of a terminal: see `dialect::fuzzing`, which does it all, so that `cargo test` can do the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dialect::fuzzing::editor(bytes));
