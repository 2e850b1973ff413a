//! How does an archive become a folder?

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};

/// Unpacks a `.tar.gz` into a folder that appears when it is whole; nothing is done where it is there already.
///
/// Entries stay within the folder: those whose path leads out of it are passed over. Links are passed over too.
///
/// # Errors
/// [`Error::Unpack`] for a damaged archive, [`Error::DiskFull`] and [`Error::Io`].
pub fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.with_file_name(format!(".{name}.unpacking"));
    let failed = |source| Error::io(&temporary, source, 0);
    if temporary.exists() {
        fs::remove_dir_all(&temporary).map_err(failed)?;
    }
    fs::create_dir_all(&temporary).map_err(failed)?;
    entries(archive, &temporary).inspect_err(|_| {
        // The first error is the one to report; a leftover under a temporary name does no harm.
        let _ = fs::remove_dir_all(&temporary);
    })?;
    fs::rename(&temporary, folder).map_err(|source| Error::io(folder, source, 0))
}

fn entries(archive: &Path, folder: &Path) -> Result<()> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::io(folder, source, 0),
        _ => Error::Unpack { path: archive.to_path_buf(), source },
    };
    let file = File::open(archive).map_err(|source| Error::io(archive, source, 0))?;
    let mut tar = tar::Archive::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 17, file)));
    for entry in tar.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let kind = entry.header().entry_type();
        if kind.is_file() || kind.is_dir() {
            entry.unpack_in(folder).map_err(failed)?;
        }
    }
    // The archive's own end comes before that of its compression, whose checksum covers everything.
    std::io::copy(&mut tar.into_inner(), &mut std::io::sink()).map_err(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn archive(path: &Path) {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for name in ["books/positive.review", "../outside"] {
            let mut header = tar::Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(3);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append(&header, &b"abc"[..]).unwrap();
        }
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        builder.append_link(&mut link, "link", "/etc/passwd").unwrap();
        fs::write(path, builder.into_inner().unwrap().finish().unwrap()).unwrap();
    }

    #[test]
    fn entries_stay_within_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (packed, folder) = (dir.path().join("a.tar.gz"), dir.path().join("a"));
        archive(&packed);
        unpack(&packed, &folder).unwrap();
        assert_eq!(fs::read(folder.join("books/positive.review")).unwrap(), b"abc");
        assert!(!dir.path().join("outside").exists() && !folder.join("link").exists());
        fs::remove_file(&packed).unwrap();
        unpack(&packed, &folder).unwrap();
    }

    #[test]
    fn a_damaged_archive_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (packed, folder) = (dir.path().join("a.tar.gz"), dir.path().join("a"));
        archive(&packed);
        let bytes = fs::read(&packed).unwrap();
        for bytes in [&bytes[..bytes.len() - 5], &bytes[..40], b"no archive".as_slice()] {
            fs::write(&packed, bytes).unwrap();
            let message = unpack(&packed, &folder).unwrap_err().to_string();
            assert!(message.contains("a.tar.gz: cannot be unpacked"), "{message}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }
}
