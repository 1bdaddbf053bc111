//! Bringing in what a system that came before has kept: people, departments, faces, attendance, leave, choices.
//!
//! Everything that is brought in has an id that follows from its old one, so an import can be repeated, also after
//! it was interrupted: what is here already is left as it is. People are read one after the other, each with
//! everything that is theirs, so memory does not grow with the history. Nothing is dropped without a line in the
//! [`Report`].

mod attendance;
mod columns;
mod departments;
pub mod encoding;
mod faces;
mod ids;
mod leave;
mod ledger;
mod people;
mod person;
mod punches;
mod report;
mod source;
mod survey;
mod values;

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_domain::access::{Action, Actor, Denied, Role, permit};
use rollcall_domain::calendar::Zone;
use rollcall_domain::face::{Metric, ModelId};
use rollcall_domain::page::Page;
use rollcall_domain::user::{ConsentVersion, Status, UserFilter, UserScope};
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::clock::Clock;
use rollcall_ports::departments::DepartmentStore;
use rollcall_ports::faces::FaceStore;
use rollcall_ports::holidays::HolidayStore;
use rollcall_ports::ids::IdSource;
use rollcall_ports::leaves::LeaveStore;
use rollcall_ports::legacy::{Cell, LegacyOwner, LegacyRow, LegacyRows, LegacySystem};
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use columns::Field;
use departments::Book;
use ids::Namespace;
use rollcall_usecases::rules::Rules;
use rollcall_usecases::timesheet::Timesheets;
use source::Source;
use survey::{Sources, link_columns, survey};

pub use columns::Kind;
pub use report::{Case, Cases, Report, Tally};

/// Rows read at a time: with the longest values they may have, some tens of megabytes.
const PAGE: u32 = 200;

const NO_ADMIN: &str = "no active administrator has a usable password: run `rollcall admin create`";

/// Brings in what another system has kept.
#[derive(Clone)]
pub struct Import {
    clock: Arc<dyn Clock>,
    users: Arc<dyn UserStore>,
    departments: Arc<dyn DepartmentStore>,
    faces: Arc<dyn FaceStore>,
    days: Arc<dyn AttendanceStore>,
    leaves: Arc<dyn LeaveStore>,
    holidays: Arc<dyn HolidayStore>,
    ids: Arc<dyn IdSource>,
    timesheets: Timesheets,
    rules: Arc<Rules>,
}

/// How an import is to be done.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// What tells the system from others; by default where its database is. Ids follow from it.
    pub system: Option<String>,
    /// The time zone of its dates and times; by default the organization's.
    pub zone: Option<Zone>,
    /// The version of the consent text to which everybody whose face is brought in has agreed.
    pub consent: Option<ConsentVersion>,
    /// The network that computed its encodings.
    pub recognizer: OldRecognizer,
    /// Finds out what would be done, and does nothing.
    pub dry_run: bool,
}

/// The network that computed an old system's encodings, as this system describes it.
#[derive(Debug, Clone)]
pub struct OldRecognizer {
    /// Stored with each template.
    pub model: ModelId,
    /// How its embeddings are compared.
    pub metric: Metric,
}

/// Why an import ended early. What was brought in before stays; another import goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is nobody to bring in.
    #[error("the old database has no usable table of people: {0}")]
    NoPeople(String),
    /// The old database failed.
    #[error("the old database: {0}")]
    Old(#[source] StoreError),
    /// Our own database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person's row, and the values by which other tables name the person besides its key.
struct Link<'a> {
    row: &'a LegacyRow,
    others: &'a [String],
}

/// One import under way.
struct Run<'a> {
    import: &'a Import,
    system: &'a dyn LegacySystem,
    request: ImportRequest,
    namespace: Namespace,
    zone: Zone,
    now: Timestamp,
    sources: Sources,
    /// Columns of the people's table, besides its key, by which other tables name people.
    link_columns: Vec<String>,
    book: Book,
    emails: HashSet<String>,
    codes: Option<HashSet<String>>,
    /// An active administrator with a password was added, or would be.
    has_admin: bool,
    report: Report,
}

impl Import {
    /// Through the timesheets of the use-cases on these ports, by their rules.
    #[must_use]
    pub fn new(ports: &Ports, timesheets: Timesheets) -> Self {
        Self {
            clock: ports.clock.clone(),
            users: ports.users.clone(),
            departments: ports.departments.clone(),
            faces: ports.faces.clone(),
            days: ports.attendance.clone(),
            leaves: ports.leaves.clone(),
            holidays: ports.holidays.clone(),
            ids: ports.ids.clone(),
            rules: timesheets.rules().clone(),
            timesheets,
        }
    }

