//! One person of an old system with everything that is theirs.

use std::collections::HashSet;

use rollcall_domain::access::Role;
use rollcall_domain::page::Page;
use rollcall_domain::user::{EmployeeCode, Status, User, UserFilter, UserScope};
use rollcall_ports::legacy::LegacyRow;
use rollcall_ports::store::StoreError;

use super::columns::{Field, Kind};
use super::people::{CODE_TAKEN, Candidate, NO_DEPARTMENT, candidate};
use super::source::Source;
use super::{ImportError, Link, Pages, Run};

const EMAIL_TAKEN: &str = "has the e-mail address of somebody else here, so it may be the same person: nothing of \
                           them was imported. Change one of the two addresses and import again";
const NO_PERSON: &str = "belongs to a person who was not imported";
const NO_OFFICE: &str = "has the role manager but no department names them as its manager: until one does, they see \
                         themselves only";
const NO_ROLE: &str = "is the manager of a department but has the role employee: make them manager if they are to see \
                       its people";

impl Run<'_> {
    /// Brings in a person, then their faces and their attendance.
    pub(super) async fn person(&mut self, row: &LegacyRow) -> Result<(), ImportError> {
        self.report.of(Kind::Users).read += 1;
        let link = Link { row, others: &self.link_columns.clone() };
        let settings = self.settings(&link).await?;
        match self.enter(row, settings.as_ref()).await? {
            Ok((user, is_new)) => {
                if self.book.is_manager(&row.key) {
                    self.book.seen.insert(row.key.clone());
                }
                if settings.is_some() {
                    let tally = self.report.of(Kind::UserSettings);
                    if is_new { tally.created += 1 } else { tally.unchanged += 1 }
                }
                self.faces(&user, is_new, &link).await?;
                self.attendance(user, &link).await
            }
            Err(why) => {
                self.report.of(Kind::Users).rejected.add(why, &row.key);
                if let Some((_, settings)) = &settings {
                    self.report.of(Kind::UserSettings).rejected.add(NO_PERSON, &settings.key);
                }
                self.left_behind(&link).await
            }
        }
    }

    /// The row of a person's settings; a second one is told.
    async fn settings(&mut self, link: &Link<'_>) -> Result<Option<(Source, LegacyRow)>, ImportError> {
        let Some(source) = self.sources.of(Kind::UserSettings) else { return Ok(None) };
        let mut first = None;
        let mut pages = Pages::default();
        while let Some(rows) = self.page(&source, link, &mut pages).await? {
            for row in rows {
                let tally = self.report.of(Kind::UserSettings);
                tally.read += 1;
                if first.is_some() {
                    tally.rejected.add("is not the first of its person", &row.key);
                } else {
                    first = Some((source.clone(), row));
                }
            }
        }
        Ok(first)
    }

    /// The person as they are here now and whether they are new, or why they are not here.
    async fn enter(
        &mut self,
        row: &LegacyRow,
        settings: Option<&(Source, LegacyRow)>,
    ) -> Result<Result<(User, bool), &'static str>, ImportError> {
        let source = self.sources.users.clone();
        let department = self.department_of(source.value(row, Field::Department)).await?;
        let chosen = settings.map(|(source, row)| (source, row));
        let of = department.clone().unwrap_or_default();
        let context = (&self.namespace, &self.zone, self.now);
        let Candidate { mut user, password, mut doubts, left_out } =
            match candidate(&source, row, chosen, of, context) {
                Ok(found) => found,
                Err(why) => return Ok(Err(why)),
            };
        if department.is_err() {
            doubts.push(NO_DEPARTMENT);
        }
        let is_manager = self.book.is_manager(&row.key);
        match user.role {
            Role::Manager if !is_manager => doubts.push(NO_OFFICE),
            Role::Employee if is_manager => doubts.push(NO_ROLE),
            _ => {}
        }

        if let Some(here) = self.import.users.get(user.id).await? {
            if here.status == Status::Deleted {
                return Ok(Err("was removed here since"));
            }
            let tally = self.report.of(Kind::Users);
            tally.unchanged += 1;
            if differs(&here, &user) {
                tally.left_out.add("differs from the person who is here, which was kept", &row.key);
            }
            return Ok(Ok((here, false)));
        }
        if self.email_is_taken(&user).await? {
            return Ok(Err(EMAIL_TAKEN));
        }
        if self.request.dry_run {
            if self.code_would_be_taken(&user).await? {
                user.employee_code = None;
                doubts.push(CODE_TAKEN);
            }
        } else {
            let mut added = self.import.users.insert(&user, password.as_ref()).await;
            if matches!(added, Err(StoreError::Taken("employee_code"))) {
                user.employee_code = None;
                doubts.push(CODE_TAKEN);
                added = self.import.users.insert(&user, password.as_ref()).await;
            }
            match added {
                Ok(()) => {}
                // Taken between the question and now, by somebody who registered.
                Err(StoreError::Taken("email")) => return Ok(Err(EMAIL_TAKEN)),
                Err(error) => return Err(error.into()),
            }
        }
        self.has_admin |= user.role == Role::Admin && user.status == Status::Active && password.is_some();
        self.report.of(Kind::Users).created += 1;
        doubts.iter().for_each(|doubt| self.report.decisions.add(doubt, &row.key));
        left_out.iter().for_each(|what| self.report.of(Kind::Users).left_out.add(what, &row.key));
        Ok(Ok((user, true)))
    }

    /// Whether somebody here, or an earlier row, has the address.
    async fn email_is_taken(&mut self, user: &User) -> Result<bool, ImportError> {
        let email = user.email.canonical();
        let here = self.import.users.credentials(email).await?.is_some_and(|found| found.user != user.id);
        // A dry run leaves nothing to be found.
        Ok(here || (self.request.dry_run && !self.emails.insert(email.to_owned())))
    }

    /// Whether somebody here, or an earlier row, has the employee code: what a dry run must find out by itself.
    async fn code_would_be_taken(&mut self, user: &User) -> Result<bool, ImportError> {
        let Some(code) = user.employee_code.as_ref().map(EmployeeCode::canonical) else { return Ok(false) };
        if self.codes.is_none() {
            self.codes = Some(self.codes_here().await?);
        }
        Ok(self.codes.as_mut().is_some_and(|codes| !codes.insert(code)))
    }

    async fn codes_here(&self) -> Result<HashSet<String>, ImportError> {
        let mut codes = HashSet::new();
        for number in 1.. {
            let page = Page::new(number, Page::MAX_SIZE).map_err(|_| StoreError::Full)?;
            let found =
                self.import.users.list(&UserScope::Everybody, &UserFilter::default(), &[], page).await?;
            codes
                .extend(found.items.iter().filter_map(|user| Some(user.employee_code.as_ref()?.canonical())));
            if found.items.len() < Page::MAX_SIZE as usize {
                break;
            }
        }
        Ok(codes)
    }

    /// Counts what a person leaves behind who is not imported.
    async fn left_behind(&mut self, link: &Link<'_>) -> Result<(), ImportError> {
        if self.sources.users.value(link.row, Field::Encoding).is_given() {
            let tally = self.report.of(Kind::FaceEncodings);
            tally.read += 1;
            tally.rejected.add(NO_PERSON, &link.row.key);
        }
        for kind in [Kind::FaceEncodings, Kind::AttendanceRecords] {
            let Some(source) = self.sources.of(kind) else { continue };
            let mut pages = Pages::default();
            while let Some(rows) = self.page(&source, link, &mut pages).await? {
                let tally = self.report.of(kind);
                tally.read += rows.len() as u64;
                rows.iter().for_each(|row| tally.rejected.add(NO_PERSON, &row.key));
            }
        }
        Ok(())
    }
}

/// Whether the old system tells of another person than the one who is here; passwords are not compared, since here
/// they are stored anew.
fn differs(here: &User, old: &User) -> bool {
    here.name != old.name || here.email != old.email || here.role != old.role || here.status != old.status
}
