//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz callback`; what must hold is in `src/callback.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| easemob_gateway_fuzz::callback::check(data));
