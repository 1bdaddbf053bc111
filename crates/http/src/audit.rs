//! `/api/admin/audit`

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use rollcall_domain::audit::{AuditAction, AuditEntry, State, Value as Member};
use rollcall_domain::id::BatchId;
use rollcall_usecases::audit::AuditFilter;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::actor::Authenticated;
use crate::filters::{Filters, absent, person};
use crate::input::{Query, choices, form};
use crate::options::Api;
use crate::paging::{List, instants, list as list_of, page};
use crate::problem::Problem;
use crate::profile::{day, utc};

form! {
    query struct AuditForm {
        /// Only what was done about this person; an id or `me`.
        user_id: Option<String>,
        /// Only what this person did; an id or `me`.
        actor_id: Option<String>,
        /// Only this kind of deed: `attendance.mark`, `attendance.override`, `attendance.revert`, `attendance.void`,
        /// `attendance.accept`, `attendance.recompute`, `bulk.item`, `bulk.batch`, `batch.revert_item`, `batch.revert`,
        /// `correction.request`, `correction.decide`, `leave.request`, `leave.decide`, `lock.set`, `lock.lift`,
        /// `shift.change`, `assignment.change` or `holiday.change`.
        action: Optional<AuditAction>,
        /// Only what was done with these entries, or when they were taken back.
        batch_id: Optional<BatchId>,
        /// First date on which it was done, as clocks of the organization show it.
        from: Optional<Date>,
        /// Last date, at most 365 days later.
        to: Optional<Date>,
        ..paging,
    }
}

choices!(AuditAction);

/// A line of the audit trail: who changed what, when and why.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditLine)]
pub(crate) struct AuditView {
    id: String,
    #[schema(format = DateTime)]
    at: String,
    /// What was done; more words may follow.
    action: &'static str,
    /// Who did it; `null` for a device, the operator of the installation and the program itself.
    actor_id: Option<String>,
    /// The kiosk or camera that did it.
    device_id: Option<String>,
    /// Whom it is about; `null` for what concerns several.
    user_id: Option<String>,
    target: TargetView,
    /// The date it is about.
    #[schema(format = Date)]
    date: Option<String>,
    batch_id: Option<String>,
    reason: Option<String>,
    /// What it was, as it read then; `null` if there was nothing.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    before: Option<BTreeMap<&'static str, Value>>,
    /// What it is since; `null` if there is nothing any more.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    after: Option<BTreeMap<&'static str, Value>>,
}

/// What something was done to.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditTarget)]
struct TargetView {
    /// `record`, `event`, `batch`, `correction`, `leave`, `lock`, `shift`, `assignment` or `holiday`.
    r#type: &'static str,
    id: String,
}

impl AuditView {
    fn new(of: AuditEntry) -> Self {
        Self {
            id: of.id.to_string(),
            at: utc(of.at),
            action: of.act.name(),
            actor_id: of.by.user().map(|id| id.to_string()),
            device_id: of.by.device().map(|id| id.to_string()),
            user_id: of.subject.map(|id| id.to_string()),
            target: TargetView { r#type: of.target.kind(), id: of.target.uuid().hyphenated().to_string() },
            date: of.date.map(day),
            batch_id: of.batch.map(|id| id.to_string()),
            reason: of.reason,
            before: of.before.as_ref().map(members),
            after: of.after.as_ref().map(members),
        }
    }
}

fn members(of: &State) -> BTreeMap<&'static str, Value> {
    let value = |member: &Member| match member {
        Member::Nothing => Value::Null,
        Member::Flag(flag) => (*flag).into(),
        Member::Number(number) => (*number).into(),
        Member::Word(word) => word.as_str().into(),
        Member::Words(words) => words.clone().into(),
    };
    of.members().map(|(name, member)| (name, value(member))).collect()
}

/// Who changed what about attendance, latest first.
#[utoipa::path(get, path = "", tag = "admin", operation_id = "audit", params(AuditForm),
    responses((status = 200, description = "A page of lines.", body = List<AuditView>)))]
pub(crate) async fn list(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    Query(form): Query<AuditForm>,
) -> Result<HttpResponse, Problem> {
    let within = instants(form.from.value(), form.to.value(), &api.options.zone)?;
    let filter = AuditFilter {
        subject: person("user_id", form.user_id.as_deref(), caller.actor())?,
        by: person("actor_id", form.actor_id.as_deref(), caller.actor())?,
        act: form.action.value(),
        batch: form.batch_id.value(),
        from: within.map(|(from, _)| from),
        until: within.map(|(_, until)| until),
    };
    for (key, id) in [("user_id", filter.subject), ("actor_id", filter.by)] {
        if let Some(id) = id
            && !api.usecases.directory.knows_person(id).await?
        {
            return Err(absent(&[key]));
        }
    }
    Filters { batch: filter.batch, ..Filters::default() }
        .check(&api.usecases.directory, caller.actor())
        .await?;
    let page = page(form.page, form.per_page)?;
    let found = api.usecases.audit.page(caller.actor(), &filter, page).await?;
    Ok(list_of(&req, found, AuditView::new))
}
