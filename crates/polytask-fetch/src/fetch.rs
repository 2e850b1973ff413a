//! How does a file get from its place into a folder?

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::client::{HttpsOnly, Patience, agent};
use crate::digest::sha256;
use crate::error::{Error, Result};
use crate::lock::{self, Lock, lock_path};
use crate::partial::{Partial, Version};
use crate::transfer::{Blind, Failed, attempt};

/// A file at a place that publishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// Its address: https, or http on this machine.
    pub url: &'a str,
    /// Its name in the folder.
    pub name: &'a str,
    /// Its SHA-256 in lower-case hexadecimal, where it is known.
    pub sha256: Option<&'a str>,
    /// Its size in bytes, where it is known.
    pub bytes: Option<u64>,
}

/// How files are fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// How long servers are waited for.
    pub patience: Patience,
    /// The address of a proxy, for places that are not on this machine.
    pub proxy: Option<String>,
}

/// What happens on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// Bytes begin to come.
    Begins {
        /// Those that are there already.
        from: u64,
        /// Those of the whole file, where the server says it.
        total: Option<u64>,
    },
    /// Bytes have come.
    Receives {
        /// Those that are there now.
        received: u64,
        /// Those of the whole file, where the server says it.
        total: Option<u64>,
    },
    /// An attempt failed, the next one follows after a pause.
    Waits {
        /// Why it failed.
        reason: &'a str,
        /// How long.
        pause: Duration,
    },
    /// The hash of a file is computed.
    Checks,
}

/// Takes what happens on the way.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(Event<'_>);

/// Why a file is held to be the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It has the hash that the catalogue knows.
    Known,
    /// It has the hash that it had when it was first fetched.
    Remembered,
    /// It was fetched for the first time, nobody publishes its hash, and it is remembered from now on.
    FirstUse,
}

/// A file that is whole and right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Why it is held to be right.
    pub trust: Trust,
    /// Whether it had been fetched before.
    pub was_there: bool,
}

/// Brings a file into a folder, or finds it there and checks it.
///
/// It appears under its name when it is whole and right; until then its bytes are in `.NAME.partial`, where the next
/// attempt, or the next call, goes on. Where its hash is not known, the hash of the first download is kept in
/// `NAME.lock` and demanded from then on.
///
/// # Errors
/// See [`Error`]. What has come is kept where a further call can go on with it, and removed where it is wrong.
///
/// # Panics
/// If the name of `source` is no plain file name.
pub fn fetch(
    source: &Source<'_>,
    folder: &Path,
    options: &Options,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<Fetched> {
    let plain = Path::new(source.name).file_name().is_some_and(|name| name == source.name);
    assert!(plain, "{:?} is no file name", source.name);
    let target = folder.join(source.name);
    let expected = Expected::new(source, &target)?;
    if target.exists() {
        return expected.check_old(&target, source, tell);
    }
    let https_only = check_address(source.url)?;
    let proxy = match (https_only, &options.proxy) {
        (HttpsOnly::Yes, Some(proxy)) => Some(ureq::Proxy::new(proxy).map_err(|error| Error::Address {
            url: proxy.clone(),
            reason: format!("no address of a proxy: {error}"),
        })?),
        _ => None,
    };
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error, 0))?;
    let agent = agent(&options.patience, https_only, proxy);
    let mut partial = Partial::open(&target, source.url)?;
    let mut resumed = partial.received > 0;
    loop {
        if let Err(error) = download(&agent, &mut partial, &expected, &options.patience, tell) {
            if partial.received == 0 {
                partial.discard();
            }
            return Err(error);
        }
        tell(Event::Checks);
        let (found, bytes) = sha256(partial.path())?;
        let wrong = expected.fault(source, &target, &found, bytes);
        match wrong {
            None => {
                let trust = expected.remember(&target, source, &found, bytes)?;
                partial.finish(&target)?;
                return Ok(Fetched { path: target, bytes, sha256: found, trust, was_there: false });
            }
            // Perhaps the bytes of before were those of another version: once more from the start.
            Some(_) if resumed => {
                resumed = false;
                partial.restart(Version { url: source.url.to_string(), ..Version::default() })?;
            }
            Some(error) => {
                partial.discard();
                return Err(error);
            }
        }
    }
}

