//! `/api/health`

use actix_web::{HttpResponse, web};
use rollcall_domain::calendar::{Zone, zone_database};
use rollcall_domain::matching::OperatingPoint;
use rollcall_usecases::errors::EngineError;
use rollcall_usecases::health::Report;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::attendance_view::{local, ratio};
use crate::options::{Api, State};
use crate::problem::{Code, Problem};

/// That the server answers.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(crate) struct HealthView {
    /// `ok`
    status: &'static str,
    version: &'static str,
    uptime_seconds: u64,
}

/// How every part is.
#[derive(Serialize, ToSchema)]
#[schema(as = DetailedHealth)]
pub(crate) struct DetailedView {
    /// `ok`, `degraded` (faces are not recognized) or `down`.
    status: &'static str,
    /// `database`, `face_engine`, `index`, `operating_point`, `queue`, `scheduler` and `zones`, each with what is known of it.
    checks: Value,
    version: &'static str,
    commit: Option<&'static str>,
}

/// Whether requests are answered; asks nobody else.
#[utoipa::path(get, path = "", tag = "health",
    responses((status = 200, description = "They are.", body = HealthView)))]
pub(crate) async fn health(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    match api.readiness.get() {
        State::Starting => Err(Problem::plain(Code::Starting)),
        State::Draining => Err(Problem::plain(Code::Draining)),
        State::Ready => Ok(HttpResponse::Ok().json(HealthView {
            status: "ok",
            version: api.options.version,
            uptime_seconds: api.options.started.elapsed().as_secs(),
        })),
    }
}

/// The same without a body.
#[utoipa::path(head, path = "", tag = "health", responses((status = 200, description = "They are.")))]
pub(crate) async fn head(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    health(api).await
}

/// How every part is, for administrators and for monitors with the health token.
#[utoipa::path(get, path = "", tag = "health",
    responses((status = 200, description = "The database answers.", body = DetailedView),
              (status = 503, description = "It does not.", body = DetailedView)))]
pub(crate) async fn detailed(api: web::Data<Api>) -> HttpResponse {
    let report = api.usecases.health.report().await;
    let (status, mut answer) = match (report.is_down(), report.is_degraded()) {
        (true, _) => ("down", HttpResponse::ServiceUnavailable()),
        (false, true) => ("degraded", HttpResponse::Ok()),
        (false, false) => ("ok", HttpResponse::Ok()),
    };
    let (version, commit) = (api.options.version, api.options.commit);
    answer.json(DetailedView { status, checks: checks(&report), version, commit })
}

fn checks(report: &Report) -> Value {
    // What a driver or a runtime says may hold a path or a host: only that it failed is told.
    let database = match &report.database {
        Ok(database) => json!({
            "status": "ok",
            "latency_ms": ms(database.latency),
            "driver": database.driver,
            "migration": database.migration,
            "durability": database.durability,
        }),
        Err(_) => json!({ "status": "down" }),
    };
    let (engine, queue) = match &report.engine {
        Ok(engine) => (
            json!({
                "status": "ok",
                "pack": engine.pack,
                "models": engine.models.iter().map(|(id, sha256)| json!({ "id": id, "sha256": sha256 })).collect::<Vec<_>>(),
                "self_test_ms": ms(engine.self_test),
            }),
            json!({ "depth": engine.queue_depth, "capacity": engine.queue_capacity }),
        ),
        Err(error) => (json!({ "status": engine_word(error) }), Value::Null),
    };
    json!({
        "database": database,
        "face_engine": engine,
        "index": {
            "persons": report.index.people,
            "encodings": report.index.encodings,
            "last_change": report.index.last_change,
        },
        "storage": match &report.disk {
            Ok(disk) => json!({ "free_bytes": disk.free_bytes, "writable": disk.writable }),
            Err(_) => json!({ "free_bytes": null, "writable": false }),
        },
        "operating_point": report.operating_point.as_ref().map(operating_point),
        "queue": queue,
        "scheduler": { "last_run": report.last_planned.map(|at| local(&Zone::UTC, at)) },
        "zones": { "version": zone_database() },
    })
}

fn operating_point(point: &OperatingPoint) -> Value {
    json!({
        "threshold": ratio(point.threshold.distance()),
        "people": point.people,
        "estimated_fpir": point.fpir,
        "target_claimed": point.target_claimed,
    })
}

const fn engine_word(error: &EngineError) -> &'static str {
    match error {
        EngineError::Busy => "busy",
        EngineError::Unavailable(_) => "unavailable",
        EngineError::Unsupported { .. }
        | EngineError::UnsupportedJpeg(_)
        | EngineError::Undecodable
        | EngineError::TooLarge { .. }
        | EngineError::Failed(_) => "failed",
    }
}

fn ms(micros: u32) -> f64 {
    f64::from(micros) / 1000.0
}
