//! `POST /api/admin/attendance/bulk` and taking it back

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use rollcall_domain::Revision;
use rollcall_domain::access::Actor;
use rollcall_domain::batch::Operation;
use rollcall_domain::id::{BatchId, ShiftId};
use rollcall_domain::job::{Job, JobKind};
use rollcall_domain::user::EmployeeCode;
use rollcall_usecases::bulk::{
    AT_ONCE, BulkAnswer, BulkItem, BulkRequest, BulkSubject, ItemProblem, ItemResult, MAX_ATOMIC, MAX_ITEMS,
    Moment, OnConflict, Outcome, RevertedBatch,
};
use rollcall_usecases::directory::Directory;
use rollcall_usecases::jobs::NewJob;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::actor::{Authenticated, parse_user};
use crate::attendance_view::RecordView;
use crate::input::{
    Column, Decidable, Json, JsonOrCsv, Line, Parse, Passage, PathId, Reason, Row, choices, form, from_query,
    one_of, table,
};
use crate::jobs::answer::{JobView, accepted, prefers_async};
use crate::naming::named_if_possible;
use crate::options::Api;
use crate::problem::{Code, FieldError, ItemProblemView, Problem};
use crate::profile::utc;
use crate::records::ReasonForm;

/// Columns of a table.
const COLUMNS: [Column; 11] = [
    Column::plain("user_id"),
    Column::plain("employee_code"),
    Column::plain("email"),
    Column::plain("date"),
    Column::plain("shift_id"),
    Column::plain("status"),
    Column::plain("check_in"),
    Column::plain("check_out"),
    Column::plain("note"),
    // As reports call them.
    Column { title: "first_in", member: "check_in", zoned: true },
    Column { title: "last_out", member: "check_out", zoned: true },
];

form! {
    body struct BulkForm as Bulk {
        /// `mark` (when people came and left), `set_status` (how days are to be read), `void` (take back the punches of
        /// days), `approve_overtime` or `recompute`.
        operation: Required<Operation>,
        /// `partial` enters what can be, `atomic` everything or nothing; `partial` unless said otherwise.
        mode: Optional<Mode>,
        /// What becomes of an item that contradicts what is there: `error` (it fails), `skip` or `overwrite`; `error`
        /// unless said otherwise.
        on_conflict: Optional<OnConflict>,
        /// Only tell what would happen.
        dry_run: Option<bool>,
        /// Why; at least 5 characters.
        reason: Required<Reason>,
        /// 1 to 100,000, of which more than 1,000 become a job; at most 5,000 with `atomic`.
        #[validate(required, length(min = 1))]
        #[schema(value_type = Vec<ItemForm>, required = true, min_items = 1, max_items = 100_000)]
        items: Option<Vec<ItemForm>>,
    }
    const ALSO_NULLABLE: &'static [&'static str] = &[
        "items/*/user_id",
        "items/*/employee_code",
        "items/*/email",
        "items/*/date",
        "items/*/shift_id",
        "items/*/status",
        "items/*/check_in",
        "items/*/check_out",
        "items/*/note",
        "items/*/if_version",
    ];
    const LIMIT: usize = 24 << 20;
}

/// One person's day. Exactly one of `user_id`, `employee_code` and `email` names the person.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(as = BulkItem)]
pub(crate) struct ItemForm {
    user_id: Option<String>,
    employee_code: Option<String>,
    email: Option<String>,
    #[schema(format = Date, required = true)]
    date: Option<String>,
    /// The first shift of the date unless said otherwise.
    shift_id: Option<String>,
    /// Any status of a record but `pending`; for `set_status`, and for `mark` beside the times.
    status: Option<String>,
    /// When the person came: `HH:MM` or `HH:MM:SS` as clocks show it where they are, or a time with offset.
    check_in: Option<String>,
    /// When they left; where the shift or the arrival says so, after midnight.
    check_out: Option<String>,
    note: Option<String>,
    /// The version of the record that was read; the item fails if it is another one by now.
    if_version: Option<u32>,
    /// The line of the table that it was taken from, if it was; told again with what came of it.
    line: Option<u32>,
}

