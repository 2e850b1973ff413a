//! What can go wrong on the way of a file?

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong when a file is fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is none that files are fetched from.
    #[error("{url}: {reason}\n  help: give an address that begins with https://")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The name of the host is not known.
    #[error("{url}: the host is not known\n  help: check the network, the name, and the proxy (HTTPS_PROXY)")]
    Host {
        /// The address.
        url: String,
    },
    /// The server could not be reached, or the connection broke, as often as it was tried.
    #[error("{url}: {reason}; {received} bytes are kept\n  help: try again later, the download goes on there")]
    Connection {
        /// The address.
        url: String,
        /// What happened at the last attempt.
        reason: String,
        /// Bytes that were received and are kept.
        received: u64,
    },
    /// The server's certificate, or the encryption, is not accepted.
    #[error("{url}: no secure connection: {reason}\n  help: check the clock and the system's certificates")]
    Tls {
        /// The address.
        url: String,
        /// What the encryption says.
        reason: String,
    },
    /// The server answers with a status that means no.
    #[error("{url}: the server answers {status}{}\n  help: {}", meaning(*.status), advice(*.status))]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// The server sends a web page in the place of the file.
    #[error(
        "{url}: the server sends a web page, not the file\n  help: open the address in a browser: it may ask for \
         something, or the file may have moved"
    )]
    Page {
        /// The address.
        url: String,
    },
    /// The file has another size than it should.
    #[error(
        "{url}: expected {expected} bytes, found {found}\n  help: try again; the file there may have been replaced"
    )]
    Size {
        /// The address.
        url: String,
        /// The size that it should have.
        expected: u64,
        /// The size that it has.
        found: u64,
    },
    /// What was fetched has another hash than it should.
    #[error(
        "{url}: expected sha256 {expected} ({because}), found {found}; nothing is kept\n  help: try again; where it \
         stays so, the file there has been replaced{}", forget(.lock.as_deref())
    )]
    Hash {
        /// The address.
        url: String,
        /// The hash that it should have.
        expected: String,
        /// The hash that it has.
        found: String,
        /// Where the expected hash comes from.
        because: &'static str,
        /// The file that remembers the expected hash, where one does.
        lock: Option<PathBuf>,
    },
    /// A file that was fetched before is no longer what it was.
    #[error("{}: expected sha256 {expected} ({because}), found {found}\n  help: remove the file to fetch it again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The hash that it should have.
        expected: String,
        /// The hash that it has.
        found: String,
        /// Where the expected hash comes from.
        because: &'static str,
    },
    /// There is no room for the file.
    #[error("{}: the disk is full; {received} bytes are kept\n  help: make room and try again, or name another folder", path.display())]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
        /// Bytes that were received and are kept.
        received: u64,
    },
    /// Another program fetches the file at this moment.
    #[error("{}: another program is fetching it\n  help: wait for it", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file that remembers a hash is damaged.
    #[error("{}: {reason}\n  help: remove it where you trust the file that it stands beside", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An archive cannot be unpacked.
    #[error("{}: cannot be unpacked: {source}\n  help: remove it to fetch it again", path.display())]
    Unpack {
        /// The archive.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    /// The error of a file that cannot be read or written; `received` bytes of it are kept.
    pub(crate) fn io(path: &Path, source: std::io::Error, received: u64) -> Error {
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::DiskFull { path: path.to_path_buf(), received },
            _ => Error::Io { path: path.to_path_buf(), source },
        }
    }
}

fn meaning(status: u16) -> &'static str {
    match status {
        401 | 403 => " (not allowed)",
        404 | 410 => " (no such file)",
        429 => " (too many requests)",
        500..=599 => " (the server has trouble)",
        _ => "",
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        408 | 429 | 500..=599 => "try again later",
        _ => "the file may have moved: look at the page that publishes it",
    }
}

fn forget(lock: Option<&Path>) -> String {
    lock.map_or_else(String::new, |lock| format!(": remove {} if you trust the new one", lock.display()))
}
