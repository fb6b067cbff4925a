//! See `signet_fuzz::request_object`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    signet_fuzz::request_object(input);
});
