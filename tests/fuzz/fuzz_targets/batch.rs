//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz batch`; what must hold is in `src/batch.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| easemob_gateway_fuzz::batch::check(data));