form! {
    /// What a table does not say of itself.
    #[derive(Default, Serialize)]
    query struct BulkQuery {
        /// With `text/csv`: as the member of the JSON body, and so on.
        operation: Required<Operation>,
        mode: Optional<Mode>,
        on_conflict: Optional<OnConflict>,
        dry_run: Optional<bool> as bool,
        reason: Required<Reason>,
    }
}

/// Whether all items hold or none.
struct Mode;

impl Parse for Mode {
    type Value = bool;
    const CODE: &'static str = "unknown-value";

    fn read(text: &str) -> Result<bool, String> {
        one_of(text, &[false, true], |atomic| if atomic { "atomic" } else { "partial" })
    }
}

choices!(Operation, OnConflict);

impl Parse for Moment {
    type Value = Self;
    const CODE: &'static str = "invalid-time";

    fn read(text: &str) -> Result<Self, String> {
        // Spreadsheets leave out the zero of hours before ten, and no other.
        let colon = |from_the_end: usize| text.rfind(':').is_some_and(|at| text.len() - at == from_the_end);
        let format = match text.len() {
            4 | 5 if colon(3) => "%H:%M",
            7 | 8 if colon(3) => "%H:%M:%S",
            _ => "none",
        };
        let read = Time::strptime(format, text)
            .ok()
            .map(Self::Local)
            .or_else(|| Timestamp::read(text).ok().map(Self::At));
        let detail =
            "must be HH:MM or HH:MM:SS, of 24 hours, or a time with offset such as 2026-03-02T09:00:00+01:00";
        read.ok_or_else(|| detail.to_owned())
    }
}

impl ItemForm {
    fn of_row(row: Row) -> Self {
        let mut item = Self { line: Some(row.line), ..Self::default() };
        for (column, cell) in row.cells {
            let member = match column {
                "user_id" => &mut item.user_id,
                "employee_code" => &mut item.employee_code,
                "email" => &mut item.email,
                "date" => &mut item.date,
                "shift_id" => &mut item.shift_id,
                "status" => &mut item.status,
                "check_in" => &mut item.check_in,
                "check_out" => &mut item.check_out,
                _ => &mut item.note,
            };
            *member = Some(cell);
        }
        item
    }

    /// The item, or everything that is wrong with it.
    pub(crate) fn read(&self, actor: &Actor) -> Result<BulkItem, Problem> {
        let mut wrong = Vec::new();
        let names = [&self.user_id, &self.employee_code, &self.email];
        if names.iter().filter(|name| name.is_some()).count() != 1 {
            let detail = "exactly one of user_id, employee_code and email names the person";
            wrong.push(FieldError::at("/user_id", "required", detail));
        }
        if self.date.is_none() {
            wrong.push(FieldError::at("/date", "required", "is required"));
        }
        let date = read::<Date>("/date", &self.date, &mut wrong);
        let shift = read::<ShiftId>("/shift_id", &self.shift_id, &mut wrong);
        let status = read::<Decidable>("/status", &self.status, &mut wrong);
        let check_in = read::<Moment>("/check_in", &self.check_in, &mut wrong);
        let check_out = read::<Moment>("/check_out", &self.check_out, &mut wrong);
        let note = read::<Passage<500>>("/note", &self.note, &mut wrong);
        let code = read::<EmployeeCode>("/employee_code", &self.employee_code, &mut wrong);
        let address = read::<Line<320>>("/email", &self.email, &mut wrong);
        let (Some(date), true) = (date, wrong.is_empty()) else { return Err(Problem::invalid(wrong)) };
        let who: BulkSubject = match (&self.user_id, code, address) {
            (Some(id), ..) => BulkSubject::Id(parse_user(id, actor)?),
            (None, Some(code), _) => BulkSubject::Code(code.as_str().to_owned()),
            (None, None, address) => BulkSubject::Address(address.unwrap_or_default()),
        };
        Ok(BulkItem {
            who,
            date,
            shift,
            status,
            check_in,
            check_out,
            note,
            if_version: self.if_version.map(Revision),
        })
    }
}

fn read<T: Parse>(pointer: &str, text: &Option<String>, wrong: &mut Vec<FieldError>) -> Option<T::Value> {
    match T::read(text.as_ref()?) {
        Ok(value) => Some(value),
        Err(detail) => {
            wrong.push(FieldError::at(pointer, T::CODE, detail));
            None
        }
    }
}

