//! Secrets: given by settings, or kept in a file that only its owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollcall_ports::ids::IdSource;
use zeroize::Zeroizing;

use crate::ids::{SystemIds, random};

/// 256 secret bits. Erased when dropped, never printed.
#[derive(Clone)]
pub struct Key256(Zeroizing<[u8; 32]>);

/// The text is no secret. Which rule it breaks is said, its content never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// Too short to resist guessing.
    #[error("must have at least 32 bytes")]
    Short,
    /// Known to everybody, as it stands in examples.
    #[error("is a placeholder from an example")]
    Placeholder,
    /// Long, but made of few different characters.
    #[error("has too few different characters to be random")]
    Repetitive,
    /// Not 32 bytes in base64.
    #[error("must be 32 bytes in base64")]
    NotAKey,
}

/// The key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Somebody besides the owner may read or change it.
    #[error(
        "the key file may be read or changed by others (mode {0:03o}). Set its mode to 600 and replace the key if others had access"
    )]
    Exposed(u32),
    /// A folder, link or device.
    #[error("the key file is not an ordinary file")]
    NotAFile,
    /// Its content is no key. It is never replaced, as data may be sealed with what it once held.
    #[error("the key file does not hold 32 bytes in base64")]
    NotAKey,
    /// It cannot be read or written.
    #[error("the key file cannot be read or written")]
    Io(#[from] io::Error),
}

impl Key256 {
    /// Wraps 32 bytes, which the caller knows to be random.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Fresh random bits.
    ///
    /// # Panics
    /// When the operating system has no random numbers to give.
    #[must_use]
    pub fn generate() -> Self {
        Self::new(random())
    }

    /// Reads 32 bytes in base64, as `DATA_KEY` is given.
    ///
    /// # Errors
    /// [`WeakSecret`] for anything else, and for bytes that cannot be random.
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| WeakSecret::NotAKey)?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| WeakSecret::NotAKey)?;
        if is_repetitive(&key) { Err(WeakSecret::Repetitive) } else { Ok(Self::new(key)) }
    }

    /// Reads the key kept at `path`; `None` if there is no such file.
    ///
    /// # Errors
    /// [`KeyFileError`], also when anybody but the owner may read the file.
    pub fn load(path: &Path) -> Result<Option<Self>, KeyFileError> {
        // A link could lead to a file that somebody else chose.
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(metadata) if !metadata.is_file() => return Err(KeyFileError::NotAFile),
            Ok(_) => {}
        }
        let file = File::open(path)?;
        // Asked of the open file, which nobody can exchange any more.
        let mode = file.metadata()?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Exposed(mode));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(1024).read_to_string(&mut text).map_err(|_| KeyFileError::NotAKey)?;
        Self::parse(&text).map(Some).map_err(|_| KeyFileError::NotAKey)
    }

    /// Reads the key kept at `path`, or makes one and keeps it there with mode 600.
    ///
    /// The file appears whole or not at all, and of several processes that start at once all get the same.
    ///
    /// # Errors
    /// [`KeyFileError`]; an unusable file is never replaced.
    ///
    /// # Panics
    /// When the operating system has no random numbers to give.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        if let Some(key) = Self::load(path)? {
            return Ok(key);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let draft = folder.join(format!(".key-{}", SystemIds.next().simple()));
        let placed = Self::generate().write(&draft).and_then(|()| {
            // Unlike a rename, a link does not replace a file that another process placed meanwhile.
            match fs::hard_link(&draft, path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                placed => placed,
            }
        });
        let removed = fs::remove_file(&draft);
        placed?;
        removed?;
        File::open(folder)?.sync_all()?;
        Self::load(path)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound).into())
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let text = Zeroizing::new(STANDARD.encode(self.expose()) + "\n");
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// The bits themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Key256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key256(…)")
    }
}

/// The secret that signs access tokens. Erased when dropped, never printed.
#[derive(Clone)]
pub struct JwtSecret(Zeroizing<Vec<u8>>);

