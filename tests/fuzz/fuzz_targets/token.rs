//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz token`; what must hold is in `src/token.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| easemob_gateway_fuzz::token::check(data));
