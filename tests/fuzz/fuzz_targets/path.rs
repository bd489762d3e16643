//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz path`; what must hold is in `src/path.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| easemob_gateway_fuzz::path::check(data));
