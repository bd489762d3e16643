//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz mute`; what must hold is in `src/mute.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| easemob_gateway_fuzz::mute::check(data));
