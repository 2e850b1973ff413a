#![no_main]
//! The configuration: whatever is accepted is written and read again without a change.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polytask_fuzz::{begin, seeds};
use polytask_spec::{Extension, parse};

static EXTENSIONS: LazyLock<Vec<Extension>> =
    LazyLock::new(|| vec![Extension { pointer: "balance", schema: polytask_balance::schema() }]);

fuzz_target!(init: begin("config", &seeds::config()), |bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    match parse("polytask.toml", &text, &[], &EXTENSIONS) {
        Ok(parsed) => {
            let written = parsed.spec.to_toml();
            let again = parse("polytask.toml", &written, &[], &EXTENSIONS).expect("what is written can be read");
            assert_eq!(again.spec, parsed.spec, "{written}");
        }
        Err(errors) => {
            assert!(!errors.diagnostics.is_empty(), "a refusal says why");
            // Every message is rendered with its place.
            assert!(!errors.to_string().is_empty());
        }
    }
});
