//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz dialect`; what must hold is in `src/dialect.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| easemob_gateway_fuzz::dialect::check(data));
