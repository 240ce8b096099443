//! Bedrock: vectors.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice::config::Dialect;

fuzz_target!(|data: &[u8]| sluice_fuzz::embed_reply(Dialect::Bedrock, data));
