//! How does a file appear all at once or not at all?

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path`: to a temporary name beside it first, synced, then renamed.
///
/// # Errors
///
/// Where the file system refuses; `path` is then as it was.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_name(path);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&temporary, path)) {
        // The first error is the one to report; a leftover under a temporary name does no harm.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_parent(path)
}

/// Fills a directory under a temporary name, syncs its files and renames it to `path`, replacing what stood there.
///
/// # Errors
///
/// Where `fill` or the file system refuses.
pub fn commit_directory<E: From<io::Error>>(path: &Path, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
    let temporary = temporary_name(path);
    if temporary.exists() {
        fs::remove_dir_all(&temporary)?;
    }
    fs::create_dir_all(&temporary)?;
    let filled = fill(&temporary);
    if let Err(error) = filled {
        let _ = fs::remove_dir_all(&temporary);
        return Err(error);
    }
    for entry in fs::read_dir(&temporary)? {
        File::open(entry?.path())?.sync_all()?;
    }
    if path.exists() {
        fs::remove_dir_all(path)?;
    }
    fs::rename(&temporary, path)?;
    Ok(sync_parent(path)?)
}

fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

/// Makes a rename durable, where the system can sync directories.
fn sync_parent(path: &Path) -> io::Result<()> {
    if cfg!(unix)
        && let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty())
    {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_no_temporary_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_whose_filling_fails_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        commit_directory::<io::Error>(&path, |to| fs::write(to.join("x"), b"1")).unwrap();
        let failed = commit_directory::<io::Error>(&path, |to| {
            fs::write(to.join("x"), b"2")?;
            Err(io::Error::other("no"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(path.join("x")).unwrap(), b"1");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
