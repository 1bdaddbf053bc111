//! What a [`Sealer`] promises.

use rollcall_ports::sealer::Sealer;

/// Stamps the contract of a sealer on an implementation.
#[macro_export]
macro_rules! sealer_contract {
    ($sealer:expr) => {
        $crate::stamp! { $sealer, sealer:
            sealed_bytes_can_be_opened
            sealed_bytes_open_only_in_their_context
            every_changed_bit_is_noticed
            cut_or_made_up_sealed_bytes_are_refused
            the_same_bytes_never_look_the_same
        }
    };
}

pub async fn sealed_bytes_can_be_opened(sealer: &dyn Sealer) {
    for plain in [&b""[..], b"a", &[0; 4096], "ü😀".as_bytes()] {
        for context in [&b""[..], b"face:1"] {
            let sealed = sealer.seal(plain, context).unwrap();
            assert_eq!(sealer.open(&sealed, context).unwrap(), plain);
        }
    }
}

pub async fn sealed_bytes_open_only_in_their_context(sealer: &dyn Sealer) {
    let sealed = sealer.seal(b"template", b"face:1").unwrap();
    for other in [&b""[..], b"face:2", b"face:", b"face:11", b"Face:1"] {
        assert!(sealer.open(&sealed, other).is_err(), "{other:?}");
    }
    let (one, other) = (sealer.seal(b"bc", b"a").unwrap(), sealer.seal(b"c", b"ab").unwrap());
    assert!(sealer.open(&one, b"ab").is_err() && sealer.open(&other, b"a").is_err());
}

pub async fn every_changed_bit_is_noticed(sealer: &dyn Sealer) {
    let sealed = sealer.seal(b"template", b"face:1").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(sealer.open(&changed, b"face:1").is_err(), "bit {bit}");
    }
}

pub async fn cut_or_made_up_sealed_bytes_are_refused(sealer: &dyn Sealer) {
    let sealed = sealer.seal(b"template", b"face:1").unwrap();
    for length in 0..sealed.len() {
        assert!(sealer.open(&sealed[..length], b"face:1").is_err(), "{length} bytes");
    }
    let longer = [&sealed[..], b"x"].concat();
    for made_up in [&longer[..], b"template", &[0; 64]] {
        assert!(sealer.open(made_up, b"face:1").is_err(), "{made_up:?}");
    }
}

pub async fn the_same_bytes_never_look_the_same(sealer: &dyn Sealer) {
    let mut sealed: Vec<_> = (0..100).map(|_| sealer.seal(b"template", b"face:1").unwrap()).collect();
    sealed.sort();
    sealed.dedup();
    assert_eq!(sealed.len(), 100);
}
