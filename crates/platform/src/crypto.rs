//! Encryption of what is stored, and the keys derived from the one that operators keep.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as MacKey, Mac};
use rollcall_ports::sealer::{SealError, Sealer};
use sha2::{Digest, Sha256};

use crate::ids::random;
use crate::keys::Key256;

/// The keys of an installation, all derived from `DATA_KEY`, so that no key serves two purposes.
#[derive(Debug)]
pub struct Keys {
    /// Encrypts templates and images.
    pub templates: Key256,
    /// Mixed into every password before it is hashed.
    pub pepper: Key256,
    /// Tells whether a backup is as it was written.
    pub backups: Key256,
    /// Tells this `DATA_KEY` from others and nothing else about it: no other key can be had from it, so it may be stored
    /// with the data.
    pub check: Key256,
}

impl Keys {
    /// Derives every key by HKDF-SHA-256 (RFC 5869) from 256 random bits.
    #[must_use]
    pub fn from_data_key(data_key: [u8; 32]) -> Self {
        let data_key = Key256::new(data_key);
        let hkdf = Hkdf::<Sha256>::new(Some(b"rollcall/1"), data_key.expose());
        let derive = |purpose: &str| {
            let mut key = [0; 32];
            hkdf.expand(purpose.as_bytes(), &mut key).expect("32 bytes are within HKDF's 255 * 32");
            Key256::new(key)
        };
        Self {
            templates: derive("templates"),
            pepper: derive("pepper"),
            backups: derive("backups"),
            check: derive("check"),
        }
    }
}

/// A checksum that only who has the key can make (HMAC-SHA-256, RFC 2104): what was altered is told from what is whole, also
/// when whoever altered it took pains.
pub struct Seal(Hmac<Sha256>);

impl Seal {
    /// Of nothing yet.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    pub fn new(key: &Key256) -> Self {
        Self(<Hmac<Sha256> as MacKey>::new_from_slice(key.expose()).expect("HMAC takes keys of any length"))
    }

    /// Adds bytes at the end.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// What all bytes come to.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

/// AES-256-GCM (NIST SP 800-38D) under one key.
///
/// Sealed bytes: format (1 byte, now 1), key id (4), nonce (12, random), ciphertext with its tag (16 more
/// than the plain bytes). With random nonces one key is good for 2^32 seals.
pub struct AesGcmSealer {
    cipher: Aes256Gcm,
    key_id: [u8; 4],
}

const FORMAT: u8 = 1;
const NONCE: usize = 12;

impl AesGcmSealer {
    /// Seals and opens with `key`.
    #[must_use]
    pub fn new(key: &Key256) -> Self {
        let mut key_id = [0; 4];
        let digest = Sha256::new().chain_update(b"rollcall/key-id/1").chain_update(key.expose()).finalize();
        key_id.copy_from_slice(&digest[..4]);
        Self { cipher: Aes256Gcm::new(key.expose().into()), key_id }
    }

    /// Names the key without telling it: 4 bytes of its SHA-256. Stands in everything that is sealed.
    #[must_use]
    pub const fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The id of the key that `sealed` wants; `None` if it was sealed by no format known here.
    #[must_use]
    pub fn key_id_of(sealed: &[u8]) -> Option<[u8; 4]> {
        let (format, rest) = sealed.split_first()?;
        (*format == FORMAT).then(|| rest.first_chunk().copied()).flatten()
    }
}

impl std::fmt::Debug for AesGcmSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AesGcmSealer(…)")
    }
}

