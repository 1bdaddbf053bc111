use super::*;

fn passwords() -> BcryptPasswords {
    with_options(PasswordOptions { cost: 4, workers: 2, waiting: 32 })
}

fn with_options(options: PasswordOptions) -> BcryptPasswords {
    BcryptPasswords::new(Key256::new([9; 32]), options).unwrap()
}

fn password(text: &str) -> Password {
    Password::new(text.to_owned()).unwrap()
}

async fn check(stored: &PasswordHash, tried: &str, expected: Verified) {
    let found = passwords().verify(password(tried), Some(stored.clone())).await.unwrap();
    assert_eq!(found, expected, "{tried:?}");
}

async fn hashed(text: &str) -> PasswordHash {
    passwords().hash(password(text)).await.unwrap()
}

fn imported(text: &[u8], cost: u32) -> PasswordHash {
    PasswordHash::from_stored(bcrypt::hash(text, cost).unwrap())
}

#[tokio::test]
async fn the_right_password_is_told_from_others() {
    let stored = hashed("correct horse").await;
    check(&stored, "correct horse", Verified::Yes).await;
    for wrong in ["correct horse ", "Correct horse", "correct hors", "", " correct horse"] {
        check(&stored, wrong, Verified::No).await;
    }
}

#[tokio::test]
async fn every_byte_counts_at_any_length() {
    for length in [71, 72, 73, 100, 1_023] {
        let start = "a".repeat(length);
        let stored = hashed(&format!("{start}x")).await;
        check(&stored, &format!("{start}x"), Verified::Yes).await;
        check(&stored, &format!("{start}y"), Verified::No).await;
        check(&stored, &start, Verified::No).await;
    }
    let emoji = "😀".repeat(64);
    let stored = hashed(&emoji).await;
    check(&stored, &emoji, Verified::Yes).await;
    check(&stored, &"😀".repeat(63), Verified::No).await;
}

#[tokio::test]
async fn a_zero_byte_is_a_byte() {
    let stored = hashed("pass\0word1").await;
    check(&stored, "pass\0word1", Verified::Yes).await;
    check(&stored, "pass\0word2", Verified::No).await;
    check(&stored, "pass", Verified::No).await;
}

#[tokio::test]
async fn password_hash_names_scheme_and_cost_and_is_salted() {
    let (one, two) = (hashed("same").await, hashed("same").await);
    assert!(one.as_str().starts_with("bp1$2b$04$"), "{}", one.as_str());
    assert_ne!(one.as_str(), two.as_str());
    assert!(!format!("{:?}", passwords()).contains('9'));
}

#[tokio::test]
async fn another_pepper_opens_nothing() {
    let options = PasswordOptions { cost: 4, ..PasswordOptions::default() };
    let elsewhere = BcryptPasswords::new(Key256::new([8; 32]), options).unwrap();
    let stored = elsewhere.hash(password("correct horse")).await.unwrap();
    check(&stored, "correct horse", Verified::No).await;
}

#[tokio::test]
async fn an_imported_hash_verifies_and_is_outdated() {
    // From the test suite of Python's bcrypt.
    let python = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";
    check(&PasswordHash::from_stored(python.to_owned()), "correctbatteryhorsestapler", Verified::Outdated)
        .await;
    for version in ["2a", "2b", "2y"] {
        let stored = imported(b"old password", 4).as_str().replacen("2b", version, 1);
        check(&PasswordHash::from_stored(stored.clone()), "old password", Verified::Outdated).await;
        check(&PasswordHash::from_stored(stored), "another", Verified::No).await;
    }
}

#[tokio::test]
async fn an_imported_hash_saw_72_bytes() {
    let long = "b".repeat(80);
    for length in [71, 72, 73, 80] {
        let stored = imported(&long.as_bytes()[..length], 4);
        check(&stored, &long[..length], Verified::Outdated).await;
        check(&stored, &long[..70], Verified::No).await;
        let other_end = format!("{}c", &long[..length - 1]);
        let expected = if length > 72 { Verified::Outdated } else { Verified::No };
        check(&stored, &other_end, expected).await;
    }
}

#[tokio::test]
async fn an_imported_hash_never_opens_to_a_zero_byte() {
    check(&imported(b"pass", 4), "pass\0word", Verified::No).await;
    check(&imported(b"pass\0word", 4), "pass\0word", Verified::No).await;
}

