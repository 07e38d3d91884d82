//! The feeds, against the model: see `feed::fuzzing`, which does it all, so that `cargo test` can do the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| feed::fuzzing::feed(bytes));
