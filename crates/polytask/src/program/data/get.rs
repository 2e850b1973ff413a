//! `polytask data get`: fetches, checks and unpacks.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use polytask::fetch::catalogue::{self, Known, Then};
use polytask::fetch::{Event, Fetched, Options, Patience, Source, Trust, fetch, lock_path, unpack};
use polytask::spec::suggest;

use super::super::failure::Failure;
use super::super::print;
use super::known::unzip;

/// Time between two lines of a log.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Fetches what a name or an address means, and prints where it is.
pub fn run(name: &str, to: Option<PathBuf>, stall: u64) -> Result<(), Failure> {
    let patience = Patience { stall: Duration::from_secs(stall), ..Patience::default() };
    let options = Options { patience, proxy: proxy() };
    if name.contains("://") {
        let file = file_name(name)?;
        let source = Source { url: name, name: &file, sha256: None, bytes: None };
        let fetched = get(&source, &folder(to)?, &options)?;
        return print(&format!("{}\n", fetched.path.display()));
    }
    let Some(known) = catalogue::find(name) else {
        let names: Vec<&str> = catalogue::all().iter().map(|known| known.key).collect();
        let help = suggest(name, names);
        return Err(Failure::Config(format!(
            "`{name}` is no known dataset or vectors\n  help: {help}, or an https:// address"
        )));
    };
    if known.files.is_empty() {
        let (key, page, note) = (known.key, known.page, known.note);
        return Err(Failure::Config(format!("`{key}` cannot be fetched: {note}\n  help: see {page}")));
    }
    let folder = folder(to)?.join(known.key);
    said(&format!("{}\nlicence: {}; see {}", known.summary, known.licence, known.page));
    if !known.note.is_empty() {
        said(&format!("note: {}", known.note));
    }
    let mut paths = Vec::new();
    for file in known.files {
        paths.push(use_of(known, &get(file, &folder, &options)?)?);
    }
    // Several files of one dataset are used as their folder.
    let shown = if paths.len() > 1 { vec![folder] } else { paths };
    for path in &shown {
        print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}

/// What is used of a file: itself, or what it is unpacked to.
fn use_of(known: &Known, fetched: &Fetched) -> Result<PathBuf, Failure> {
    if let Some(help) = unzip(known) {
        said(&format!("note: {help}"));
    }
    if known.then != Then::Unpack {
        return Ok(fetched.path.clone());
    }
    let folder = fetched.path.with_file_name("files");
    unpack(&fetched.path, &folder)?;
    Ok(folder)
}

/// Fetches a file with progress, and says why it is held to be right.
fn get(source: &Source<'_>, folder: &Path, options: &Options) -> Result<Fetched, Failure> {
    let mut shown = Shown::new(source.name);
    let fetched = fetch(source, folder, options, &mut |event| shown.event(event));
    shown.finish();
    let fetched = fetched?;
    let trust = match fetched.trust {
        Trust::Known => "it has the known hash".to_owned(),
        Trust::Remembered => "it has the hash of the first download".to_owned(),
        Trust::FirstUse => format!(
            "nobody publishes its hash: this first download is trusted, and {} remembers it",
            lock_path(&fetched.path).display()
        ),
    };
    let was_there = if fetched.was_there { "was there, " } else { "" };
    said(&format!("{}: {was_there}{} bytes, sha256 {}; {trust}", source.name, fetched.bytes, fetched.sha256));
    Ok(fetched)
}

/// The folder to fetch into: the one that is named, or `polytask` in the system's folder for caches.
fn folder(to: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(to) = to {
        return Ok(to);
    }
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = match () {
        () if cfg!(windows) => set("LOCALAPPDATA"),
        () if cfg!(target_os = "macos") => set("HOME").map(|home| home.join("Library/Caches")),
        () => set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache"))),
    };
    let help = "no folder for caches is known\n  help: name a folder with --to, or in POLYTASK_CACHE";
    caches.map(|caches| caches.join("polytask")).ok_or_else(|| Failure::Config(help.to_owned()))
}

/// The proxy that the environment names.
fn proxy() -> Option<String> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// The name of the file that an address leads to.
fn file_name(url: &str) -> Result<String, Failure> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let (_, path) = path.split_once("://").unwrap_or(("", path));
    let last = path.split_once('/').map_or("", |(_, path)| path).rsplit('/').next().unwrap_or_default();
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "._-+".contains(letter) { letter } else { '_' };
    let name: String = last.chars().map(plain).collect();
    match name.trim_start_matches('.') {
        "" => Err(Failure::Config(format!("{url}: names no file\n  help: give the address of a file"))),
        name => Ok(name.to_owned()),
    }
}

#[allow(clippy::print_stderr)]
fn said(text: &str) {
    eprintln!("{text}");
}

/// Progress on standard error: a live line on a terminal, plain lines in a log.
struct Shown {
    name: String,
    bar: Option<ProgressBar>,
    logged: Instant,
}

impl Shown {
    fn new(name: &str) -> Shown {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            let style = "{prefix} {bar:20} {bytes}/{total_bytes}  {binary_bytes_per_sec}  {eta} left  {wide_msg}";
            bar.set_style(ProgressStyle::with_template(style).expect("the template is well formed"));
            bar.set_prefix(name.to_owned());
            bar
        });
        Shown { name: name.to_owned(), bar, logged: Instant::now() }
    }

    fn event(&mut self, event: Event<'_>) {
        match (event, &self.bar) {
            (Event::Begins { from, total }, Some(bar)) => {
                total.iter().for_each(|&total| bar.set_length(total));
                bar.set_position(from);
                bar.reset_eta();
                bar.set_message("");
            }
            (Event::Begins { from, total }, None) => {
                let total = total.map_or_else(String::new, |total| format!(" {total} bytes"));
                let from = if from > 0 { format!(", going on at {from}") } else { String::new() };
                said(&format!("{}: fetching{total}{from}", self.name));
            }
            (Event::Receives { received, .. }, Some(bar)) => bar.set_position(received),
            (Event::Receives { received, total }, None) => {
                if self.logged.elapsed() >= LOG_EVERY {
                    self.logged = Instant::now();
                    let total = total.map_or_else(String::new, |total| format!(" of {total}"));
                    said(&format!("{}: {received}{total} bytes", self.name));
                }
            }
            (Event::Waits { reason, pause }, bar) => {
                let text = format!("{}: {reason}; trying again in {:.0}s", self.name, pause.as_secs_f64().ceil());
                bar.as_ref().map_or_else(|| said(&text), |bar| bar.println(&text));
            }
            (Event::Checks, Some(bar)) => bar.set_message("checking"),
            (Event::Checks, None) => {}
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
