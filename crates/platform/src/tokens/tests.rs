use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha384, Sha512};

const SECRET: &str = "4c6f7265-6d20697073756d-646f6c6f72!x";
const NOW: i64 = 1_800_000_000;

fn tokens() -> JwtTokens {
    JwtTokens::new(&JwtSecret::parse(SECRET).unwrap(), 5).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn some_claims() -> Claims {
    Claims {
        user: UserId::new(Uuid::from_u128(1)),
        role: Role::Manager,
        session: SessionId::new(Uuid::from_u128(2)),
        token: Uuid::from_u128(3),
        version: 4,
        issued_at: at(NOW - 60),
        expires_at: at(NOW + 3_540),
    }
}

/// The claims of a good token, to be spoiled.
fn body() -> Value {
    json!({
        "iss": "rollcall", "aud": "rollcall-api", "sub": Uuid::from_u128(1).to_string(), "role": "manager",
        "sid": Uuid::from_u128(2).to_string(), "jti": Uuid::from_u128(3).to_string(),
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 3_540, "tv": 4,
    })
}

fn with(claim: &str, value: Value) -> String {
    let mut body = body();
    body[claim] = value;
    body.to_string()
}

macro_rules! sign {
    ($hash:ty, $message:expr) => {{
        let mut mac = Hmac::<$hash>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update($message.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }};
}

fn unsigned(header: &str, body: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(body))
}

/// Correctly signed, whatever it says.
fn forged(header: &str, body: &str) -> String {
    let message = unsigned(header, body);
    format!("{message}.{}", sign!(Sha256, message))
}

const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

#[track_caller]
fn check(token: &str, expected: Result<Claims, TokenError>) {
    assert_eq!(tokens().read(token, at(NOW)), expected, "{token}");
}

#[track_caller]
fn refused(token: &str) {
    check(token, Err(TokenError::Malformed));
}

#[test]
fn an_issued_token_is_read_back() {
    check(&tokens().issue(&some_claims()).unwrap(), Ok(some_claims()));
    check(&forged(HEADER, &body().to_string()), Ok(some_claims()));
}

#[test]
fn another_algorithm_is_refused_whatever_the_signature() {
    let body = body().to_string();
    for alg in ["none", "None", "NONE", "nOnE", "HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", ""] {
        let header = json!({ "typ": "JWT", "alg": alg }).to_string();
        let message = unsigned(&header, &body);
        refused(&format!("{message}."));
        refused(&message);
        refused(&format!("{message}.{}", sign!(Sha256, message)));
        refused(&format!("{message}.{}", sign!(Sha384, message)));
        refused(&format!("{message}.{}", sign!(Sha512, message)));
    }
    refused(&forged(r#"{"typ":"JWT"}"#, &body));
}

#[test]
fn a_header_that_names_keys_or_asks_for_more_is_refused() {
    for (name, value) in [
        ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        ("jku", json!("https://example.org/keys")),
        ("x5u", json!("https://example.org/cert")),
        ("x5c", json!(["AAAA"])),
        ("kid", json!("../../dev/null")),
        ("kid", json!("' OR 1=1--")),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("typ", json!("jwt")),
        ("typ", Value::Null),
    ] {
        let mut header = json!({ "typ": "JWT", "alg": "HS256" });
        header[name] = value;
        refused(&forged(&header.to_string(), &body().to_string()));
    }
    refused(&forged(r#"{"alg":"HS256"}"#, &body().to_string()));
    refused(&forged(r#"{"typ":"JWT","alg":"HS256","alg":"HS256"}"#, &body().to_string()));
}

#[test]
fn every_claim_is_required_and_no_other_is_accepted() {
    let claims: Vec<String> = body().as_object().unwrap().keys().cloned().collect();
    assert_eq!(claims.len(), 10);
    for claim in claims {
        let mut body = body();
        body.as_object_mut().unwrap().remove(&claim);
        refused(&forged(HEADER, &body.to_string()));
        refused(&forged(HEADER, &with(&claim, Value::Null)));
        refused(&forged(HEADER, &with(&claim, json!([1]))));
    }
    refused(&forged(HEADER, &with("admin", json!(true))));
}

#[test]
fn every_claim_has_one_type() {
    for time in ["iat", "nbf", "exp"] {
        let whole_float = json!((NOW - 10) as f64);
        assert!(whole_float.to_string().ends_with(".0"));
        for wrong in
            [whole_float, json!(0.5), json!((NOW - 10).to_string()), json!(-1), json!(u64::MAX), json!(true)]
        {
            refused(&forged(HEADER, &with(time, wrong)));
        }
    }
    for (claim, wrong) in [
        ("tv", json!(-1)),
        ("tv", json!("4")),
        ("tv", json!(4.0)),
        ("tv", json!(1_u64 << 32)),
        ("sub", json!(1)),
        ("sub", json!("1")),
        ("sub", json!(Uuid::from_u128(1).simple().to_string())),
        ("jti", json!(Uuid::from_u128(3).simple().to_string())),
        ("sid", json!("")),
        ("role", json!("root")),
        ("role", json!("Admin")),
    ] {
        refused(&forged(HEADER, &with(claim, wrong)));
    }
}

#[test]
fn a_claim_stated_twice_is_refused() {
    let twice = body().to_string().replacen('{', r#"{"role":"admin","#, 1);
    refused(&forged(HEADER, &twice));
    let twice = body().to_string().replacen('{', &format!(r#"{{"exp":{},"#, NOW + 3_540), 1);
    refused(&forged(HEADER, &twice));
}

#[test]
fn a_token_for_or_from_somebody_else_is_refused() {
    refused(&forged(HEADER, &with("iss", json!("someone"))));
    refused(&forged(HEADER, &with("iss", json!(["rollcall"]))));
    refused(&forged(HEADER, &with("aud", json!("other-api"))));
    refused(&forged(HEADER, &with("aud", json!(["rollcall-api", "other-api"]))));
    let other = JwtTokens::new(&JwtSecret::parse("another secret, 32 bytes or longer.").unwrap(), 5).unwrap();
    refused(&other.issue(&some_claims()).unwrap());
}

#[test]
fn token_times_are_judged_with_little_leeway() {
    for (claim, second, expected) in [
        ("exp", NOW - 6, Err(TokenError::Expired)),
        ("exp", NOW - 5, Err(TokenError::Expired)),
        ("exp", NOW - 4, Ok(())),
        ("nbf", NOW + 5, Ok(())),
        ("nbf", NOW + 6, Err(TokenError::Malformed)),
        ("iat", NOW + 5, Ok(())),
        ("iat", NOW + 6, Err(TokenError::Malformed)),
    ] {
        let read = tokens().read(&forged(HEADER, &with(claim, json!(second))), at(NOW));
        assert_eq!(read.map(|_| ()), expected, "{claim} {}", second - NOW);
    }
    let token = tokens().issue(&some_claims()).unwrap();
    assert_eq!(tokens().read(&token, at(NOW + 3_545)), Err(TokenError::Expired));
    assert_eq!(tokens().read(&token, at(NOW - 66)), Err(TokenError::Malformed));
}

#[test]
fn any_change_of_any_character_is_noticed() {
    let token = tokens().issue(&some_claims()).unwrap();
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        refused(std::str::from_utf8(&changed).unwrap());
    }
    let signature = token.rsplit('.').next().unwrap();
    for bad in [format!("{token}="), format!("{token}."), token.replace(signature, ""), format!(" {token}")] {
        refused(&bad);
    }
    refused("");
    refused("..");
    refused(&"a".repeat(100_000));
}

#[test]
fn an_expired_forgery_is_a_forgery_first() {
    let expired = unsigned(HEADER, &with("exp", json!(NOW - 1_000)));
    refused(&format!("{expired}.{}", URL_SAFE_NO_PAD.encode([0; 32])));
}

#[test]
fn leeway_is_bounded_and_fingerprints_differ() {
    let secret = JwtSecret::parse(SECRET).unwrap();
    assert_eq!(JwtTokens::new(&secret, 6).err(), Some(TokenSetupError::Leeway(6)));
    assert_ne!(tokens().fingerprint("a"), tokens().fingerprint("b"));
    assert_ne!(tokens().fingerprint("a")[..], Sha256::digest(b"a")[..]);
    assert_eq!(format!("{:?}", tokens()), "JwtTokens(…)");
}
