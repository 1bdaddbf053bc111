//! Access tokens as JSON Web Tokens (RFC 7519), signed with HS256 and nothing else.
//!
//! A token is read as strictly as it is written: its header must be the one issued here and its claims these
//! ten, each once and of its own type. What the library would check leniently (floats as times, the system
//! clock, a claim that is merely absent) is checked here instead.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use rollcall_domain::access::Role;
use rollcall_domain::id::{SessionId, UserId};
use rollcall_domain::session::Claims;
use rollcall_ports::tokens::{AccessTokens, TokenError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::keys::JwtSecret;

const ISSUER: &str = "rollcall";
const AUDIENCE: &str = "rollcall-api";
/// Ours have about 500 bytes; what is much longer is not worth hashing.
const MAX_BYTES: usize = 2048;

/// Issues and reads access tokens with one secret.
pub struct JwtTokens {
    header: Header,
    validation: Validation,
    encoding: EncodingKey,
    decoding: DecodingKey,
    leeway: i64,
}

/// Tokens cannot be issued as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenSetupError {
    /// More lenience than clocks of one organization need.
    #[error("the leeway is 0 to {max} seconds, not {0}", max = JwtTokens::MAX_LEEWAY)]
    Leeway(u8),
    /// The library was built without what it needs.
    #[error("a token issued for a trial could not be read back")]
    SelfTest,
}

/// The claims on the wire; times in whole seconds since 1970.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    iss: String,
    aud: String,
    sub: String,
    role: String,
    sid: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    tv: u32,
}

impl JwtTokens {
    /// Most seconds by which clocks may differ.
    pub const MAX_LEEWAY: u8 = 5;

    /// Tokens signed with `secret`, read with `leeway` seconds for clocks that differ. Issues and reads one
    /// for a trial, as the library finds out only then whether it has a crypto backend.
    ///
    /// # Errors
    /// [`TokenSetupError`] for a leeway above [`Self::MAX_LEEWAY`], or when the trial fails.
    pub fn new(secret: &JwtSecret, leeway: u8) -> Result<Self, TokenSetupError> {
        if leeway > Self::MAX_LEEWAY {
            return Err(TokenSetupError::Leeway(leeway));
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // The library would ask the system clock; `in_force` asks the caller's.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let tokens = Self {
            header: Header::new(Algorithm::HS256),
            validation,
            encoding: EncodingKey::from_secret(secret.expose()),
            decoding: DecodingKey::from_secret(secret.expose()),
            leeway: i64::from(leeway),
        };
        let claims = Claims {
            user: UserId::new(Uuid::nil()),
            role: Role::Employee,
            session: SessionId::new(Uuid::nil()),
            token: Uuid::nil(),
            version: 0,
            issued_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::from_second(60).map_err(|_| TokenSetupError::SelfTest)?,
        };
        let read = tokens.issue(&claims).and_then(|token| tokens.read(&token, Timestamp::UNIX_EPOCH));
        if read == Ok(claims) { Ok(tokens) } else { Err(TokenSetupError::SelfTest) }
    }

    fn in_force(&self, body: &Body, now: Timestamp) -> Result<(), TokenError> {
        let now = now.as_second();
        let ordered = 0 <= body.iat && body.iat <= body.exp && 0 <= body.nbf && body.nbf <= body.exp;
        let latest = now.saturating_add(self.leeway);
        if !ordered || body.iat > latest || body.nbf > latest {
            return Err(TokenError::Malformed);
        }
        // RFC 7519, section 4.1.4: not accepted on or after that time.
        if now >= body.exp.saturating_add(self.leeway) { Err(TokenError::Expired) } else { Ok(()) }
    }
}

impl std::fmt::Debug for JwtTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JwtTokens(…)")
    }
}

impl AccessTokens for JwtTokens {
    fn issue(&self, claims: &Claims) -> Result<String, TokenError> {
        let body = Body {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: claims.user.to_string(),
            role: claims.role.name().to_owned(),
            sid: claims.session.to_string(),
            jti: claims.token.hyphenated().to_string(),
            iat: claims.issued_at.as_second(),
            nbf: claims.issued_at.as_second(),
            exp: claims.expires_at.as_second(),
            tv: claims.version,
        };
        encode(&self.header, &body, &self.encoding).map_err(|_| TokenError::Unsigned)
    }

    fn read(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        if token.len() > MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        let token =
            decode::<Body>(token, &self.decoding, &self.validation).map_err(|_| TokenError::Malformed)?;
        // Whatever else a header may carry (jwk, jku, x5u, kid, crit) tells which key to trust, or what to
        // understand; here there is one key and nothing more to understand.
        if token.header != self.header {
            return Err(TokenError::Malformed);
        }
        let body = token.claims;
        let claims = claims(&body).ok_or(TokenError::Malformed)?;
        self.in_force(&body, now)?;
        Ok(claims)
    }

    fn fingerprint(&self, secret: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"rollcall/fingerprint/1\0")
            .chain_update(secret.as_bytes())
            .finalize()
            .into()
    }
}

fn claims(body: &Body) -> Option<Claims> {
    Some(Claims {
        user: body.sub.parse().ok()?,
        role: Role::named(&body.role)?,
        session: body.sid.parse().ok()?,
        // Only the hyphenated spelling, as for the other identifiers.
        token: Uuid::try_parse(&body.jti).ok().filter(|_| body.jti.len() == 36)?,
        version: body.tv,
        issued_at: Timestamp::from_second(body.iat).ok()?,
        expires_at: Timestamp::from_second(body.exp).ok()?,
    })
}

#[cfg(test)]
mod tests;
