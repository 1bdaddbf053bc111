//! `DELETE /api/users/{user_id}`: removing a person, or erasing them.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::text::MIN_REASON;
use rollcall_usecases::users::{Receipt, UserError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::{Authenticated, PathUser};
use crate::input::{Line, Parse, Query, form, one_of};
use crate::options::Api;
use crate::preconditions::IfMatch;
use crate::problem::{Code, Problem};
use crate::profile::utc;

/// The header that says why.
const REASON: &str = "X-Reason";

form! {
    query struct DeleteForm {
        /// `deactivate`, which is what happens anyway: the account is closed; or `erase`: nothing is left that tells who it
        /// was, for which `X-Reason` says why.
        mode: Optional<Mode>,
        /// With `mode=erase`: `keep`, which is what happens anyway, under a pseudonym and without words and places; or
        /// `delete`.
        attendance: Optional<Attendance>,
    }
}

/// Ways of removing a person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Deactivate,
    Erase,
}

impl Parse for Mode {
    type Value = Self;
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        let name = |mode| if mode == Self::Erase { "erase" } else { "deactivate" };
        one_of(text, &[Self::Deactivate, Self::Erase], name)
    }
}

/// What becomes of the attendance of somebody who is erased.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attendance {
    Keep,
    Delete,
}

impl Parse for Attendance {
    type Value = Self;
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<Self, String> {
        let name = |choice| if choice == Self::Delete { "delete" } else { "keep" };
        one_of(text, &[Self::Keep, Self::Delete], name)
    }
}

/// What became of somebody who was erased.
#[derive(Serialize, ToSchema)]
#[schema(as = Erasure)]
pub(crate) struct ErasureView {
    receipt: ReceiptView,
}

/// Proof of an erasure.
#[derive(Serialize, ToSchema)]
#[schema(as = ErasureReceipt)]
pub(crate) struct ReceiptView {
    /// The pseudonym under which attendance may have been kept.
    user_id: String,
    #[schema(format = DateTime)]
    erased_at: String,
    destroyed: DestroyedView,
    /// Rows that would still tell of the person; none.
    remaining: u64,
}

/// What was destroyed, in numbers.
#[derive(Serialize, ToSchema)]
#[schema(as = Destroyed)]
pub(crate) struct DestroyedView {
    encodings: u64,
    logins: u64,
    searches: u64,
    punches: u64,
    /// Pictures are not kept.
    files: u64,
    index_entries: u32,
}

impl ErasureView {
    fn new(receipt: &Receipt) -> Self {
        let erased = receipt.erased;
        let destroyed = DestroyedView {
            encodings: erased.encodings,
            logins: erased.logins,
            searches: erased.searches,
            punches: erased.punches,
            files: 0,
            index_entries: receipt.index_entries,
        };
        let (user_id, erased_at) = (receipt.user.to_string(), utc(receipt.at));
        Self { receipt: ReceiptView { user_id, erased_at, destroyed, remaining: erased.remaining } }
    }
}

/// Removes a person: their logins end and their templates are destroyed before the answer; their attendance stays. Or
/// erases them, removed before or not.
#[utoipa::path(delete, path = "", tag = "users",
    params(PathUser, DeleteForm,
           ("X-Reason" = Option<String>, Header, description = "Why somebody is erased, at least 5 characters."), IfMatch),
    responses((status = 204, description = "Removed."),
              (status = 200, description = "Erased.", body = ErasureView)))]
pub(crate) async fn delete(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    PathUser(user): PathUser,
    IfMatch(revision): IfMatch,
    Query(form): Query<DeleteForm>,
) -> Result<HttpResponse, Problem> {
    let users = &api.usecases.users;
    let explain = |error| match error {
        UserError::Oneself => Problem::plain(Code::CannotDeleteSelf),
        error => error.into(),
    };
    let attendance = form.attendance.value();
    if form.mode.value() != Some(Mode::Erase) {
        if attendance.is_some() {
            let detail = "goes with mode=erase; attendance of people who are removed stays";
            return Err(Problem::invalid_parameter("attendance", "not-allowed", detail));
        }
        users.deactivate(caller.actor(), user, revision).await.map_err(explain)?;
        return Ok(HttpResponse::NoContent().finish());
    }
    let (reason, whole) = (reason(req.headers())?, attendance == Some(Attendance::Delete));
    let receipt = users.erase(caller.actor(), user, reason, whole, revision).await.map_err(explain)?;
    Ok(HttpResponse::Ok().json(ErasureView::new(&receipt)))
}

fn reason(headers: &HeaderMap) -> Result<String, Problem> {
    let refused = |code, detail| Err(Problem::invalid_parameter(REASON, code, detail));
    let Some(text) = headers.get(REASON).and_then(|value| value.to_str().ok()) else {
        return refused("required", "this header must say why, in ASCII".to_owned());
    };
    match Line::<500>::read(text) {
        Ok(reason) if reason.chars().count() >= MIN_REASON => Ok(reason),
        Ok(_) => refused("too-short", format!("must have at least {MIN_REASON} characters")),
        Err(detail) => refused("invalid-text", detail),
    }
}
