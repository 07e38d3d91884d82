//! A session of JSON lines: see `dialect::fuzzing`, which does it all, so that `cargo test` can do the same. Only here is it
//! counted what a session holds.
#![no_main]

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dialect::fuzzing::json(bytes, || ALLOCATOR.current_usage()));
