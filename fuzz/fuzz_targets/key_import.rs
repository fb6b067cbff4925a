//! See `signet_fuzz::key_import`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    signet_fuzz::key_import(input);
});