impl JwtSecret {
    /// Takes the bytes of `JWT_SECRET_KEY` as they are.
    ///
    /// # Errors
    /// [`WeakSecret`] for what is short, well known or repetitive.
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        /// What stands in examples, without case and punctuation.
        const EXAMPLES: [&str; 8] = [
            "yourjwtsecret",
            "yoursecret",
            "changeme",
            "changethis",
            "replaceme",
            "supersecret",
            "astringsecretatleast256bitslong",
            "placeholder",
        ];
        let letters: Zeroizing<String> = Zeroizing::new(
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase(),
        );
        if EXAMPLES.iter().any(|example| letters.contains(example)) || letters.as_str() == "secret" {
            return Err(WeakSecret::Placeholder);
        }
        if text.len() < 32 {
            return Err(WeakSecret::Short);
        }
        if is_repetitive(text.as_bytes()) {
            return Err(WeakSecret::Repetitive);
        }
        Ok(Self(Zeroizing::new(text.as_bytes().to_vec())))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<&Key256> for JwtSecret {
    fn from(key: &Key256) -> Self {
        Self(Zeroizing::new(key.expose().to_vec()))
    }
}

impl std::fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JwtSecret(…)")
    }
}

/// Fewer than 8 different bytes: of 32 random ones, also of hexadecimal digits, that never happens
/// (less than one in a billion).
fn is_repetitive(bytes: &[u8]) -> bool {
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count() < 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_kept_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.key");
        let made = Key256::load_or_create(&path).unwrap();
        assert_eq!(Key256::load_or_create(&path).unwrap().expose(), made.expose());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn all_of_many_starting_at_once_get_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.key");
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let start = || *Key256::load_or_create(&path).unwrap().expose();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.key");
        Key256::load_or_create(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = Key256::load_or_create(&path);
            assert!(matches!(refused, Err(KeyFileError::Exposed(found)) if found == mode), "{refused:?}");
        }
    }

    #[test]
    fn bad_key_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("data.key"), folder.path().join("link.key"));
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .unwrap()
            .write_all(b"cut")
            .unwrap();
        assert!(matches!(Key256::load_or_create(&path), Err(KeyFileError::NotAKey)));
        assert_eq!(fs::read(&path).unwrap(), b"cut");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(Key256::load_or_create(&link), Err(KeyFileError::NotAFile)));
        assert!(matches!(Key256::load_or_create(folder.path()), Err(KeyFileError::NotAFile)));
        assert!(Key256::load(&folder.path().join("none")).unwrap().is_none());
    }

    #[test]
    fn weak_token_secrets_are_refused() {
        let (short, long) = ("a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p", "a".repeat(64));
        for (secret, rule) in [
            ("", WeakSecret::Short),
            ("secret", WeakSecret::Placeholder),
            ("changeme", WeakSecret::Placeholder),
            ("your_jwt_secret", WeakSecret::Placeholder),
            ("Your-JWT-Secret-Key-Goes-Here-0123456789", WeakSecret::Placeholder),
            ("a-string-secret-at-least-256-bits-long", WeakSecret::Placeholder),
            (short, WeakSecret::Short),
            (&long[..31], WeakSecret::Short),
            (&long, WeakSecret::Repetitive),
        ] {
            assert_eq!(JwtSecret::parse(secret).err(), Some(rule), "{secret:?}");
        }
        assert!(JwtSecret::parse("9f86d081884c7d659a2feaa0c55ad015").is_ok());
    }

    #[test]
    fn data_keys_are_32_random_looking_bytes_in_base64() {
        let key = Key256::generate();
        assert_eq!(Key256::parse(&STANDARD.encode(key.expose())).unwrap().expose(), key.expose());
        assert_eq!(Key256::parse("").err(), Some(WeakSecret::NotAKey));
        assert_eq!(Key256::parse(&STANDARD.encode([1; 31])).err(), Some(WeakSecret::NotAKey));
        assert_eq!(Key256::parse(&STANDARD.encode([0; 32])).err(), Some(WeakSecret::Repetitive));
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let secret = JwtSecret::from(&Key256::generate());
        assert_eq!(format!("{secret:?} {:?}", Key256::generate()), "JwtSecret(…) Key256(…)");
    }
}
