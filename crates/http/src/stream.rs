//! `GET /api/stream`: attendance as it happens, as server-sent events (the `text/event-stream` of the HTML standard).
//!
//! Each stream asks the database once a second, so that it tells what other instances did as well. Nothing is told to a
//! login that has ended: whoever asks is looked up before each message, and ends with their token.

use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::rt::time::sleep;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use jiff::Timestamp;
use rollcall_domain::access::Actor;
use rollcall_domain::id::{DepartmentId, UserId};
use rollcall_usecases::stream::{Cursor, PersonUpdate, Update};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accept::EVENT_STREAM;
use crate::actor::{Authenticated, bearer};
use crate::attendance_view::{EventView, RecordView};
use crate::filters::Filters;
use crate::headers::LAST_EVENT_ID;
use crate::input::{Query, form};
use crate::limits::Permit;
use crate::naming::named;
use crate::options::{Api, State};
use crate::problem::Problem;
use crate::today::PersonView;

/// How often it is looked what changed.
const EVERY: Duration = Duration::from_secs(1);

/// After so much silence something is sent, so that nobody in between takes the connection for dead, and whoever went
/// away is noticed.
const SILENCE: Duration = Duration::from_secs(15);

/// Clients that were cut off come back after so many milliseconds.
const RETRY: u32 = 2_000;

form! {
    query struct StreamForm {
        /// Only people of this department.
        department_id: Optional<DepartmentId>,
    }
}

/// What changed about one person: where they stand today by now, and the punches that came in.
#[derive(Serialize, ToSchema)]
#[schema(as = AttendanceChange)]
pub(crate) struct ChangeView {
    user: PersonView,
    /// As in the list of today; `null` for somebody who takes no part today.
    status: Option<&'static str>,
    record: Option<RecordView>,
    /// In the order in which they came in, also those of other days; empty if something else changed, or they were told.
    events: Vec<EventView>,
}

impl ChangeView {
    fn new(changes: &PersonUpdate) -> Self {
        let standing = changes.standing.as_ref();
        Self {
            user: PersonView::new(&changes.person),
            status: standing.map(|standing| standing.status.name()),
            record: standing.map(|standing| RecordView::new(&standing.day, false)),
            events: changes.punches.iter().map(EventView::seen).collect(),
        }
    }
}

/// Attendance as it happens, of the people you may see.
///
/// An event `attendance` tells what changed about one person. An event `reset` says that more changed than is told one by one, or
/// that something was missed: read what you show again. Whoever comes back with the header `Last-Event-ID` within an
/// hour misses nothing and may be told again what happened in the five minutes before. What only the passing of time changes is
/// not told, nor that somebody left your departments: read the list of today again now and then. The stream ends with the
/// access token, and when your role or the departments you manage change.
#[utoipa::path(get, path = "", tag = "attendance", operation_id = "stream",
    params(StreamForm, ("Last-Event-ID" = Option<String>, Header, description = "The last `id` you were sent.")),
    responses((status = 200, description = "Server-sent events; the data of `attendance` is in JSON.",
        content_type = "text/event-stream", body = ChangeView)))]
pub(crate) async fn stream(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<StreamForm>,
) -> Result<HttpResponse, Problem> {
    let actor = caller.actor().clone();
    let user = actor.user().ok_or_else(Problem::not_found)?;
    let permit = api.limiter.stream(user)?;
    let department = form.department_id.value();
    let filters = Filters { department, ..Filters::default() };
    filters.check(&api.usecases.directory, &actor).await?;
    let cursor = api.usecases.stream.follow(&actor, department, left_off(req.headers())).await;
    let cursor = cursor.map_err(|error| filters.explain(error))?;
    let token = bearer(req.headers())?.to_owned();
    let stream = Following { api, token, actor, cursor, last_sent: None, _permit: permit };
    let body = stream::unfold(stream, |mut following| async move {
        let bytes = following.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), following))
    });
    Ok(HttpResponse::Ok()
        .content_type(EVENT_STREAM)
        // Proxies must not save it up.
        .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
        .streaming(body))
}

/// Where an earlier stream was cut off. What cannot be read was not sent by us, and lies too long ago to go on from.
fn left_off(headers: &HeaderMap) -> Option<Timestamp> {
    let sent = headers.get(&LAST_EVENT_ID)?.to_str().ok().and_then(|id| id.parse().ok());
    let at = sent.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    Some(at.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A stream that is open.
struct Following {
    api: web::Data<Api>,
    token: String,
    actor: Actor,
    cursor: Cursor,
    /// When something was sent last.
    last_sent: Option<Instant>,
    _permit: Permit<UserId>,
}

impl Following {
    /// The next messages, as soon as there are any; `None` ends the stream. Whoever is cut off by an error comes back.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let begins = self.last_sent.is_none();
            if !begins {
                sleep(EVERY).await;
            }
            if self.api.readiness.get() != State::Ready {
                return None;
            }
            let news = match self.api.usecases.stream.news(&self.actor, &mut self.cursor).await {
                Ok(news) => news,
                Err(error) => {
                    tracing::warn!(%error, "a stream ends");
                    return None;
                }
            };
            let mut messages = self.messages(&news).await?;
            let silent = self.last_sent.is_none_or(|last_sent| last_sent.elapsed() >= SILENCE);
            if messages.is_empty() && !silent {
                continue;
            }
            let caller = self.api.usecases.auth.authenticate(&self.token).await.ok()?;
            if caller.actor != self.actor {
                return None;
            }
            // A message without data only says where to go on.
            messages.push_str(&format!("id: {}\n\n", self.id()));
            if begins {
                messages.insert_str(0, &format!("retry: {RETRY}\n\n"));
            }
            self.last_sent = Some(Instant::now());
            return Some(messages.into());
        }
    }

    async fn messages(&self, news: &Update) -> Option<String> {
        match news {
            Update::TooMuch => Some("event: reset\ndata: {}\n\n".into()),
            Update::Of(changes) => {
                let views: Vec<ChangeView> = changes.iter().map(ChangeView::new).collect();
                let views = named(&self.api.usecases.directory, &views).await.ok()?;
                let each = views.as_array().into_iter().flatten();
                Some(each.map(|json| format!("event: attendance\ndata: {json}\n\n")).collect())
            }
        }
    }

    /// What identifies everything up to here.
    fn id(&self) -> i64 {
        self.cursor.looked_at().as_microsecond()
    }
}
