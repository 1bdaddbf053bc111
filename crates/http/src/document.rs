//! `GET /api/openapi.json`

use std::sync::OnceLock;

use actix_web::{HttpResponse, web};

/// How the contract is written down: handed in, because it is made from the table that this handler stands in.
pub(crate) struct Contract(pub(crate) fn() -> String);

/// This document.
#[utoipa::path(get, path = "", tag = "documentation",
    responses((status = 200, description = "This document.", content_type = "application/json", body = Object)))]
pub(crate) async fn document(contract: web::Data<Contract>) -> HttpResponse {
    static TEXT: OnceLock<String> = OnceLock::new();
    HttpResponse::Ok().content_type("application/json").body(TEXT.get_or_init(contract.0).as_str())
}
