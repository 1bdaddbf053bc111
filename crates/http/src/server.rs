//! The server: who listens, for how long it waits, and what every request passes through.

use std::net::TcpListener;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::KeepAlive;
use actix_web::middleware::from_fn;
use actix_web::{App, Error, HttpServer, web};

use crate::compress::compress;
use crate::document::Contract;
use crate::envelope::{envelope, gate};
use crate::headers::cors;
use crate::openapi::openapi_json;
use crate::options::Api;
use crate::routes;

/// Answers requests that arrive at `listener`, until the handle of the server says stop. Signals are for whoever
/// composes the program.
///
/// # Errors
/// Those of the listener.
pub fn serve(listener: TcpListener, api: Api) -> std::io::Result<Server> {
    let options = api.options.clone();
    let api = web::Data::new(api);
    let server = HttpServer::new(move || app(api.clone()))
        .workers(options.workers.max(1))
        .keep_alive(KeepAlive::Timeout(options.keep_alive))
        .client_request_timeout(options.client_timeout)
        .shutdown_timeout(options.shutdown_timeout.as_secs())
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

/// Everything a request passes through, outermost last.
pub(crate) fn app(
    api: web::Data<Api>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let cors = cors(&api.options.cors_origins);
    App::new()
        .app_data(api)
        .app_data(web::Data::new(Contract(openapi_json)))
        .configure(routes::configure)
        .default_service(web::to(routes::not_found))
        .wrap(from_fn(gate))
        .wrap(cors)
        .wrap(from_fn(envelope))
        .wrap(from_fn(compress))
}
