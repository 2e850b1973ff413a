//! Does a file arrive whole and right, or not at all, whatever the server does? Nothing here leaves this machine.

mod server;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use polytask_fetch::{Error, Event, Fetched, Options, Patience, Source, Trust, fetch, lock_path, sha256};
use server::{Answer, Server};

const ALL: usize = usize::MAX;

/// 300,000 bytes without a pattern that a shifted copy would share.
fn bytes() -> Vec<u8> {
    (0..300_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// The hash of bytes, by way of a file.
fn hash(bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().expect("a folder can be made");
    let path = dir.path().join("x");
    fs::write(&path, bytes).expect("a file can be written");
    sha256(&path).expect("a file can be read").0
}

fn hasty() -> Options {
    let (stall, pause) = (Duration::from_millis(300), Duration::from_millis(1));
    Options { patience: Patience { stall, pause, attempts: 3, ..Patience::default() }, proxy: None }
}

fn source(url: &str) -> Source<'_> {
    Source { url, name: "data.bin", sha256: None, bytes: None }
}

/// Fetches without a word.
fn quietly(source: &Source<'_>, folder: &Path) -> Result<Fetched, Error> {
    fetch(source, folder, &hasty(), &mut |_| {})
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder can be read");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry can be read").file_name().into_string().expect("names are UTF-8"))
        .collect();
    names.sort();
    names
}

fn serve(tag: Option<&'static str>, at_most: usize) -> Answer {
    Answer::Serve { tag, at_most }
}

#[test]
fn a_download_that_breaks_goes_on_where_it_stopped() {
    let tag = Some("\"v1\"");
    let server = Server::new(bytes(), vec![serve(tag, 100_000), serve(tag, 50_000), serve(tag, ALL)]);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut waits = 0;
    let mut last = 0;
    let fetched = fetch(&source(&server.url), folder.path(), &hasty(), &mut |event| match event {
        Event::Waits { .. } => waits += 1,
        Event::Receives { received, total } => {
            assert!(received > last && total == Some(300_000), "{received} after {last}");
            last = received;
        }
        Event::Begins { .. } | Event::Checks => {}
    })
    .unwrap();
    assert_eq!((waits, fetched.bytes, fetched.trust), (2, 300_000, Trust::FirstUse));
    assert_eq!(fs::read(&fetched.path).unwrap(), bytes());
    let ranges: Vec<Option<&str>> = vec![None, Some("bytes=100000-"), Some("bytes=150000-")];
    assert_eq!(server.ranges().iter().map(Option::as_deref).collect::<Vec<_>>(), ranges);
    assert_eq!(names(folder.path()), ["data.bin", "data.bin.lock"]);
}

#[test]
fn a_further_call_goes_on_too() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let tag = Some("\"v1\"");
    // Three attempts that each bring something, and then three that bring nothing.
    let server = Server::new(bytes(), vec![serve(tag, 70_000), Answer::Status(503)]);
    let error = quietly(&source(&server.url), folder.path()).unwrap_err();
    assert!(matches!(error, Error::Status { status: 503, .. }), "{error}");
    assert_eq!(names(folder.path()), [".data.bin.partial", ".data.bin.partial.json"]);
    assert_eq!(fs::metadata(folder.path().join(".data.bin.partial")).unwrap().len(), 70_000);
    // The same address answers again.
    let about = folder.path().join(".data.bin.partial.json");
    let again = Server::new(bytes(), vec![serve(tag, ALL)]);
    fs::write(&about, fs::read_to_string(&about).unwrap().replace(&server.url, &again.url)).unwrap();
    let fetched = quietly(&source(&again.url), folder.path()).unwrap();
    assert_eq!(fs::read(fetched.path).unwrap(), bytes());
    assert_eq!(again.ranges(), [Some("bytes=70000-".to_string())]);
}

#[test]
fn another_version_is_taken_from_the_start() {
    let server = Server::new(bytes(), vec![serve(Some("\"old\""), 100_000), serve(Some("\"new\""), ALL)]);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fetched = quietly(&source(&server.url), folder.path()).unwrap();
    assert_eq!(fs::read(fetched.path).unwrap(), bytes());
}

