use super::accept::Coding;
use axum::body::Bytes;
use flate2::{Compression, write::GzEncoder};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher as _},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// The file that pages load.
const LOADER: &str = "footfall.js";
/// The least hexadecimal digits that make an end of a name a hash.
const MIN_HASH: usize = 8;
/// The longest file that is taken, in bytes; the SDK's are a hundredth of it.
const MAX_LEN: u64 = 16 << 20;
/// The most bytes of files that are kept though the folder does not have them any more: some hundred versions of the SDK.
const MAX_OLDER: usize = 32 << 20;

/// The files of a folder, by name, and those that it had before.
#[derive(Debug)]
pub struct Files {
    current: HashMap<String, Arc<File>>,
    /// Under names that change with the content, the newest first.
    older: Vec<(String, Arc<File>)>,
}

/// Why a folder's files cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or one of its files cannot be read.
    #[error("`{path}` ({source})", path = .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder does not have the SDK's loader.
    #[error("`{path}` without `{LOADER}`", path = .path.display())]
    NoLoader {
        /// The folder.
        path: PathBuf,
    },
}

/// A file, and what it is compressed to.
#[derive(Debug)]
pub(super) struct File {
    /// Its `Content-Type`.
    pub(super) r#type: &'static str,
    /// Whether its name changes with its content.
    pub(super) is_immutable: bool,
    hash: u64,
    plain: Bytes,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl Files {
    /// Reads a folder. Files `NAME.br` and `NAME.gz` are the compressed forms of `NAME`.
    ///
    /// # Errors
    /// When it cannot be read, or does not have the SDK's loader.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let unreadable = |path: &Path, source| Error::Unreadable {
            path: path.to_owned(),
            source,
        };
        let entries = folder
            .read_dir()
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(|error| unreadable(folder, error))?;
        let mut contents = HashMap::new();
        for entry in entries {
            let path = entry.path();
            let about = path.metadata().map_err(|error| unreadable(&path, error))?;
            if about.is_file() && about.len() <= MAX_LEN {
                let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                contents.insert(name, Bytes::from(bytes));
            }
        }
        if !contents.contains_key(LOADER) {
            let path = folder.to_owned();
            return Err(Error::NoLoader { path });
        }
        let files = contents.iter().filter_map(|(name, plain)| {
            let r#type = type_of(name)?;
            let compressed = |ending: &str| {
                let given = contents.get(&format!("{name}.{ending}")).cloned();
                given.map_or_else(OnceLock::new, OnceLock::from)
            };
            let file = File {
                r#type,
                is_immutable: is_hashed(name),
                hash: hash(plain),
                plain: plain.clone(),
                brotli: compressed("br"),
                gzip: compressed("gz"),
            };
            Some((name.clone(), Arc::new(file)))
        });
        Ok(Self {
            current: files.collect(),
            older: Vec::new(),
        })
    }

    /// The same, and what others had under names that change with the content: pages that were loaded before an update
    /// still ask for it. What does not fit into [`MAX_OLDER`] is left out, the oldest first.
    #[must_use]
    pub fn after(&self, others: &Self) -> Self {
        let replaced = others.current.iter().filter(|(_, file)| file.is_immutable);
        let replaced = replaced.map(|(name, file)| (name.clone(), file.clone()));
        let mut bytes = 0;
        let older = replaced.chain(others.older.iter().cloned());
        let older = older.filter(|(name, _)| !self.current.contains_key(name));
        let older = older.take_while(|(_, file)| {
            bytes += file.plain.len();
            bytes <= MAX_OLDER
        });
        Self {
            older: older.collect(),
            current: self.current.clone(),
        }
    }

    /// Makes the compressed forms that the folder does not have. Takes a while; until then the plain ones are served.
    pub fn compress(&self) {
        for file in self.current.values() {
            let smaller = |bytes: Vec<u8>| {
                Some(Bytes::from(bytes)).filter(|bytes| bytes.len() < file.plain.len())
            };
            // A form that is there already is left as it is.
            if let Some(bytes) = brotli(&file.plain).and_then(smaller) {
                let _kept = file.brotli.set(bytes);
            }
            if let Some(bytes) = gzip(&file.plain).and_then(smaller) {
                let _kept = file.gzip.set(bytes);
            }
        }
    }

    /// Whether a file is served.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.current.contains_key(name)
    }

    pub(super) fn named(&self, name: &str) -> Option<&File> {
        let older = || self.older.iter().find(|(older, _)| older == name);
        let current = self.current.get(name);
        let file = current.or_else(|| older().map(|(_, file)| file))?;
        Some(file)
    }
}

