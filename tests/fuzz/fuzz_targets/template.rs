//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz template`; what must hold is in `src/template.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| easemob_gateway_fuzz::template::check(data));