#[test]
fn a_server_that_ignores_ranges_is_taken_at_its_word() {
    let answers = vec![Answer::IgnoreRange { at_most: 100_000 }, Answer::IgnoreRange { at_most: ALL }];
    let server = Server::new(bytes(), answers);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fetched = quietly(&source(&server.url), folder.path()).unwrap();
    assert_eq!(fs::read(fetched.path).unwrap(), bytes());
    assert_eq!(server.ranges()[1].as_deref(), Some("bytes=100000-"));
    // One that ignores them and breaks at the same place each time is given up.
    let server = Server::new(bytes(), vec![Answer::IgnoreRange { at_most: 100_000 }]);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let message = quietly(&source(&server.url), folder.path()).unwrap_err().to_string();
    assert!(message.contains("ends") && message.contains("100000 bytes are kept"), "{message}");
}

#[test]
fn without_a_version_nothing_is_joined_unless_a_hash_will_tell() {
    let right = hash(&bytes());
    for (known, expected) in [(None, None), (Some(right.as_str()), Some("bytes=100000-"))] {
        let server = Server::new(bytes(), vec![serve(None, 100_000), serve(None, ALL)]);
        let folder = tempfile::tempdir().expect("a folder can be made");
        let fetched = quietly(&Source { sha256: known, ..source(&server.url) }, folder.path()).unwrap();
        assert_eq!(fs::read(fetched.path).unwrap(), bytes());
        assert_eq!(server.ranges()[1].as_deref(), expected);
    }
}

#[test]
fn a_part_that_was_not_asked_for_is_not_taken() {
    let answers = vec![serve(Some("\"a\""), 100_000), Answer::OtherPart, serve(Some("\"a\""), ALL)];
    let server = Server::new(bytes(), answers);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fetched = quietly(&source(&server.url), folder.path()).unwrap();
    assert_eq!(fs::read(fetched.path).unwrap(), bytes());
    assert_eq!(server.ranges()[2], None);
}

#[test]
fn a_wrong_hash_or_size_keeps_nothing() {
    let server = Server::new(bytes(), vec![serve(Some("\"a\""), ALL)]);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let wrong = "0".repeat(64);
    let error = quietly(&Source { sha256: Some(&wrong), ..source(&server.url) }, folder.path()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&format!("expected sha256 {wrong} (that of the catalogue), found {}", hash(&bytes()))));
    assert!(names(folder.path()).is_empty());
    let error = quietly(&Source { bytes: Some(7), ..source(&server.url) }, folder.path()).unwrap_err();
    assert!(matches!(error, Error::Size { expected: 7, found: 300_000, .. }), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn bytes_of_before_that_turn_out_wrong_are_fetched_anew() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let server = Server::new(bytes(), vec![serve(None, ALL)]);
    fs::write(folder.path().join(".data.bin.partial"), vec![7; 1000]).unwrap();
    let about = format!("{{\"url\": \"{}\", \"validator\": null, \"total\": null}}", server.url);
    fs::write(folder.path().join(".data.bin.partial.json"), about).unwrap();
    let right = hash(&bytes());
    let fetched = quietly(&Source { sha256: Some(&right), ..source(&server.url) }, folder.path()).unwrap();
    assert_eq!((fs::read(&fetched.path).unwrap(), fetched.trust), (bytes(), Trust::Known));
    assert_eq!(server.ranges(), [Some("bytes=1000-".to_string()), None]);
}

#[test]
fn a_length_that_is_a_lie_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let server = Server::new(bytes(), vec![Answer::Announce(400_000)]);
    let message = quietly(&source(&server.url), folder.path()).unwrap_err().to_string();
    assert!(message.contains("ends too early") || message.contains("ends after 300000 of 400000"), "{message}");
    assert!(!folder.path().join("data.bin").exists());
    // Too short: the bytes beyond are not taken, and a known size or hash tells.
    let folder = tempfile::tempdir().expect("a folder can be made");
    let server = Server::new(bytes(), vec![Answer::Announce(200_000)]);
    let error = quietly(&Source { bytes: Some(300_000), ..source(&server.url) }, folder.path()).unwrap_err();
    assert!(matches!(error, Error::Size { found: 200_000, .. }), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_web_page_is_no_file() {
    for kind in ["text/html; charset=utf-8", "application/octet-stream"] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let server = Server::new(bytes(), vec![Answer::Page { kind }]);
        let message = quietly(&source(&server.url), folder.path()).unwrap_err().to_string();
        assert!(message.contains("the server sends a web page, not the file\n  help: "), "{message}");
        assert!(!folder.path().join("data.bin").exists());
        assert_eq!(server.ranges().len(), 1);
    }
}