impl BulkForm {
    fn of_table(bytes: &[u8], query: BulkQuery) -> Result<Self, Problem> {
        let lines = table(bytes, &COLUMNS)?;
        if lines.is_empty() {
            return Err(Problem::new(Code::MalformedCsv, "there is no line after the names of the columns"));
        }
        Ok(Self {
            operation: query.operation,
            mode: query.mode,
            on_conflict: query.on_conflict,
            dry_run: query.dry_run.value(),
            reason: query.reason,
            items: Some(lines.into_iter().map(ItemForm::of_row).collect()),
        })
    }

    /// What is asked for but the items, as a table says it in its query.
    fn head(&mut self) -> BulkQuery {
        BulkQuery {
            operation: std::mem::take(&mut self.operation),
            mode: std::mem::take(&mut self.mode),
            on_conflict: std::mem::take(&mut self.on_conflict),
            dry_run: self.dry_run.map(|dry_run| dry_run.to_string()).into(),
            reason: std::mem::take(&mut self.reason),
        }
    }
}

impl BulkQuery {
    /// What is asked for, without the items.
    pub(crate) fn request(self) -> Result<BulkRequest, Problem> {
        Ok(BulkRequest {
            operation: self.operation.value()?,
            atomic: self.mode.value().unwrap_or(false),
            on_conflict: self.on_conflict.value().unwrap_or(OnConflict::Error),
            dry_run: self.dry_run.value().unwrap_or(false),
            reason: self.reason.value()?,
            items: Vec::new(),
        })
    }
}

/// An item, or what is wrong with it.
pub(crate) fn read_item(form: &ItemForm, actor: &Actor) -> (Option<BulkItem>, Option<Problem>) {
    match form.read(actor) {
        Ok(item) => (Some(item), None),
        Err(problem) => (None, Some(problem)),
    }
}

/// What came of many items.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkAnswer)]
pub(crate) struct BulkView {
    /// By which all of it can be taken back; `null` if nothing was entered.
    batch_id: Option<String>,
    dry_run: bool,
    summary: BulkSummaryView,
    /// In the order of the items.
    results: Vec<ResultView>,
}

#[derive(Default, Serialize, ToSchema)]
#[schema(as = BulkSummary)]
pub(crate) struct BulkSummaryView {
    total: usize,
    created: usize,
    updated: usize,
    unchanged: usize,
    skipped: usize,
    failed: usize,
}

#[derive(Serialize, ToSchema)]
#[schema(as = BulkResult)]
pub(crate) struct ResultView {
    /// Place of the item, from 0.
    index: usize,
    /// The line of the table that it was taken from.
    line: Option<u32>,
    /// `created`, `updated`, `unchanged`, `skipped` or `failed`.
    outcome: &'static str,
    record_id: Option<String>,
    /// The record as it was stored.
    before: Option<RecordView>,
    /// The record as it is now, or would be.
    after: Option<RecordView>,
    /// Why it failed or was left out.
    problem: Option<ItemProblemView>,
}

impl BulkSummaryView {
    /// Counts an item.
    pub(crate) fn count(&mut self, outcome: &str) {
        self.total += 1;
        let counted = Outcome::named(outcome);
        match counted.unwrap_or(Outcome::Failed) {
            Outcome::Created => self.created += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Skipped => self.skipped += 1,
            Outcome::Failed => self.failed += 1,
        }
    }

    /// Items that were counted.
    pub(crate) const fn total(&self) -> usize {
        self.total
    }

    /// All is well, some of it, or nothing.
    pub(crate) const fn status(&self, atomic: bool) -> StatusCode {
        if self.failed > 0 && (atomic || self.failed == self.total) {
            StatusCode::UNPROCESSABLE_ENTITY
        } else if self.failed > 0 {
            StatusCode::MULTI_STATUS
        } else {
            StatusCode::OK
        }
    }
}

impl ResultView {
    pub(crate) fn new(index: usize, form: &ItemForm, result: ItemResult, unread: Option<Problem>) -> Self {
        let day = result.after.as_ref().or(result.before.as_ref());
        Self {
            index,
            line: form.line,
            outcome: result.outcome.name(),
            record_id: day.map(|day| day.id.to_string()),
            before: result.before.as_ref().map(|day| RecordView::new(day, false)),
            after: result.after.as_ref().map(|day| RecordView::new(day, false)),
            problem: unread.or_else(|| result.problem.map(Problem::from)).map(Problem::brief),
        }
    }

