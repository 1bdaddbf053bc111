//! `GET /problems/{code}`: what a code means, for people who followed the `type` of an error.

use actix_web::{HttpResponse, web};

use crate::problem::{Code, Problem};

/// What an error code means.
#[utoipa::path(
    get,
    path = "",
    tag = "documentation",
    params(("code" = String, Path, description = "The code of an error.")),
    responses((status = 200, description = "A short page.", content_type = "text/html", body = String))
)]
pub(crate) async fn page(code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let found = Code::ALL.iter().find(|known| known.slug() == *code).ok_or_else(Problem::not_found)?;
    let (title, status) = (found.title(), found.status());
    let about = found.about().replace('<', "&lt;");
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body><h1>{title}</h1><p>{about}</p><p>Code <code>{}</code>, status {status}.</p></body></html>\n",
        found.slug(),
    );
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(body))
}
