//! The departments of an old system: brought in first, because people belong to them; their managers last, because
//! they are people.

use std::collections::{HashMap, HashSet};

use rollcall_domain::Revision;
use rollcall_domain::calendar::Zone;
use rollcall_domain::department::{Department, DepartmentName, DepartmentRef};
use rollcall_domain::id::DepartmentId;
use rollcall_domain::page::Page;
use rollcall_domain::text::{canonical, line};
use rollcall_ports::departments::DepartmentFilter;
use rollcall_ports::legacy::{Cell, LegacyRow};
use rollcall_ports::store::StoreError;

use super::columns::{Field, Kind};
use super::source::Source;
use super::values::Value;
use super::{ImportError, Pages, Run};

/// The departments that are here, or would be, by everything they may be called.
#[derive(Default)]
pub(super) struct Book {
    by_old: HashMap<Cell, DepartmentRef>,
    by_name: HashMap<String, DepartmentRef>,
    by_code: HashMap<String, DepartmentRef>,
    /// Whom the old system names as whose manager.
    managers: Vec<(Cell, DepartmentId, Cell)>,
    /// Those managers, as far as they were seen among the people.
    pub(super) seen: HashSet<Cell>,
}

impl Book {
    fn enter(&mut self, department: &Department) -> DepartmentRef {
        let reference = department.reference();
        self.by_name.insert(canonical(department.name.as_str()), reference.clone());
        if let Some(code) = &department.code {
            self.by_code.insert(canonical(code), reference.clone());
        }
        reference
    }

    fn called(&self, text: &str) -> Option<DepartmentRef> {
        let text = canonical(text);
        self.by_code.get(&text).or_else(|| self.by_name.get(&text)).cloned()
    }

    /// Whether the old system names this person as somebody's manager.
    pub(super) fn is_manager(&self, old: &Cell) -> bool {
        self.managers.iter().any(|(_, _, manager)| manager == old)
    }
}

impl Run<'_> {
    /// Reads the departments that are here, then those of the old system.
    pub(super) async fn departments(&mut self) -> Result<(), ImportError> {
        for number in 1.. {
            let page = Page::new(number, Page::MAX_SIZE).map_err(|_| StoreError::Full)?;
            let found = self.import.departments.list(&DepartmentFilter::default(), &[], page).await?;
            let is_last = found.items.len() < Page::MAX_SIZE as usize;
            for summary in &found.items {
                self.book.enter(&summary.department);
            }
            if is_last {
                break;
            }
        }
        let Some(source) = self.sources.of(Kind::Departments) else { return Ok(()) };
        let mut pages = Pages::default();
        while let Some(rows) = self.all(&source, &[], &mut pages).await? {
            for row in &rows {
                self.report.of(Kind::Departments).read += 1;
                if let Err(why) = self.department(&source, row).await? {
                    self.report.of(Kind::Departments).rejected.add(why, &row.key);
                }
            }
        }
        Ok(())
    }

    async fn department(
        &mut self,
        source: &Source,
        row: &LegacyRow,
    ) -> Result<Result<(), &'static str>, ImportError> {
        let text = |field| source.value(row, field).text();
        let Some(name) = text(Field::Name).or(text(Field::Code)) else { return Ok(Err("has no name")) };
        let Ok(name) = DepartmentName::parse(name) else { return Ok(Err("has a name that cannot be shown")) };
        let code = text(Field::Code).and_then(|code| line(code, 64).ok());
        let id = self.namespace.department(&row.key);

        let here = self.import.departments.get(id).await?;
        let same = match &here {
            Some(known) => Some(known.reference()),
            None => code
                .as_deref()
                .and_then(|code| self.book.called(code))
                .or_else(|| self.book.called(name.as_str())),
        };
        let reference = match same {
            Some(known) => {
                self.report.of(Kind::Departments).unchanged += 1;
                known
            }
            None => {
                let tally = self.report.of(Kind::Departments);
                let zone = text(Field::TimeZone).map(Zone::named);
                if matches!(zone, Some(Err(_))) {
                    tally.left_out.add("a time zone that is not in the IANA database", &row.key);
                }
                let parent = source.value(row, Field::Parent);
                let parent = self.book.by_old.get(parent.cell).map(|parent| parent.id).or_else(|| {
                    if parent.is_given() {
                        tally.left_out.add("a parent department that comes later or is not known", &row.key);
                    }
                    None
                });
                let created = source.value(row, Field::CreatedAt).instant(&self.zone).unwrap_or(self.now);
                self.new_department(Department {
                    id,
                    name,
                    code,
                    description: text(Field::Description).map(|text| text.chars().take(1_000).collect()),
                    manager: None,
                    parent,
                    timezone: zone.and_then(Result::ok).map(|zone| zone.name().to_owned()),
                    default_shift: None,
                    geofences: Vec::new(),
                    created_at: created,
                    revision: Revision::NEW,
                })
                .await?
            }
        };
        let manager = source.value(row, Field::Manager);
        if manager.is_given() {
            self.book.managers.push((row.key.clone(), reference.id, manager.cell.clone()));
        }
        self.book.by_old.insert(row.key.clone(), reference);
        Ok(Ok(()))
    }

    async fn new_department(&mut self, department: Department) -> Result<DepartmentRef, ImportError> {
        if !self.request.dry_run {
            self.import.departments.insert(&department).await?;
        }
        self.report.of(Kind::Departments).created += 1;
        Ok(self.book.enter(&department))
    }

    /// The department that a person's row names: by its old id, its code, its name. One of which nothing but a name
    /// is known is added. `Err` when it names one that nobody knows.
    pub(super) async fn department_of(
        &mut self,
        value: Value<'_>,
    ) -> Result<Result<Option<DepartmentRef>, ()>, ImportError> {
        let Some(text) = value.text() else { return Ok(Ok(None)) };
        if let Some(known) = self.book.by_old.get(value.cell).cloned().or_else(|| self.book.called(text)) {
            return Ok(Ok(Some(known)));
        }
        let is_number = text.chars().all(|c| c.is_ascii_digit());
        let Ok(name) = DepartmentName::parse(text) else { return Ok(Err(())) };
        if is_number {
            return Ok(Err(()));
        }
        let id = self.namespace.department_named(&canonical(text));
        let department = Department {
            id,
            name,
            code: None,
            description: None,
            manager: None,
            parent: None,
            timezone: None,
            default_shift: None,
            geofences: Vec::new(),
            created_at: self.now,
            revision: Revision::NEW,
        };
        self.report.of(Kind::Departments).read += 1;
        self.new_department(department).await.map(|reference| Ok(Some(reference)))
    }

    /// Makes people the managers of departments that have none.
    pub(super) async fn managers(&mut self) -> Result<(), ImportError> {
        for (old, department, manager) in std::mem::take(&mut self.book.managers) {
            if !self.book.seen.contains(&manager) {
                self.report.of(Kind::Departments).left_out.add("a manager who was not imported", &old);
                continue;
            }
            if !self.request.dry_run {
                self.import.departments.appoint(department, self.namespace.user(&manager)).await?;
            }
        }
        Ok(())
    }
}
