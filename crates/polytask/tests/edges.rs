//! Do crates depend on each other only as they may, and does every source file keep the house rules?

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// The one crate that may depend on everything, and that nothing depends on.
const PROGRAM: &str = "polytask";

/// Every other crate and the crates it may know. A crate knows only crates above it, so there is no cycle.
const EDGES: &[(&str, &[&str])] = &[
    ("polytask-spec", &[]),
    ("polytask-metrics", &[]),
    ("polytask-kernels", &[]),
    ("polytask-balance", &[]),
    ("polytask-data", &["polytask-spec"]),
    ("polytask-fetch", &[]),
    ("polytask-run", &["polytask-metrics"]),
    ("polytask-report", &["polytask-run", "polytask-metrics"]),
    ("polytask-model", &["polytask-spec", "polytask-data", "polytask-kernels", "polytask-metrics"]),
    (
        "polytask-train",
        &[
            "polytask-spec",
            "polytask-data",
            "polytask-kernels",
            "polytask-metrics",
            "polytask-balance",
            "polytask-run",
            "polytask-model",
        ],
    ),
    (
        "polytask-study",
        &[
            "polytask-spec",
            "polytask-data",
            "polytask-metrics",
            "polytask-balance",
            "polytask-run",
            "polytask-model",
            "polytask-train",
        ],
    ),
];

/// Only the program knows a terminal.
const TERMINAL: &[&str] = &["clap", "ctrlc", "indicatif", "miette"];

/// The libraries that are made of tensors; in all others burn is optional.
const MADE_OF_TENSORS: &[&str] = &["polytask-model", "polytask-train"];

const LINES_MAX: usize = 400;

/// Marks of unfinished work, put together here so that this file has none.
const UNFINISHED: &[&str] = &[concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore")];

/// One dependency of a manifest.
struct Dependency {
    package: String,
    optional: bool,
    /// Whether it is for tests, examples and benches alone.
    dev: bool,
}

/// The dependencies of all kinds, for all platforms, under the name of the package and not of a local alias.
fn dependencies(manifest: &Table, workspace: &Table) -> Vec<Dependency> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let sections = std::iter::once(manifest).chain(platforms.filter_map(Value::as_table));
    let mut found = Vec::new();
    for section in sections {
        for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for (key, value) in section.get(kind).and_then(Value::as_table).into_iter().flatten() {
                let inherited = value.get("workspace").and_then(|_| workspace.get(key));
                let package = inherited.unwrap_or(value).get("package").and_then(Value::as_str).unwrap_or(key);
                found.push(Dependency {
                    package: package.to_owned(),
                    optional: value.get("optional").and_then(Value::as_bool) == Some(true),
                    dev: kind == "dev-dependencies",
                });
            }
        }
    }
    found
}

/// What is wrong with a crate's dependencies, one message a fault.
fn faults_of_manifest(manifest: &Table, workspace: &Table) -> Vec<String> {
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    let name = name.unwrap_or("(a crate without a name)");
    if name == PROGRAM {
        return Vec::new();
    }
    let Some((_, allowed)) = EDGES.iter().find(|(library, _)| *library == name) else {
        return vec![format!("{name} is not in EDGES: say which crates it may know")];
    };
    let mut faults = Vec::new();
    for Dependency { package, optional, dev } in dependencies(manifest, workspace) {
        let internal = package == PROGRAM || package.starts_with("polytask-");
        if internal && !dev && !allowed.contains(&package.as_str()) {
            faults.push(format!("{name} depends on {package}; it may know {allowed:?}"));
        }
        if TERMINAL.contains(&package.as_str()) {
            faults.push(format!("{name} depends on {package}; only {PROGRAM} knows a terminal"));
        }
        if package == "burn" && !optional && !dev && !MADE_OF_TENSORS.contains(&name) {
            faults.push(format!("{name} always depends on burn; here it is optional"));
        }
    }
    faults
}

/// What is wrong with a source file, one message a fault.
fn faults_of_source(path: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        faults.push(format!("{}: {lines} lines; at most {LINES_MAX} are allowed", path.display()));
    }
    for (index, line) in text.lines().enumerate() {
        for mark in UNFINISHED.iter().filter(|mark| line.contains(**mark)) {
            faults.push(format!("{}:{}: found `{mark}`; no work is left unfinished", path.display(), index + 1));
        }
    }
    faults
}

fn crates() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("a crate lies in the folder of crates").to_owned()
}

/// The entries of a folder, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = listing.map(|entry| entry.expect("an entry that can be read").path()).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn parse(text: &str) -> Table {
    text.parse().unwrap_or_else(|error| panic!("not a manifest: {error}\n{text}"))
}

