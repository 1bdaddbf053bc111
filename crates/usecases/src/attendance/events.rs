//! Single punches: finding them, and judging those that need it.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::attendance::{Direction, Event, Source, Stamp};
use rollcall_domain::calendar::{DateRange, Zone};
use rollcall_domain::id::{BatchId, DepartmentId, DeviceId, EventId, RecordId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::{People, User};
use rollcall_ports::attendance::{EventFilter, Filed};
use rollcall_ports::store::StoreError;

use super::book::Book;
use super::{Attendance, AttendanceError, DayView};
use crate::people::{reach, reachable};
use crate::roster::narrow;

/// Which punches are wanted.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// Only this person's.
    pub user: Option<UserId>,
    /// Only those of people in this department.
    pub department: Option<DepartmentId>,
    /// That count as this by now.
    pub direction: Option<Direction>,
    /// That came about like this.
    pub source: Option<Source>,
    /// Of this kiosk or camera.
    pub device: Option<DeviceId>,
    /// Made with these entries.
    pub batch: Option<BatchId>,
    /// Only those somebody should look at, or only the others.
    pub needs_review: Option<bool>,
    /// Only those that were taken back, or only the others.
    pub voided: Option<bool>,
    /// This page.
    pub page: Page,
}

/// A punch and the date of the record it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenEvent {
    /// The punch.
    pub event: Event,
    /// The date of its record; of the punch itself, if it has none.
    pub date: Date,
    /// The time zone that held.
    pub zone: Zone,
}

/// A punch that somebody judged.
#[derive(Debug, Clone)]
pub struct JudgedEvent {
    /// The punch.
    pub seen: SeenEvent,
    /// Its day as it is now; `None` if it belongs to none.
    pub day: Option<DayView>,
}

impl Attendance {
    /// A page of the punches the actor may see, latest first.
    pub async fn events(
        &self,
        actor: &Actor,
        query: EventQuery,
    ) -> Result<Paged<SeenEvent>, AttendanceError> {
        let own = self.rules.self_service;
        permit(actor, Action::ReadAttendance, own)?;
        let mut people = narrow(reachable(actor, Action::ReadAttendance, own)?, actor, query.department)?;
        if let Some(id) = query.user {
            let user = reach(&*self.users, actor, Action::ReadAttendance, own, id).await?;
            let there = |wanted| user.department.as_ref().is_some_and(|found| found.id == wanted);
            if !query.department.is_none_or(there) {
                return Ok(query.page.of(Vec::new()));
            }
            people = People::One(id);
        }
        let filter = EventFilter {
            from: query.from,
            until: query.until,
            direction: query.direction,
            punch: None,
            source: query.source,
            device: query.device,
            batch: query.batch,
            needs_review: query.needs_review,
            voided: query.voided,
        };
        let found = self.days.events(&people, &filter, query.page).await?;
        let Paged { items, total, page } = found;
        Ok(Paged { items: self.seen(items).await?, total, page })
    }

    /// Takes a punch back. It is kept and counts as nothing.
    #[tracing::instrument(name = "attendance.void", skip_all, fields(event.id = %id))]
    pub async fn void_event(
        &self,
        actor: &Actor,
        id: EventId,
        reason: &str,
    ) -> Result<JudgedEvent, AttendanceError> {
        self.judge_event(actor, id, reason, |book, event, back| {
            if event.voided.is_some() {
                return Err(AttendanceError::NothingToRevert);
            }
            book.void(id, back);
            Ok(())
        })
        .await
    }

    /// Lets a punch count that somebody should have looked at.
    #[tracing::instrument(name = "attendance.accept", skip_all, fields(event.id = %id))]
    pub async fn accept_event(
        &self,
        actor: &Actor,
        id: EventId,
        reason: &str,
    ) -> Result<JudgedEvent, AttendanceError> {
        self.judge_event(actor, id, reason, |book, event, by| {
            if !event.needs_review || event.voided.is_some() {
                return Err(AttendanceError::NothingToReview);
            }
            book.accept(id, by);
            Ok(())
        })
        .await
    }

    async fn judge_event(
        &self,
        actor: &Actor,
        id: EventId,
        reason: &str,
        judge: impl Fn(&mut Book, &Event, Stamp) -> Result<(), AttendanceError> + Send + Sync,
    ) -> Result<JudgedEvent, AttendanceError> {
        permit(actor, Action::DecideRecord, self.rules.self_service)?;
        let event = self.days.event(id).await?.ok_or(Denied::Hidden)?;
        let user: User = self.judge(actor, Action::DecideRecord, event.user).await?;
        let by = self.stamp(actor, reason)?;
        let zone = self.zone_of(&user);
        let policy = &self.rules.policy;
        let locked = |book: &Book| book.day_of(id, policy).is_some_and(|key| book.is_locked(key.date));
        let cause = self.cause(actor, reason);
        self.write(&user, DateRange::around(zone.local(event.at).date()), &cause, |book| {
            let event = book.event(id).cloned().ok_or(Denied::Hidden)?;
            if locked(book) {
                return Err(AttendanceError::PeriodLocked);
            }
            judge(book, &event, by.clone())?;
            // Judged, it may belong to another day.
            if locked(book) { Err(AttendanceError::PeriodLocked) } else { Ok(()) }
        })
        .await?;
        let filed = self.days.filed(&[id]).await?.pop();
        let (event, record) = filed.ok_or_else(|| StoreError::Failed("a punch is gone".into()))?;
        let day = match record {
            Some(record) => self.days.record(record).await?,
            None => None,
        };
        let day = day.map(|kept| DayView::of(kept, self.clock.now()));
        let seen = self.seen(vec![(event, record)]).await?.pop();
        let seen = seen.ok_or_else(|| StoreError::Failed("a punch is gone".into()))?;
        Ok(JudgedEvent { seen, day })
    }

    /// Gives punches the dates of their records; those that belong to none have the date of where the person is.
    pub(super) async fn seen(&self, events: Vec<Filed>) -> Result<Vec<SeenEvent>, StoreError> {
        let mut records: Vec<RecordId> = events.iter().filter_map(|(_, record)| *record).collect();
        records.sort();
        records.dedup();
        let records: HashMap<RecordId, (Date, Zone)> = self
            .days
            .records_named(&records)
            .await?
            .into_iter()
            .map(|record| (record.day.id, (record.day.key.date, record.day.zone)))
            .collect();
        let of_record = |record: Option<RecordId>| records.get(&record?).cloned();
        let mut strays: Vec<UserId> = events
            .iter()
            .filter(|(_, record)| of_record(*record).is_none())
            .map(|(event, _)| event.user)
            .collect();
        strays.sort();
        strays.dedup();
        let mut zones: HashMap<UserId, Zone> = HashMap::new();
        if !strays.is_empty() {
            let people = self.users.named(&strays).await?;
            zones.extend(people.iter().map(|user| (user.id, self.zone_of(user))));
        }
        let seen = |(event, record): Filed| {
            let (date, zone) = of_record(record).unwrap_or_else(|| {
                let zone = zones.get(&event.user).cloned().unwrap_or_else(|| self.zone_named(None));
                (zone.local(event.at).date(), zone)
            });
            SeenEvent { event, date, zone }
        };
        Ok(events.into_iter().map(seen).collect())
    }
}