impl Sealer for AesGcmSealer {
    fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = random::<NONCE>();
        let payload = Payload { msg: plain, aad: context };
        let hidden = self.cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| SealError)?;
        Ok([&[FORMAT][..], &self.key_id, &nonce, &hidden].concat())
    }

    fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        if Self::key_id_of(sealed) != Some(self.key_id) {
            return Err(SealError);
        }
        let (nonce, hidden) =
            sealed[1 + self.key_id.len()..].split_first_chunk::<NONCE>().ok_or(SealError)?;
        let payload = Payload { msg: hidden, aad: context };
        self.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| SealError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(key: u8) -> AesGcmSealer {
        AesGcmSealer::new(&Keys::from_data_key([key; 32]).templates)
    }

    #[test]
    fn sealed_bytes_open_only_in_their_context_with_their_key() {
        let sealed = sealer(1).seal(b"a face", b"user 1, face 1").unwrap();
        assert_eq!(sealer(1).open(&sealed, b"user 1, face 1").unwrap(), b"a face");
        assert_eq!(sealer(1).open(&sealed, b"user 2, face 1"), Err(SealError));
        assert_eq!(sealer(1).open(&sealed, b""), Err(SealError));
        assert_eq!(sealer(2).open(&sealed, b"user 1, face 1"), Err(SealError));
    }

    #[test]
    fn two_rows_cannot_be_swapped() {
        let (one, two) = (sealer(1).seal(b"same", b"1").unwrap(), sealer(1).seal(b"same", b"2").unwrap());
        assert_ne!(one, two);
        assert_eq!(sealer(1).open(&one, b"2"), Err(SealError));
        assert_eq!(sealer(1).open(&two, b"1"), Err(SealError));
    }

    #[test]
    fn sealing_twice_differs_and_shows_nothing() {
        let (one, two) = (sealer(1).seal(&[7; 64], b"c").unwrap(), sealer(1).seal(&[7; 64], b"c").unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 1 + 4 + 12 + 64 + 16);
        assert!(!one.windows(4).any(|bytes| bytes == [7; 4]));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let sealed = sealer(1).seal(b"a face", b"c").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer(1).open(&flipped, b"c"), Err(SealError), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(sealer(1).open(&sealed[..length], b"c"), Err(SealError), "{length} bytes");
        }
    }

    #[test]
    fn empty_bytes_can_be_sealed() {
        let sealed = sealer(1).seal(b"", b"c").unwrap();
        assert_eq!(sealer(1).open(&sealed, b"c").unwrap(), b"");
    }

    #[test]
    fn each_purpose_has_its_own_key_and_stored_data_keeps_its_key() {
        let keys = Keys::from_data_key([1; 32]);
        assert_ne!(keys.templates.expose(), keys.pepper.expose());
        let all = [&keys.templates, &keys.pepper, &keys.backups, &keys.check].map(Key256::expose);
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_ne!(keys.templates.expose(), &[1; 32]);
        // Changing the derivation would make every stored template unreadable.
        assert_eq!(sealer(1).key_id(), PINNED_KEY_ID);
        assert_eq!(AesGcmSealer::key_id_of(&sealer(1).seal(b"x", b"").unwrap()), Some(PINNED_KEY_ID));
        assert_eq!(AesGcmSealer::key_id_of(&[2, 0, 0, 0, 0]), None);
    }

    /// Of `[1; 32]`; computed with another implementation of HKDF.
    const PINNED_KEY_ID: [u8; 4] = [228, 82, 151, 242];

    #[test]
    fn debug_output_shows_no_key() {
        assert_eq!(format!("{:?}", sealer(1)), "AesGcmSealer(…)");
        let keys = format!("{:?}", Keys::from_data_key([1; 32]));
        assert_eq!(
            keys,
            "Keys { templates: Key256(…), pepper: Key256(…), backups: Key256(…), check: Key256(…) }"
        );
        assert_eq!(format!("{:?}", Seal::new(&Keys::from_data_key([1; 32]).backups)), "Seal(…)");
    }

    #[test]
    fn a_checksum_depends_on_the_key_and_on_every_byte() {
        let sum = |key: u8, parts: &[&[u8]]| {
            let mut seal = Seal::new(&Keys::from_data_key([key; 32]).backups);
            parts.iter().for_each(|part| seal.update(part));
            seal.finish()
        };
        assert_eq!(sum(1, &[b"ab", b"c"]), sum(1, &[b"abc"]));
        assert_ne!(sum(1, &[b"abc"]), sum(1, &[b"abd"]));
        assert_ne!(sum(1, &[b"abc"]), sum(2, &[b"abc"]));
    }
}