    /// What came of it, in one word.
    pub(crate) const fn outcome(&self) -> &'static str {
        self.outcome
    }
}

impl BulkView {
    fn new(answer: BulkAnswer, forms: &[ItemForm], unread: Vec<Option<Problem>>, dry_run: bool) -> Self {
        let results = forms.iter().zip(answer.results).zip(unread).enumerate();
        let view = |(index, ((form, result), unread))| ResultView::new(index, form, result, unread);
        let results: Vec<_> = results.map(view).collect();
        let mut summary = BulkSummaryView::default();
        results.iter().for_each(|result| summary.count(result.outcome));
        let batch_id = answer.batch.map(|id| id.to_string());
        Self { batch_id, dry_run, summary, results }
    }

    async fn answer(self, directory: &Directory, atomic: bool) -> Result<HttpResponse, Problem> {
        match self.summary.status(atomic) {
            StatusCode::UNPROCESSABLE_ENTITY => Err(Problem::plain(Code::NothingApplied)
                .with("batch_id", json!(self.batch_id))
                .with("dry_run", json!(self.dry_run))
                .with("summary", json!(self.summary))
                .with("results", named_if_possible(directory, json!(self.results)).await)),
            status => Ok(HttpResponse::build(status).json(self)),
        }
    }
}

impl From<ItemProblem> for Problem {
    fn from(problem: ItemProblem) -> Self {
        match problem {
            ItemProblem::Unreadable => Self::plain(Code::MalformedRequest),
            ItemProblem::UnknownPerson => Self::not_found(),
            ItemProblem::Duplicate => Self::plain(Code::DuplicateInRequest),
            ItemProblem::Required(field) => {
                Self::invalid_field(&format!("/{field}"), "required", problem.to_string())
            }
            ItemProblem::Misplaced(field) => {
                Self::invalid_field(&format!("/{field}"), "misplaced", problem.to_string())
            }
            ItemProblem::Conflict => Self::new(Code::Conflict, problem.to_string()),
            ItemProblem::NoOvertime => Self::plain(Code::NoOvertime),
            ItemProblem::FarApart => Self::invalid_field("/date", "out-of-range", problem.to_string()),
            ItemProblem::NotApplied => Self::plain(Code::NotApplied),
            ItemProblem::Refused(error) => error.into(),
        }
    }
}