#[test]
fn statuses_that_mean_no_are_not_asked_again() {
    for (status, said) in [(404, "answers 404 (no such file)"), (403, "answers 403 (not allowed)")] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let server = Server::new(bytes(), vec![Answer::Status(status)]);
        let message = quietly(&source(&server.url), folder.path()).unwrap_err().to_string();
        assert!(message.contains(said) && message.contains("help: "), "{message}");
        assert_eq!(server.ranges().len(), 1);
    }
    let server = Server::new(bytes(), vec![Answer::Status(500), Answer::Status(429), serve(None, ALL)]);
    let folder = tempfile::tempdir().expect("a folder can be made");
    assert_eq!(quietly(&source(&server.url), folder.path()).unwrap().bytes, 300_000);
}

#[test]
fn a_server_that_falls_silent_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let server = Server::new(bytes(), vec![Answer::Stall(1000)]);
    let began = Instant::now();
    let message = quietly(&source(&server.url), folder.path()).unwrap_err().to_string();
    assert!(message.contains("the server sends nothing; 1000 bytes are kept"), "{message}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // Where it talks again, the rest comes.
    let server = Server::new(bytes(), vec![Answer::Stall(1000), serve(Some("\"a\""), ALL)]);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fetched = quietly(&source(&server.url), folder.path()).unwrap();
    assert_eq!(fs::read(fetched.path).unwrap(), bytes());
}

#[test]
fn the_first_hash_is_demanded_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let server = Server::new(bytes(), vec![serve(None, ALL)]);
    let first = quietly(&source(&server.url), folder.path()).unwrap();
    assert_eq!((first.trust, first.was_there), (Trust::FirstUse, false));
    let again = quietly(&source(&server.url), folder.path()).unwrap();
    assert_eq!((again.trust, again.was_there, server.ranges().len()), (Trust::Remembered, true, 1));
    fs::remove_file(&first.path).unwrap();
    let again = quietly(&source(&server.url), folder.path()).unwrap();
    assert_eq!((again.trust, again.was_there), (Trust::Remembered, false));
    // The file changes on the disk, then at its place.
    fs::write(&first.path, "other").unwrap();
    let message = quietly(&source(&server.url), folder.path()).unwrap_err().to_string();
    assert!(message.contains("(that of the first download), found ") && message.contains("help: remove the file"));
    fs::remove_file(&first.path).unwrap();
    let other = Server::new(b"other".to_vec(), vec![serve(None, ALL)]);
    let message = quietly(&source(&other.url), folder.path()).unwrap_err().to_string();
    assert!(message.contains("data.bin.lock if you trust the new one"), "{message}");
    assert_eq!(names(folder.path()), ["data.bin.lock"]);
    fs::remove_file(lock_path(&first.path)).unwrap();
    assert_eq!(quietly(&source(&other.url), folder.path()).unwrap().trust, Trust::FirstUse);
}

#[test]
fn an_empty_file_and_a_refused_connection_are_no_surprise() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let server = Server::new(Vec::new(), vec![serve(None, ALL)]);
    assert_eq!(quietly(&source(&server.url), folder.path()).unwrap().bytes, 0);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/data.bin", listener.local_addr().unwrap());
    drop(listener);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let error = quietly(&source(&url), folder.path()).unwrap_err();
    assert!(matches!(error, Error::Connection { received: 0, .. }), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let server = Server::new(bytes(), vec![serve(None, ALL)]);
    std::os::unix::fs::symlink("/dev/full", folder.path().join(".data.bin.partial")).unwrap();
    let error = quietly(&source(&server.url), folder.path()).unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("the disk is full"), "{error}");
}