/// The dependencies that manifests inherit from the root.
fn workspace_dependencies() -> Table {
    let root = parse(&read(&crates().join("../Cargo.toml")));
    root["workspace"]["dependencies"].as_table().expect("a table of dependencies").clone()
}

/// The Rust files in a folder and its folders.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let (folders, files): (Vec<_>, Vec<_>) = entries(folder).into_iter().partition(|path| path.is_dir());
    let here = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    here.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

#[test]
fn crates_know_only_what_they_may() {
    let workspace = workspace_dependencies();
    let mut seen = Vec::new();
    let mut faults = Vec::new();
    for path in entries(&crates()).iter().map(|folder| folder.join("Cargo.toml")).filter(|path| path.exists()) {
        let manifest = parse(&read(&path));
        seen.push(manifest["package"]["name"].as_str().expect("a crate has a name").to_owned());
        faults.extend(faults_of_manifest(&manifest, &workspace));
    }
    for (name, _) in EDGES {
        assert!(seen.iter().any(|crate_name| crate_name == name), "EDGES names {name}, but only {seen:?} exist");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_allowed_edges_have_no_cycle() {
    for (index, (name, allowed)) in EDGES.iter().enumerate() {
        for known in *allowed {
            assert!(EDGES[..index].iter().any(|(above, _)| above == known), "{name} knows {known}, which is below it");
        }
    }
}

#[test]
fn sources_are_short_and_finished() {
    let files: Vec<PathBuf> = entries(&crates()).iter().flat_map(|folder| sources(folder)).collect();
    assert!(files.len() >= EDGES.len(), "only {} source files found in {}", files.len(), crates().display());
    let faults: Vec<String> = files.iter().flat_map(|path| faults_of_source(path, &read(path))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn offending_manifests_are_found() {
    let workspace = parse("screen = { version = \"4\", package = \"clap\" }\nburn = \"1\"");
    let found = |text: &str| faults_of_manifest(&parse(text), &workspace);
    let kernels = "[package]\nname = \"polytask-kernels\"\n";

    let fine = "[dependencies]\nburn = { workspace = true, optional = true }\nrayon = \"1\"\n";
    assert_eq!(found(&format!("{kernels}{fine}")), [""; 0]);
    let fine_in_tests = "[dev-dependencies]\nburn.workspace = true\npolytask-data.workspace = true\n";
    assert_eq!(found(&format!("{kernels}{fine_in_tests}")), [""; 0]);
    assert_eq!(found("[package]\nname = \"polytask\"\n[dependencies]\nclap = \"4\"\npolytask-train = \"1\""), [""; 0]);

    for (text, expected) in [
        ("[dependencies]\npolytask-data.workspace = true", "depends on polytask-data; it may know []"),
        ("[dependencies]\npolytask = { path = \"../polytask\" }", "depends on polytask;"),
        ("[build-dependencies]\npolytask-run.workspace = true", "depends on polytask-run"),
        ("[target.'cfg(unix)'.dependencies]\npolytask-run = { path = \"x\" }", "depends on polytask-run"),
        ("[dependencies]\nother = { path = \"x\", package = \"polytask-run\" }", "depends on polytask-run"),
        ("[dependencies]\nburn = { workspace = true }", "always depends on burn"),
        ("[dependencies]\nburn = \"1\"", "always depends on burn"),
        ("[dependencies]\nclap = \"4\"", "depends on clap; only polytask knows a terminal"),
        ("[dependencies]\nscreen.workspace = true", "depends on clap"),
        ("[dev-dependencies]\nindicatif = \"1\"", "depends on indicatif"),
    ] {
        let faults = found(&format!("{kernels}{text}"));
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(faults[0].starts_with("polytask-kernels") && faults[0].contains(expected), "{faults:?}");
    }
    assert_eq!(found("[package]\nname = \"polytask-new\"").len(), 1);
    assert_eq!(found("").len(), 1);
}

#[test]
fn offending_sources_are_found() {
    let found = |text: &str| faults_of_source(Path::new("a.rs"), text);
    assert_eq!(found(&"x\n".repeat(LINES_MAX)), [""; 0]);
    assert_eq!(found(&"x\n".repeat(LINES_MAX + 1)), ["a.rs: 401 lines; at most 400 are allowed"]);
    for mark in UNFINISHED {
        let expected = format!("a.rs:2: found `{mark}`; no work is left unfinished");
        assert_eq!(found(&format!("fn f() {{\n    {mark}\n}}")), [expected]);
    }
}
