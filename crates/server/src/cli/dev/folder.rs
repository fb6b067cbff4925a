//! The folder of `signet dev`: records, master key, and the demo application's own keys.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::cli::Common;
use crate::cli::admin::{DEV_DATABASE, DEV_MASTER_KEY};
use crate::cli::output::Problem;
use crate::edge::SystemEntropy;
use crate::vault::Vault;

const DEMO: &str = "demo.json";

/// A folder, or nothing for `--ephemeral`.
#[derive(Debug)]
pub(super) struct Folder(Option<PathBuf>);

impl Folder {
    pub(super) fn ephemeral() -> Self {
        Self(None)
    }

    /// Makes the folder if it is not there; only its owner may look into it.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| Problem::file(path, &error))?;
        Ok(Self(Some(path.to_owned())))
    }

    /// The file of the records.
    pub(super) fn database(&self) -> Option<PathBuf> {
        self.0.as_ref().map(|folder| folder.join(DEV_DATABASE))
    }

    /// The master key: as told, else the one kept here, made the first time.
    pub(super) fn vault(&self, common: &Common) -> Result<Arc<Vault>, Problem> {
        let text = match (common.master_key()?, &self.0) {
            (Some(text), _) => text,
            (None, None) => Vault::generate(&SystemEntropy),
            (None, Some(folder)) => kept(&folder.join(DEV_MASTER_KEY), || Vault::generate(&SystemEntropy))?,
        };
        Ok(Arc::new(Vault::from_text(&text)?))
    }

    /// The demo application's secrets: those kept here, made the first time.
    pub(super) fn demo(
        &self,
        make: impl FnOnce() -> Zeroizing<String>,
    ) -> Result<Zeroizing<String>, Problem> {
        match &self.0 {
            None => Ok(make()),
            Some(folder) => kept(&folder.join(DEMO), make),
        }
    }
}

/// What is in `file`, which only its owner can read; made if it is not there. Of two processes that start at once, both
/// end up with what the first one wrote.
fn kept(file: &Path, make: impl FnOnce() -> Zeroizing<String>) -> Result<Zeroizing<String>, Problem> {
    let failed = |error: std::io::Error| Problem::file(file, &error);
    if !file.exists() {
        let beside = file.with_extension(format!("{}.new", std::process::id()));
        let mut new = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .map_err(failed)?;
        new.write_all(make().as_bytes()).and_then(|()| new.sync_all()).map_err(failed)?;
        // A hard link is made only if the name is free, and then with the whole content at once.
        let linked = fs::hard_link(&beside, file);
        fs::remove_file(&beside).map_err(failed)?;
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
    }
    fs::read_to_string(file).map(Zeroizing::new).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_kept_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let kept = Folder::open(&path).unwrap();
        let first = kept.demo(|| Zeroizing::new("one".into())).unwrap();
        let second = Folder::open(&path).unwrap().demo(|| Zeroizing::new("two".into())).unwrap();
        assert_eq!((first.as_str(), second.as_str()), ("one", "one"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path.join(DEMO)), 0o600);
        assert_eq!(mode(&path), 0o700);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }
}
