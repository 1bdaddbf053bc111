//! `POST /api/attendance/sync`

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use jiff::Timestamp;
use rollcall_domain::access::Actor;
use rollcall_domain::attendance::PunchKind;
use rollcall_domain::device::Counting;
use rollcall_domain::id::{DeviceId, PunchId};
use rollcall_usecases::attendance::SeenPunch;
use rollcall_usecases::bulk::AT_ONCE;
use rollcall_usecases::punches::sync::{SyncAnswer, SyncItem, SyncProblem, SyncRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actor::{Authenticated, parse_user};
use crate::attendance_view::{EventView, LocationForm};
use crate::input::{Json, Parse, form, present};
use crate::options::Api;
use crate::problem::{Code, FieldError, ItemProblemView, Problem};

form! {
    body struct SyncForm as Sync {
        /// What the device's clock says now. Times are corrected by how far it is off; beyond 5 minutes everything needs
        /// review.
        sent_at: Required<Timestamp>,
        /// For administrators: the device whose punches these are.
        device_id: Nullable<DeviceId>,
        /// 1 to 1000, in any order.
        #[validate(required, length(min = 1))]
        #[schema(value_type = Vec<ItemForm>, required = true, min_items = 1, max_items = 1000)]
        items: Option<Vec<ItemForm>>,
    }
    const ALSO_NULLABLE: &'static [&'static str] = &[
        "items/*/event_id",
        "items/*/user_id",
        "items/*/type",
        "items/*/at",
        "items/*/counter",
        "items/*/similarity",
        "items/*/location",
        "items/*/location/accuracy_m",
    ];
    const LIMIT: usize = 2 << 20;
}

/// One punch that a device noted.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = SyncItem)]
pub(crate) struct ItemForm {
    /// A UUID the device made; sent again, it is the same punch.
    #[schema(required = true, format = Uuid)]
    event_id: Option<String>,
    #[schema(required = true)]
    user_id: Option<String>,
    /// `auto`, `check_in` or `check_out`; `auto` unless said otherwise.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    r#type: Option<Option<String>>,
    /// When, by the device's clock.
    #[schema(required = true, format = DateTime)]
    at: Option<String>,
    /// The device counts its punches.
    #[schema(required = true)]
    counter: Option<u64>,
    /// Of the recognition, -1 to 1.
    similarity: Option<f32>,
    location: Option<LocationForm>,
}

impl ItemForm {
    /// The item, or everything that is wrong with it.
    fn read(&self, actor: &Actor) -> Result<SyncItem, Problem> {
        let mut wrong = Vec::new();
        let id = required::<PunchId>("/event_id", &self.event_id, &mut wrong);
        let user = match self.user_id.as_deref() {
            Some(text) => parse_user(text, actor).ok(),
            None => None,
        };
        if user.is_none() {
            let detail = if self.user_id.is_none() { "is required" } else { "does not exist" };
            wrong.push(FieldError::at("/user_id", "does-not-exist", detail));
        }
        let at = required::<Timestamp>("/at", &self.at, &mut wrong);
        let punch = match &self.r#type {
            None => Some(PunchKind::Auto),
            Some(kind) => required::<PunchKind>("/type", kind, &mut wrong),
        };
        if self.counter.is_none_or(|counter| i64::try_from(counter).is_err()) {
            wrong.push(FieldError::at("/counter", "required", "must be 0 to 2^63 - 1"));
        }
        if self.similarity.is_some_and(|similarity| !(-1.0..=1.0).contains(&similarity)) {
            wrong.push(FieldError::at("/similarity", "out-of-range", "must be -1 to 1"));
        }
        let location = self.location.map(LocationForm::place);
        if location == Some(None) {
            wrong.push(FieldError::at("/location", "out-of-range", "is no place on earth"));
        }
        match (id, user, at, punch, self.counter) {
            (Some(id), Some(user), Some(at), Some(punch), Some(counter)) if wrong.is_empty() => {
                let similarity = self.similarity;
                Ok(SyncItem { id, user, kind: punch, at, counter, similarity, location: location.flatten() })
            }
            _ => Err(Problem::invalid(wrong)),
        }
    }
}

fn required<T: Parse>(pointer: &str, text: &Option<String>, wrong: &mut Vec<FieldError>) -> Option<T::Value> {
    let read = text.as_deref().map_or_else(|| Err("is required".to_owned()), T::read);
    read.map_err(|detail| wrong.push(FieldError::at(pointer, T::CODE, detail))).ok()
}

/// What came of punches that a device handed in.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncAnswer)]
pub(crate) struct SyncView {
    device_id: String,
    /// By how much the device's clock is ahead; negative if it is behind.
    skew_seconds: i64,
    counter: CountingView,
    summary: SyncSummaryView,
    /// In the order of the items.
    results: Vec<SyncResultView>,
}

