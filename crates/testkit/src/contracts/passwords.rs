//! What [`Passwords`] promise.

use rollcall_domain::user::{Password, PasswordHash};
use rollcall_ports::passwords::{Passwords, Verified};

/// Stamps the contract of password hashing on an implementation.
#[macro_export]
macro_rules! passwords_contract {
    ($passwords:expr) => {
        $crate::stamp! { $passwords, passwords:
            the_right_password_is_known_again
            every_byte_of_a_password_counts
            password_without_a_hash_is_never_right
            password_with_a_malformed_hash_is_never_right
            common_passwords_are_guessable
            passwords_made_of_ones_own_name_are_guessable
        }
    };
}

fn password(text: impl Into<String>) -> Password {
    Password::new(text.into()).expect("a password")
}

pub async fn the_right_password_is_known_again(passwords: &dyn Passwords) {
    for text in ["correct horse battery", " spaced ", "", "😀 ü", "pass\0word1"] {
        let hash = passwords.hash(password(text)).await.unwrap();
        let stored = PasswordHash::from_stored(hash.as_str().to_owned());
        assert_eq!(passwords.verify(password(text), Some(stored)).await.unwrap(), Verified::Yes, "{text:?}");
    }
}

pub async fn every_byte_of_a_password_counts(passwords: &dyn Passwords) {
    let long = "a".repeat(Password::MAX_BYTES - 1);
    for (one, other) in [
        ("secret".into(), "Secret".into()),
        ("secret".into(), "secret ".into()),
        ("pass\0word1".into(), "pass\0word2".into()),
        (format!("{}1", "a".repeat(72)), format!("{}2", "a".repeat(72))),
        (format!("{long}1"), format!("{long}2")),
        ("José".to_owned(), "Jose\u{301}".to_owned()),
    ] {
        let hash = passwords.hash(password(one.clone())).await.unwrap();
        let wrong = passwords.verify(password(other), Some(hash.clone())).await.unwrap();
        let right = passwords.verify(password(one), Some(hash)).await.unwrap();
        assert_eq!((wrong, right), (Verified::No, Verified::Yes));
    }
}

pub async fn password_without_a_hash_is_never_right(passwords: &dyn Passwords) {
    for text in ["", "password", "correct horse battery"] {
        assert_eq!(passwords.verify(password(text), None).await.unwrap(), Verified::No);
    }
}

pub async fn password_with_a_malformed_hash_is_never_right(passwords: &dyn Passwords) {
    for stored in ["", "secret", "$2b$", "$2b$12$secret", "!", "😀"] {
        let hash = PasswordHash::from_stored(stored.to_owned());
        let answer = passwords.verify(password("secret"), Some(hash)).await;
        assert!(matches!(answer, Ok(Verified::No) | Err(_)), "{stored:?}: {answer:?}");
    }
}

pub async fn common_passwords_are_guessable(passwords: &dyn Passwords) {
    for text in ["password123", "Password123", "1234567890", "qwertyuiop"] {
        assert!(passwords.is_guessable(&password(text), &[]), "{text}");
    }
    for text in ["correct horse battery", "zW8#kq!mB2vL", "seven green tables"] {
        assert!(!passwords.is_guessable(&password(text), &["Ada Lovelace", "ada@example.org"]), "{text}");
    }
}

pub async fn passwords_made_of_ones_own_name_are_guessable(passwords: &dyn Passwords) {
    let about = ["Ada Lovelace", "countess.lovelace@example.org"];
    for text in ["adalovelace", "AdaLovelace1"] {
        assert!(passwords.is_guessable(&password(text), &about), "{text}");
    }
}
