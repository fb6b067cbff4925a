//! See `signet_fuzz::compact_parser`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    signet_fuzz::compact_parser(input);
});