/// Attempts until the file is whole.
fn download(
    agent: &ureq::Agent,
    partial: &mut Partial,
    expected: &Expected,
    patience: &Patience,
    tell: Tell<'_>,
) -> Result<()> {
    let blind = if expected.sha256.is_some() { Blind::Allowed } else { Blind::Refused };
    let (mut failed, mut most) = (0, partial.received);
    loop {
        let (reason, status) = match attempt(agent, partial, blind, tell) {
            Ok(()) => return Ok(()),
            Err(Failed::Final(error)) => return Err(error),
            Err(Failed::Again(reason)) => (reason, None),
            Err(Failed::Trouble(status)) => (format!("the server answers {status}"), Some(status)),
        };
        failed = if partial.received > most { 1 } else { failed + 1 };
        most = most.max(partial.received);
        if failed >= patience.attempts.max(1) {
            let url = partial.version.url.clone();
            return Err(match status {
                Some(status) => Error::Status { url, status },
                None => Error::Connection { url, reason, received: partial.received },
            });
        }
        let pause = patience.pause_after(failed);
        tell(Event::Waits { reason: &reason, pause });
        std::thread::sleep(pause);
    }
}

/// Addresses must be encrypted, unless they are those of this machine.
fn check_address(url: &str) -> Result<HttpsOnly> {
    let refuse = |reason: String| Err(Error::Address { url: url.to_string(), reason });
    let uri: ureq::http::Uri = match url.parse() {
        Ok(uri) => uri,
        Err(error) => return refuse(format!("no address: {error}")),
    };
    let Some(host) = uri.host() else { return refuse("it names no host".to_string()) };
    match uri.scheme_str() {
        Some("https") => Ok(HttpsOnly::Yes),
        Some("http") if matches!(host, "127.0.0.1" | "localhost" | "[::1]") => Ok(HttpsOnly::No),
        Some("http") => refuse("it is not encrypted".to_string()),
        _ => refuse("it is no web address".to_string()),
    }
}

/// What is known of a file before it comes.
struct Expected {
    sha256: Option<String>,
    /// Whether the hash comes from the first download.
    remembered: bool,
}

impl Expected {
    fn new(source: &Source<'_>, target: &Path) -> Result<Expected> {
        if let Some(known) = source.sha256 {
            return Ok(Expected { sha256: Some(known.to_string()), remembered: false });
        }
        let lock = lock::read(target)?;
        Ok(Expected { remembered: lock.is_some(), sha256: lock.map(|lock| lock.sha256) })
    }

    fn because(&self) -> &'static str {
        if self.remembered { "that of the first download" } else { "that of the catalogue" }
    }

    /// What is wrong with a file that has come.
    fn fault(&self, source: &Source<'_>, target: &Path, found: &str, bytes: u64) -> Option<Error> {
        let url = source.url.to_string();
        if let Some(expected) = source.bytes.filter(|&expected| expected != bytes) {
            return Some(Error::Size { url, expected, found: bytes });
        }
        let expected = self.sha256.as_ref().filter(|expected| *expected != found)?.clone();
        let lock = self.remembered.then(|| lock_path(target));
        Some(Error::Hash { url, expected, found: found.to_string(), because: self.because(), lock })
    }

    /// Keeps the hash of a file whose hash was not known.
    fn remember(&self, target: &Path, source: &Source<'_>, found: &str, bytes: u64) -> Result<Trust> {
        if self.sha256.is_some() {
            return Ok(if self.remembered { Trust::Remembered } else { Trust::Known });
        }
        let (url, sha256) = (source.url.to_string(), found.to_string());
        lock::write(target, &Lock { version: 1, url, sha256, bytes })?;
        Ok(Trust::FirstUse)
    }

    /// Checks a file that is there already.
    fn check_old(&self, target: &Path, source: &Source<'_>, tell: Tell<'_>) -> Result<Fetched> {
        tell(Event::Checks);
        let (found, bytes) = sha256(target)?;
        match &self.sha256 {
            Some(expected) if *expected != found => {
                let (path, expected) = (target.to_path_buf(), expected.clone());
                Err(Error::Changed { path, expected, found, because: self.because() })
            }
            _ => {
                let trust = self.remember(target, source, &found, bytes)?;
                Ok(Fetched { path: target.to_path_buf(), bytes, sha256: found, trust, was_there: true })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encrypted_or_local() {
        assert_eq!(check_address("https://a.org/b").unwrap(), HttpsOnly::Yes);
        for local in ["http://127.0.0.1:80/b", "http://localhost/b", "http://[::1]:8/b"] {
            assert_eq!(check_address(local).unwrap(), HttpsOnly::No, "{local}");
        }
        for (url, reason) in [
            ("http://a.org/b", "not encrypted"),
            ("http://127.0.0.1.a.org/b", "not encrypted"),
            ("ftp://a.org/b", "no web address"),
            ("/etc/passwd", "names no host"),
            ("https://a b", "no address"),
        ] {
            let message = check_address(url).unwrap_err().to_string();
            assert!(message.contains(reason) && message.contains("help: "), "{message}");
        }
    }
}