/// Enters many things at once; more than 1,000, and whatever is asked for with `Prefer: respond-async`, as a job whose
/// result is what would have been answered, without names beside ids. From JSON or from a table with the columns `user_id` or `employee_code` or `email`,
/// `date`, `shift_id`, `status`, `check_in`, `check_out`, `note`. Entering the same once more changes nothing.
///
/// Tables are taken as spreadsheets save them: separated by commas, semicolons or tabs (or as a first line `sep=` says), in UTF-8, or
/// UTF-16 with a byte order mark; lines without anything in them are left out. Dates are written as 2026-03-02 and nothing else. The
/// columns `first_in (Europe/Berlin)` and `last_out (Europe/Berlin)` of a report are taken for `check_in` and `check_out`.
#[utoipa::path(post, path = "", tag = "admin",
    params(BulkQuery, ("Prefer" = Option<String>, Header, description = "`respond-async` for a job in any case.")),
    request_body(content((BulkForm = "application/json"), (String = "text/csv"))),
    responses((status = 200, description = "All items are as asked for.", body = BulkView),
              (status = 202, description = "Taken as a job; `Location` names it, `Retry-After` says when to look.",
               body = JobView),
              (status = 207, description = "Some are, some failed.", body = BulkView),
              (status = 429, description = "`too-many-jobs`: wait for those that are unfinished.",
               body = crate::problem::ProblemView<'static>, content_type = "application/problem+json"),
              (status = 422, description = "`nothing-applied`: every item failed, or one of an atomic request; the \
               problem has `summary` and `results`, too. Or the request itself is invalid.",
               body = crate::problem::ProblemView<'static>, content_type = "application/problem+json")))]
pub(crate) async fn bulk(
    req: HttpRequest,
    api: web::Data<Api>,
    caller: Authenticated,
    body: JsonOrCsv<BulkForm>,
) -> Result<HttpResponse, Problem> {
    let mut form = match body {
        JsonOrCsv::Json(form) => form,
        JsonOrCsv::Csv(bytes) => BulkForm::of_table(&bytes, from_query(&req)?)?,
    };
    let forms = form.items.take().unwrap_or_default();
    let head = form.head();
    let parameters = serde_json::to_string(&head).unwrap_or_default();
    let mut request = head.request()?;
    let most = if request.atomic { MAX_ATOMIC } else { MAX_ITEMS };
    if forms.len() > most {
        let detail = format!("at most {most} items are accepted, these are {}", forms.len());
        return Err(Problem::invalid_field("/items", "too-many", detail));
    }
    let asked = prefers_async(req.headers());
    if asked || forms.len() > AT_ONCE {
        let new = NewJob {
            kind: JobKind::Bulk,
            parameters,
            total: u32::try_from(forms.len()).unwrap_or(u32::MAX),
            input: lines(forms),
        };
        return Ok(accepted(&api.usecases.jobs.submit(caller.actor(), new).await?, asked));
    }
    let (items, unread) = forms.iter().map(|form| read_item(form, caller.actor())).unzip();
    request.items = items;
    let answer = api.usecases.bulk.enter(caller.actor(), &request).await?;
    BulkView::new(answer, &forms, unread, request.dry_run)
        .answer(&api.usecases.directory, request.atomic)
        .await
}

/// Items as they are kept until a job is done: a line each, in pieces.
fn lines(forms: Vec<ItemForm>) -> Vec<Vec<u8>> {
    let (mut pieces, mut piece) = (Vec::new(), Vec::new());
    for form in forms {
        let mut value = json!(form);
        if let Some(members) = value.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        piece.extend_from_slice(value.to_string().as_bytes());
        piece.push(b'\n');
        while piece.len() >= Job::CHUNK {
            let rest = piece.split_off(Job::CHUNK);
            pieces.push(std::mem::replace(&mut piece, rest));
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

/// A batch that was taken back.
#[derive(Serialize, ToSchema)]
#[schema(as = RevertedBatch)]
pub(crate) struct RevertedView {
    batch_id: String,
    operation: &'static str,
    /// Why it was entered.
    reason: String,
    #[schema(format = DateTime)]
    reverted_at: Option<String>,
    reverted_by: Option<String>,
    /// Punches that were taken back.
    events: usize,
    /// Overrides that were taken back.
    overrides: usize,
    /// Days whose overtime is no longer approved.
    approvals: usize,
    /// Punches that count again and overrides that hold again, because the batch had taken them back or replaced them.
    restored: usize,
}

impl RevertedView {
    fn new(of: RevertedBatch) -> Self {
        let reverted = of.batch.reverted;
        Self {
            batch_id: of.batch.id.to_string(),
            operation: of.batch.operation.name(),
            reason: of.batch.reason,
            reverted_at: reverted.as_ref().map(|back| utc(back.at)),
            reverted_by: reverted.and_then(|back| back.by).map(|id| id.to_string()),
            events: of.punches,
            overrides: of.overrides,
            approvals: of.approvals,
            restored: of.restored,
        }
    }
}

/// Takes back what a batch did, as far as it still holds, and lets hold again what it replaced; all of it or, if a part
/// is in a closed period by now, nothing.
#[utoipa::path(post, path = "", tag = "admin",
    operation_id = "revert_batch", request_body = ReasonForm,
    params(("batch_id" = String, Path, description = "A batch.")),
    responses((status = 200, description = "Taken back.", body = RevertedView)))]
pub(crate) async fn revert(
    api: web::Data<Api>,
    caller: Authenticated,
    PathId(id): PathId<BatchId>,
    Json(form): Json<ReasonForm>,
) -> Result<HttpResponse, Problem> {
    let reverted = api.usecases.bulk.revert(caller.actor(), id, &form.reason()?).await?;
    Ok(HttpResponse::Ok().json(RevertedView::new(reverted)))
}
