//! Anthropic: token counts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice::config::Dialect;

fuzz_target!(|data: &[u8]| sluice_fuzz::count_reply(Dialect::Anthropic, data));
