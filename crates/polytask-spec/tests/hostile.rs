//! No text makes the parser panic.

use polytask_spec::{Override, parse};

const THREE_TASKS: &str = include_str!("three_tasks.toml");

#[test]
fn hostile_text_is_refused_without_a_panic() {
    for text in [
        format!("a{} = 1", ".a".repeat(100_000)),
        format!("[a{}]", ".a".repeat(100_000)),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{ a = ".repeat(100_000)),
        "\0".into(),
        "= = =\n[[[".into(),
    ] {
        assert!(parse("f", &text, &[], &[]).is_err());
    }
    let deep = Override { key: "a".into(), value: "[".repeat(100_000) };
    assert!(parse("f", THREE_TASKS, &[deep], &[]).is_err());
    let deep = Override { key: ["a"; 100_000].join("."), value: "1".into() };
    assert!(parse("f", THREE_TASKS, &[deep], &[]).is_err());
}

#[test]
fn mutated_files_never_panic() {
    let mut state = 7_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let alphabet = b"\"'=[]{}.,#\n\r \t019-+ex_az\\\xC3\xA4\xEF";
    for _ in 0..20_000 {
        let mut bytes = THREE_TASKS.as_bytes().to_vec();
        for _ in 0..=draw(4) {
            let at = draw(bytes.len());
            match draw(4) {
                0 => bytes[at] = alphabet[draw(alphabet.len())],
                1 => bytes.insert(at, alphabet[draw(alphabet.len())]),
                2 => drop(bytes.drain(at..(at + draw(20)).min(bytes.len()))),
                _ => bytes.swap(at, 0),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        match parse("f", &text, &[], &[]) {
            Ok(parsed) => assert!(!parsed.spec.to_toml().is_empty()),
            Err(errors) => assert!(!errors.diagnostics.is_empty() && !errors.to_string().is_empty()),
        }
    }
}