/// What the device's numbers tell.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncCounter)]
struct CountingView {
    /// The highest number known by now.
    last: Option<u64>,
    /// Numbers nobody has seen.
    missing: Vec<MissingView>,
    /// Numbers that came more than once, or after higher ones.
    repeated: Vec<u64>,
}

/// Numbers in a row, both ends included.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncGap)]
struct MissingView {
    from: u64,
    to: u64,
}

impl CountingView {
    fn new(of: Counting) -> Self {
        let missing = of.missing.into_iter().map(|(from, to)| MissingView { from, to });
        Self { last: of.last, missing: missing.collect(), repeated: of.repeated }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = SyncSummary)]
struct SyncSummaryView {
    total: usize,
    accepted: usize,
    needs_review: usize,
    failed: usize,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SyncResult)]
struct SyncResultView {
    /// Place of the item, from 0.
    index: usize,
    event_id: Option<String>,
    /// `accepted`, `needs_review` (stored, but counting as nothing yet) or `failed`.
    outcome: &'static str,
    /// The punch as it is stored.
    event: Option<EventView>,
    /// Why it is not.
    problem: Option<ItemProblemView>,
}

impl SyncResultView {
    fn new(index: usize, event_id: Option<String>, result: Result<SeenPunch, Problem>) -> Self {
        match result {
            Ok(seen) => {
                let outcome = if seen.punch.needs_review { "needs_review" } else { "accepted" };
                Self { index, event_id, outcome, event: Some(EventView::seen(&seen)), problem: None }
            }
            Err(problem) => {
                Self { index, event_id, outcome: "failed", event: None, problem: Some(problem.brief()) }
            }
        }
    }
}

impl SyncView {
    fn new(answer: SyncAnswer, ids: Vec<Option<String>>, unread: Vec<Option<Problem>>) -> Self {
        let results = answer.results.into_iter().zip(ids).zip(unread).enumerate();
        let results: Vec<_> = results
            .map(|(index, ((result, id), unread))| {
                let result = match unread {
                    Some(problem) => Err(problem),
                    None => result.map_err(Problem::from),
                };
                SyncResultView::new(index, id, result)
            })
            .collect();
        let count = |outcome: &str| results.iter().filter(|result| result.outcome == outcome).count();
        Self {
            device_id: answer.device.to_string(),
            skew_seconds: answer.skew.as_secs(),
            counter: CountingView::new(answer.counting),
            summary: SyncSummaryView {
                total: results.len(),
                accepted: count("accepted"),
                needs_review: count("needs_review"),
                failed: count("failed"),
            },
            results,
        }
    }
}

impl From<SyncProblem> for Problem {
    fn from(problem: SyncProblem) -> Self {
        match problem {
            SyncProblem::Unreadable => Self::plain(Code::MalformedRequest),
            SyncProblem::UnknownPerson => Self::not_found(),
            SyncProblem::FutureTime => Self::plain(Code::FutureTime),
            SyncProblem::TooOld => Self::plain(Code::TooOld),
            SyncProblem::BeforeJoinDate => Self::plain(Code::BeforeJoinDate),
            SyncProblem::Reused => Self::plain(Code::EventIdReused),
        }
    }
}

/// Hands in punches that a device noted while it was on its own: late, in any order, as often as it takes. What is
/// older than 72 hours, from a clock that is off by more than 5 minutes, or for a closed period is stored, but counts
/// as nothing until somebody accepts it.
#[utoipa::path(post, path = "", tag = "attendance", request_body = SyncForm,
    responses((status = 200, description = "All of them are stored.", body = SyncView),
              (status = 207, description = "Some failed.", body = SyncView)))]
pub(crate) async fn sync(
    api: web::Data<Api>,
    caller: Authenticated,
    Json(form): Json<SyncForm>,
) -> Result<HttpResponse, Problem> {
    let forms = form.items.as_deref().unwrap_or_default();
    if forms.len() > AT_ONCE {
        let detail = format!("at most {AT_ONCE} items are accepted at once, these are {}", forms.len());
        return Err(Problem::invalid_field("/items", "too-many", detail));
    }
    let ids = forms.iter().map(|item| item.event_id.clone()).collect();
    let (mut items, mut unread) = (Vec::new(), Vec::new());
    for form in forms {
        match form.read(caller.actor()) {
            Ok(item) => (items.push(Some(item)), unread.push(None)),
            Err(problem) => (items.push(None), unread.push(Some(problem))),
        };
    }
    let request = SyncRequest { device: form.device_id.value(), sent_at: form.sent_at.value()?, items };
    let answer = api.usecases.punches.sync(caller.actor(), &request).await?;
    let view = SyncView::new(answer, ids, unread);
    let status = if view.summary.failed > 0 { StatusCode::MULTI_STATUS } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(view))
}
