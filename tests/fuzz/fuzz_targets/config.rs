//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz config`; what must hold is in `src/config.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| easemob_gateway_fuzz::config::check(data));