#[tokio::test]
async fn a_lower_cost_is_outdated_and_a_higher_one_is_not() {
    let costly = with_options(PasswordOptions { cost: 5, workers: 1, waiting: 1 });
    let cheap = hashed("correct horse").await;
    assert_eq!(costly.verify(password("correct horse"), Some(cheap)).await.unwrap(), Verified::Outdated);
    check(&costly.hash(password("correct horse")).await.unwrap(), "correct horse", Verified::Yes).await;
}

#[tokio::test]
async fn missing_or_malformed_hash_matches_no_password() {
    assert_eq!(passwords().verify(password("x"), None).await.unwrap(), Verified::No);
    let good = hashed("x").await;
    for form in ["", "!", "plain", "$2b$04$short", "bp1", "bp2$", "$2x$", "$1$", "bp1bp1$2b$", "$2b$31$"] {
        let stored = format!("{form}{}", good.as_str().trim_start_matches("bp1$2b$04$"));
        check(&PasswordHash::from_stored(stored), "x", Verified::No).await;
    }
}

#[tokio::test]
async fn an_unknown_account_costs_the_same_work() {
    let passwords = with_options(PasswordOptions { cost: 8, workers: 1, waiting: 1 });
    let stored = passwords.hash(password("correct horse")).await.unwrap();
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..15 {
        for (hash, times) in [Some(stored.clone()), None].into_iter().zip(&mut times) {
            let start = std::time::Instant::now();
            passwords.verify(password("wrong"), hash).await.unwrap();
            times.push(start.elapsed());
        }
    }
    let [known, unknown] = times.map(|times| times.into_iter().min().unwrap().as_secs_f64());
    assert!((0.5..2.0).contains(&(known / unknown)), "{known} against {unknown} seconds");
}

#[tokio::test]
async fn full_hashing_queue_refuses_at_once() {
    let passwords = with_options(PasswordOptions { cost: 4, workers: 1, waiting: 1 });
    let turn = Arc::clone(&passwords.served).acquire_owned().await.unwrap();
    // `join` runs each up to where it must wait; the one worker is taken, so two fill the line.
    let (first, second, third) =
        tokio::join!(passwords.hash(password("a")), passwords.hash(password("b")), async {
            let refused = passwords.hash(password("c")).await;
            drop(turn);
            refused
        },);
    assert!(first.is_ok() && second.is_ok());
    assert!(matches!(third, Err(PasswordError::Busy)));
    assert!(passwords.hash(password("d")).await.is_ok(), "places are given back");
}

#[test]
fn options_have_bounds() {
    let refused = |options| BcryptPasswords::new(Key256::new([9; 32]), options).err();
    let good = PasswordOptions { cost: 4, workers: 1, waiting: 0 };
    assert_eq!(refused(good), None);
    assert_eq!(refused(PasswordOptions { cost: 3, ..good }), Some(PasswordSetupError::Cost(3)));
    assert_eq!(refused(PasswordOptions { cost: 17, ..good }), Some(PasswordSetupError::Cost(17)));
    assert_eq!(refused(PasswordOptions { workers: 0, ..good }), Some(PasswordSetupError::Queue));
    assert_eq!(PasswordOptions::default().cost, 12);
}

#[test]
fn common_passwords_and_ones_own_data_are_guessable() {
    let about = ["Ada Lovelace", "ada.lovelace@example.org"];
    for weak in [
        "password",
        "Password1!",
        "1234567890",
        "qwertyuiop",
        "iloveyou123",
        "aaaaaaaaaaaa",
        "rollcall",
        "Rollcall123",
        "rollcall2026",
        "ada.lovelace@example.org",
        "Ada.Lovelace@example.org!",
        "adalovelace",
        "lovelace1",
        "",
    ] {
        assert!(is_guessable(weak, &about), "{weak:?}");
    }
    assert!(is_guessable(&"a".repeat(1_024), &about));
}

#[test]
fn a_phrase_or_anything_random_is_not_guessable() {
    for strong in
        ["purple monkey x", "thirteen violet", "kx7Qm2vTz9", "пятнадцать букв", "日本語のパスワード長い文"]
    {
        assert!(!is_guessable(strong, &["Ada", "ada@example.org"]), "{strong:?}");
    }
    let mixed = format!("{}kx7Qm2vTz9fLw3", "a".repeat(500));
    assert!(!is_guessable(&mixed, &[]), "the strong end counts");
}

#[test]
fn judging_takes_little_time_at_any_length() {
    let long: String = (0..1_024_u32).map(|i| char::from(b'a' + (i * i % 26) as u8)).collect();
    let start = std::time::Instant::now();
    is_guessable(&long, &["Ada Lovelace"]);
    assert!(start.elapsed().as_millis() < 1_000, "{:?}", start.elapsed());
}