    /// Brings in everything, telling `progress` how many people are done. Doing it again changes nothing but what is
    /// new in the old system.
    ///
    /// # Errors
    /// [`ImportError::Denied`] unless the actor is an administrator; [`ImportError::NoPeople`]; [`ImportError::Old`]
    /// when the old database fails, [`ImportError::Store`] when ours does. What was brought in before stays.
    #[tracing::instrument(name = "import", skip_all)]
    pub async fn run(
        &self,
        actor: &Actor,
        system: &dyn LegacySystem,
        request: ImportRequest,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Report, ImportError> {
        permit(actor, Action::CreateUser, self.rules.self_service)?;
        permit(actor, Action::ManageDepartments, self.rules.self_service)?;
        let name = request.system.clone().unwrap_or_else(|| system.name());
        let mut report = Report { system: name.clone(), dry_run: request.dry_run, ..Report::default() };
        let tables = system.tables().await.map_err(ImportError::Old)?;
        let sources = survey(system, &tables, &mut report).await?;
        let link_columns = link_columns(&sources);
        let mut run = Run {
            import: self,
            system,
            namespace: Namespace::new(&name),
            zone: request.zone.clone().unwrap_or_else(|| self.rules.zone.clone()),
            now: self.clock.now(),
            request,
            sources,
            link_columns,
            book: Book::default(),
            emails: HashSet::new(),
            codes: None,
            has_admin: false,
            report,
        };
        run.departments().await?;
        run.people(progress).await?;
        run.administrators().await?;
        run.strays().await?;
        run.managers().await?;
        Ok(run.report)
    }
}

impl Run<'_> {
    async fn people(&mut self, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<(), ImportError> {
        let source = self.sources.users.clone();
        let also: Vec<String> = self.link_columns.clone();
        let also: Vec<&str> = also.iter().map(String::as_str).collect();
        let mut pages = Pages::default();
        let mut done = 0;
        while let Some(rows) = self.all(&source, &also, &mut pages).await? {
            for row in &rows {
                self.person(row).await?;
                done += 1;
                progress(done);
            }
        }
        Ok(())
    }

    /// Says so if nobody could run the installation: with people in it no first administrator is made up any more.
    async fn administrators(&mut self) -> Result<(), ImportError> {
        if self.has_admin {
            return Ok(());
        }
        let active =
            UserFilter { role: Some(Role::Admin), status: Some(Status::Active), ..UserFilter::default() };
        let page = Page::new(1, Page::MAX_SIZE).map_err(|_| StoreError::Full)?;
        let found = self.import.users.list(&UserScope::Everybody, &active, &[], page).await?;
        for admin in &found.items {
            if self.import.users.password(admin.id).await?.is_some() {
                return Ok(());
            }
        }
        self.report.decisions.note(NO_ADMIN);
        Ok(())
    }

    /// Counts the rows that belong to nobody.
    async fn strays(&mut self) -> Result<(), ImportError> {
        for kind in [Kind::FaceEncodings, Kind::AttendanceRecords, Kind::UserSettings] {
            let Some(source) = self.sources.of(kind) else { continue };
            let Some(column) = source.column(Field::User) else { continue };
            let key = self.sources.users.table.key.clone().unwrap_or_default();
            let named_by = column.refers_to.as_ref().map_or(key.as_str(), |(_, column)| column.as_str());
            let owner = LegacyOwner { column, table: &self.sources.users.table, named_by };
            let mut after: Option<Cell> = None;
            loop {
                let wanted = LegacyRows {
                    table: &source.table,
                    columns: &[],
                    of: None,
                    after: after.as_ref(),
                    limit: PAGE,
                };
                let rows = self.system.strays(&wanted, owner).await.map_err(ImportError::Old)?;
                let Some(last) = rows.last() else { break };
                after = Some(last.key.clone());
                let tally = self.report.of(kind);
                tally.read += rows.len() as u64;
                rows.iter()
                    .for_each(|row| tally.rejected.add("belongs to nobody among the people", &row.key));
            }
        }
        Ok(())
    }

    /// The next page of a table; `also` are further columns. `None` at the end.
    async fn all(
        &self,
        source: &Source,
        also: &[&str],
        pages: &mut Pages,
    ) -> Result<Option<Vec<LegacyRow>>, ImportError> {
        if pages.over {
            return Ok(None);
        }
        let columns = source.columns(also);
        let wanted = LegacyRows {
            table: &source.table,
            columns: &columns,
            of: None,
            after: pages.after.as_ref(),
            limit: PAGE,
        };
        let rows = self.system.rows(&wanted).await.map_err(ImportError::Old)?;
        Ok(pages.turned(rows))
    }

    /// The next page of what belongs to a person. `None` at the end.
    async fn page(
        &self,
        source: &Source,
        link: &Link<'_>,
        pages: &mut Pages,
    ) -> Result<Option<Vec<LegacyRow>>, ImportError> {
        let Some(column) = source.column(Field::User).filter(|_| !pages.over) else { return Ok(None) };
        // What other tables know the person by comes after the columns of the person's own row.
        let own = self.sources.users.columns(&[]).len();
        let named = column
            .refers_to
            .as_ref()
            .and_then(|(_, name)| link.others.iter().position(|other| other == name));
        let value = named.and_then(|place| link.row.cells.get(own + place)).unwrap_or(&link.row.key);
        if matches!(value, Cell::Null | Cell::TooLong(_)) {
            return Ok(None);
        }
        let columns = source.columns(&[]);
        let wanted = LegacyRows {
            table: &source.table,
            columns: &columns,
            of: Some((column, value)),
            after: pages.after.as_ref(),
            limit: PAGE,
        };
        let rows = self.system.rows(&wanted).await.map_err(ImportError::Old)?;
        Ok(pages.turned(rows))
    }
}

/// How far a table has been read.
#[derive(Default)]
struct Pages {
    after: Option<Cell>,
    over: bool,
}

impl Pages {
    /// A page that was read; `None` when there was nothing.
    fn turned(&mut self, rows: Vec<LegacyRow>) -> Option<Vec<LegacyRow>> {
        self.over = rows.len() < PAGE as usize;
        self.after = Some(rows.last()?.key.clone());
        Some(rows)
    }
}
