//! JSON bodies.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

use super::body::{api, check_length, in_time, is_json, not_of, read_all, without_mark};
use super::strict::{self, Form};
use crate::problem::Problem;

/// A body that is JSON, has no member too many and none that is wrong.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Form> FromRequest for Json<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let api = api(&req)?;
            if !is_json(&req) {
                return Err(not_of("application/json"));
            }
            check_length(&req, T::LIMIT)?;
            let bytes = in_time(&api.options, read_all(payload, T::LIMIT)).await?;
            strict::from_json(&bytes).map(Self)
        })
    }
}

/// The same, or nothing at all.
pub(crate) struct MaybeJson<T>(pub(crate) T);

impl<T: Form + Default> FromRequest for MaybeJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let api = api(&req)?;
            check_length(&req, T::LIMIT)?;
            let bytes = in_time(&api.options, read_all(payload, T::LIMIT)).await?;
            if without_mark(&bytes).is_empty() {
                return Ok(Self(T::default()));
            }
            if !is_json(&req) {
                return Err(not_of("application/json"));
            }
            strict::from_json(&bytes).map(Self)
        })
    }
}
