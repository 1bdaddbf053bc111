//! Access tokens that are their claims, written out.

use jiff::Timestamp;
use rollcall_domain::access::Role;
use rollcall_domain::session::Claims;
use rollcall_ports::tokens::{AccessTokens, TokenError};

use crate::photos;

/// Writes claims out and adds a checksum: anybody who reads this file can forge one.
#[derive(Debug, Default)]
pub struct FakeTokens;

fn write(claims: &Claims) -> String {
    let Claims { user, role, session, token, version, issued_at, expires_at } = claims;
    let (issued, expires) = (issued_at.as_second(), expires_at.as_second());
    let body = format!("test.{user}.{}.{session}.{token}.{version}.{issued}.{expires}", role.name());
    let sum = photos::hash(7, body.as_bytes());
    format!("{body}.{sum:016x}")
}

fn parse(token: &str) -> Option<Claims> {
    let ["test", user, role, session, id, version, issued, expires, _sum] =
        *token.split('.').collect::<Vec<_>>()
    else {
        return None;
    };
    let instant = |text: &str| Timestamp::from_second(text.parse().ok()?).ok();
    Some(Claims {
        user: user.parse().ok()?,
        role: Role::named(role)?,
        session: session.parse().ok()?,
        token: id.parse().ok()?,
        version: version.parse().ok()?,
        issued_at: instant(issued)?,
        expires_at: instant(expires)?,
    })
}

impl AccessTokens for FakeTokens {
    fn issue(&self, claims: &Claims) -> Result<String, TokenError> {
        Ok(write(claims))
    }

    fn read(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let claims = parse(token).filter(|claims| write(claims) == token).ok_or(TokenError::Malformed)?;
        if now < claims.expires_at { Ok(claims) } else { Err(TokenError::Expired) }
    }

    fn fingerprint(&self, secret: &str) -> [u8; 32] {
        let mut state = photos::hash(11, secret.as_bytes());
        let mut fingerprint = [0; 32];
        fingerprint
            .chunks_mut(8)
            .for_each(|word| word.copy_from_slice(&photos::next(&mut state).to_le_bytes()));
        fingerprint
    }
}