impl File {
    pub(super) fn body(&self, coding: Coding) -> Option<Bytes> {
        match coding {
            Coding::Brotli => self.brotli.get().cloned(),
            Coding::Gzip => self.gzip.get().cloned(),
            Coding::Identity => Some(self.plain.clone()),
        }
    }

    /// Each form has an `ETag` of its own (RFC 9110, 8.8.3.3).
    pub(super) fn etag(&self, coding: Coding) -> String {
        let ending = coding
            .name()
            .map_or(String::new(), |name| format!("-{name}"));
        format!("\"{:016x}{ending}\"", self.hash)
    }
}

fn type_of(name: &str) -> Option<&'static str> {
    match Path::new(name).extension()?.to_str()? {
        "js" | "mjs" => Some("text/javascript; charset=utf-8"),
        "wasm" => Some("application/wasm"),
        "json" | "map" => Some("application/json"),
        "ts" | "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

/// `NAME-HASH.EXT`.
fn is_hashed(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.rsplit_once('-').is_some_and(|(_, hash)| {
        hash.len() >= MIN_HASH && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn brotli(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
    encoder.write_all(bytes).ok()?;
    Some(encoder.into_inner())
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_end_in_a_hash_are_immutable() {
        for hashed in ["footfall-4b64b994353a.wasm", "core-a128f3f7.js"] {
            assert!(is_hashed(hashed), "{hashed}");
        }
        for plain in [
            "footfall.js",
            "foot-fall.js",
            "index-1234567.js",
            "4b64b994353a.js",
        ] {
            assert!(!is_hashed(plain), "{plain}");
        }
    }

    #[test]
    fn hashed_files_outlive_updates_up_to_a_bound_and_others_do_not() {
        let with = |files: &[(&str, usize)]| {
            let folder = tempfile::tempdir().unwrap();
            for (name, len) in [(LOADER, 1)].iter().chain(files) {
                std::fs::write(folder.path().join(name), vec![b' '; *len]).unwrap();
            }
            Files::read(folder.path()).unwrap()
        };
        let len = |files: &Files, name| files.named(name).map(|file| file.plain.len());
        let half = MAX_OLDER / 2;
        let first = with(&[("core-aaaaaaaa.js", 3), ("fields.json", 2)]);
        let second = with(&[("core-bbbbbbbb.js", half)]).after(&first);
        assert_eq!(len(&second, "core-aaaaaaaa.js"), Some(3));
        assert_eq!(len(&second, "fields.json"), None);
        let again = with(&[("core-aaaaaaaa.js", 4)]).after(&second);
        assert_eq!(len(&again, "core-aaaaaaaa.js"), Some(4));
        assert_eq!(len(&again, "core-bbbbbbbb.js"), Some(half));
        let third = with(&[("core-cccccccc.js", half - 3)]).after(&second);
        assert_eq!(len(&third, "core-aaaaaaaa.js"), Some(3));
        let fourth = with(&[("core-dddddddd.js", 1)]).after(&third);
        assert_eq!(len(&fourth, "core-bbbbbbbb.js"), Some(half));
        assert_eq!(len(&fourth, "core-aaaaaaaa.js"), Some(3));
        let fifth = with(&[]).after(&fourth);
        assert_eq!(len(&fifth, "core-bbbbbbbb.js"), Some(half));
        assert_eq!(len(&fifth, "core-aaaaaaaa.js"), None);
    }

    #[test]
    fn a_folder_is_read_with_its_compressed_forms_and_the_others_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes);
        let error = Files::read(folder.path()).unwrap_err();
        assert!(
            error.to_string().contains("without `footfall.js`"),
            "{error}"
        );
        let script = b"export {};".repeat(100);
        write(LOADER, &script).unwrap();
        write("footfall.js.br", b"made before").unwrap();
        write("secret.toml", b"x").unwrap();
        let files = Files::read(folder.path()).unwrap();
        assert!(files.named("secret.toml").is_none() && files.named("footfall.js.br").is_none());
        let loader = files.named(LOADER).unwrap();
        assert!(loader.body(Coding::Gzip).is_none());
        files.compress();
        assert_eq!(loader.body(Coding::Brotli).unwrap(), &b"made before"[..]);
        assert!(loader.body(Coding::Gzip).unwrap().len() < script.len());
        assert_ne!(loader.etag(Coding::Gzip), loader.etag(Coding::Identity));
    }
}
