//! Does every example say what the program understands, and fit the data that it names?

use std::path::{Path, PathBuf};
use std::process::Command;

use polytask::spec::parse_file;
use polytask::train::extensions;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn examples() -> Vec<PathBuf> {
    let folder = workspace().join("examples");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("examples/ is there")
        .map(|entry| entry.expect("examples/ can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    found.sort();
    found
}

#[test]
fn every_example_parses_and_writes_itself_out() {
    assert!(!examples().is_empty());
    for path in examples() {
        let parsed = parse_file(&path, &[], &extensions()).unwrap_or_else(|errors| panic!("{errors}"));
        let again = polytask::spec::parse("resolved", &parsed.spec.to_toml(), &[], &extensions());
        assert_eq!(again.unwrap_or_else(|errors| panic!("{errors}")).spec, parsed.spec, "{}", path.display());
    }
}

#[test]
fn every_example_passes_check_on_real_data() {
    let data = std::env::var_os("POLYTASK_DATA").map_or_else(|| workspace().join("../shared/data"), PathBuf::from);
    if !data.is_dir() {
        println!("skipped: no real data at {} (set POLYTASK_DATA)", data.display());
        return;
    }
    for path in examples() {
        let output = Command::new(env!("CARGO_BIN_EXE_polytask"))
            .arg("check")
            .arg(&path)
            .arg("--data")
            .arg(&data)
            .output()
            .expect("the program runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", path.display());
        assert!(String::from_utf8_lossy(&output.stdout).contains("nothing is wrong"), "{}", path.display());
    }
}
