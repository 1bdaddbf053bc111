//! What [`AccessTokens`] promise.

use jiff::SignedDuration;
use rollcall_domain::access::Role;
use rollcall_domain::id::{SessionId, UserId};
use rollcall_domain::session::Claims;
use rollcall_ports::tokens::{AccessTokens, TokenError};

use crate::builders::{at, fresh};

/// Stamps the contract of access tokens on an implementation.
#[macro_export]
macro_rules! access_tokens_contract {
    ($tokens:expr) => {
        $crate::stamp! { $tokens, tokens:
            claims_come_back_as_they_were_issued
            a_token_ends_at_the_second_it_says
            every_changed_character_is_noticed
            text_that_is_no_token_is_malformed
            a_changed_token_is_not_merely_expired
            tokens_of_different_claims_differ
            a_fingerprint_is_the_same_every_time_and_differs_for_each_secret
        }
    };
}

fn claims() -> Claims {
    let issued_at = at("2026-03-02T08:00:00Z");
    Claims {
        user: UserId::new(fresh()),
        role: Role::Manager,
        session: SessionId::new(fresh()),
        token: fresh(),
        version: 7,
        issued_at,
        expires_at: issued_at + SignedDuration::from_mins(15),
    }
}

pub async fn claims_come_back_as_they_were_issued(tokens: &dyn AccessTokens) {
    for role in Role::OF_PEOPLE {
        let claims = Claims { role, ..claims() };
        let token = tokens.issue(&claims).unwrap();
        assert_eq!(tokens.read(&token, at("2026-03-02T08:07:00Z")).unwrap(), claims);
    }
}

pub async fn a_token_ends_at_the_second_it_says(tokens: &dyn AccessTokens) {
    let claims = claims();
    let token = tokens.issue(&claims).unwrap();
    assert_eq!(tokens.read(&token, at("2026-03-02T08:14:59.999999Z")).unwrap(), claims);
    for late in ["2026-03-02T08:15:00Z", "2026-03-02T08:15:01Z", "2027-01-01T00:00:00Z"] {
        assert_eq!(tokens.read(&token, at(late)), Err(TokenError::Expired), "{late}");
    }
}

pub async fn every_changed_character_is_noticed(tokens: &dyn AccessTokens) {
    let claims = claims();
    let token = tokens.issue(&claims).unwrap();
    for place in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("plain letters");
        assert_eq!(tokens.read(&changed, claims.issued_at), Err(TokenError::Malformed), "{place}");
    }
}

pub async fn text_that_is_no_token_is_malformed(tokens: &dyn AccessTokens) {
    let claims = claims();
    let token = tokens.issue(&claims).unwrap();
    let none = "eyJhbGciOiJub25lIn0.e30.";
    let (cut, longer) = (&token[..token.len() - 1], format!("{token}A"));
    let (padded, spaced) = (format!("{token}="), format!(" {token}"));
    for made_up in ["", ".", "..", "a.b.c", "😀", none, cut, &longer, &padded, &spaced] {
        assert_eq!(tokens.read(made_up, claims.issued_at), Err(TokenError::Malformed), "{made_up:?}");
    }
}

pub async fn a_changed_token_is_not_merely_expired(tokens: &dyn AccessTokens) {
    let mut token = tokens.issue(&claims()).unwrap();
    let last = token.pop().expect("a character");
    token.push(if last == 'A' { 'B' } else { 'A' });
    assert_eq!(tokens.read(&token, at("2027-01-01T00:00:00Z")), Err(TokenError::Malformed));
}

pub async fn tokens_of_different_claims_differ(tokens: &dyn AccessTokens) {
    let claims = claims();
    let again = Claims { token: fresh(), ..claims.clone() };
    assert_ne!(tokens.issue(&claims).unwrap(), tokens.issue(&again).unwrap());
}

pub async fn a_fingerprint_is_the_same_every_time_and_differs_for_each_secret(tokens: &dyn AccessTokens) {
    let secret = "a long random secret";
    assert_eq!(tokens.fingerprint(secret), tokens.fingerprint(secret));
    let mut all: Vec<_> = ["", "a", secret, "a long random secret ", "A long random secret"]
        .map(|secret| tokens.fingerprint(secret))
        .into();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 5);
}
