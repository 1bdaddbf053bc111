//! Being told of what changes, as it happens: by whichever instance, camera, kiosk, entry or decision.
//!
//! Whoever follows looks again and again for people about whom something was committed since the last look. A commit says
//! when it began, so each look goes back somewhat further than the one before, and now and then one goes back much further,
//! for what took long. What was told already is remembered for as long.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::{Action, Actor, permit};
use rollcall_domain::attendance::DayRecord;
use rollcall_domain::calendar::DateRange;
use rollcall_domain::id::{DepartmentId, PunchId, UserId};
use rollcall_domain::user::{RosterEntry, Status, User, UserScope};
use rollcall_ports::Ports;
use rollcall_ports::attendance::AttendanceStore;
use rollcall_ports::attendance::{Changed, RecordedPunch};
use rollcall_ports::clock::Clock;
use rollcall_ports::store::StoreError;
use rollcall_ports::users::UserStore;

use crate::attendance::{AttendanceError, SeenPunch};
use crate::authorize::{restrict_to_department, visible_scope};
use crate::rules::Rules;
use crate::time::rounded;
use crate::timesheet::Timesheets;
use crate::today::{TodayStatus, today_of};

/// How long a change usually takes at the most from when it begins until it is stored, clocks of several instances
/// included.
const SHORTLY: SignedDuration = SignedDuration::from_secs(5);

/// How long it may take.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// How often it is looked for what took long.
const SELDOM: SignedDuration = SignedDuration::from_secs(15);

/// Whoever was away for longer is better off with reading everything again.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(1);

/// Of more people than this at once one is told that there is much to read again, not what.
const MOST_PEOPLE: usize = 200;

/// The same of punches.
const MOST_PUNCHES: usize = 1_000;

/// Where somebody who follows stands.
#[derive(Debug, Clone)]
pub struct Cursor {
    department: Option<DepartmentId>,
    looked_at: Timestamp,
    /// When it was looked for what took long.
    looked_back_at: Timestamp,
    /// Something was missed before the first look.
    missed: bool,
    /// What is known of the people who changed lately, and when they did.
    revisions: HashMap<UserId, (Revision, Timestamp)>,
    /// The punches that came in lately, and when.
    punches: HashMap<PunchId, Timestamp>,
}

impl Cursor {
    fn new(department: Option<DepartmentId>, looked_at: Timestamp) -> Self {
        let (revisions, punches) = (HashMap::new(), HashMap::new());
        Self { department, looked_at, looked_back_at: looked_at, missed: false, revisions, punches }
    }

    /// When the last look began: from where to go on after an interruption.
    #[must_use]
    pub const fn looked_at(&self) -> Timestamp {
        self.looked_at
    }
}

/// What a look finds.
#[derive(Debug, Clone)]
pub enum Update {
    /// These changed, in the order in which they did; nobody, if nothing did.
    Of(Vec<PersonUpdate>),
    /// Too many to be told one by one, or something was missed: lists are to be read again.
    TooMuch,
}

/// What changed about one person.
#[derive(Debug, Clone)]
pub struct PersonUpdate {
    /// Who.
    pub person: RosterEntry,
    /// Where they stand today by now; `None` for somebody who takes no part today.
    pub standing: Option<TodayStatus>,
    /// Punches that came in and were not told yet, in the order in which they did. None, if something else changed.
    pub punches: Vec<SeenPunch>,
}

/// Tells of changes of attendance as they happen.
#[derive(Clone)]
pub struct Stream {
    clock: Arc<dyn Clock>,
    days: Arc<dyn AttendanceStore>,
    users: Arc<dyn UserStore>,
    rules: Arc<Rules>,
    timesheets: Timesheets,
}

impl Stream {
    pub(crate) fn new(ports: &Ports, rules: Arc<Rules>, timesheets: Timesheets) -> Self {
        Self {
            clock: ports.clock.clone(),
            days: ports.attendance.clone(),
            users: ports.users.clone(),
            rules,
            timesheets,
        }
    }

    /// Begins to follow the people whose attendance the actor may see, or those of a department among them: from now on, or
    /// from where an earlier look left off. What was told in the five minutes before that may then be told again.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] for devices, and for a department whose people the actor may not see; or the
    /// store's.
    pub async fn follow(
        &self,
        actor: &Actor,
        department: Option<DepartmentId>,
        since: Option<Timestamp>,
    ) -> Result<Cursor, AttendanceError> {
        let people = self.followed(actor, department)?;
        let now = rounded(self.clock.now());
        // The clock of the instance that told it may be ahead.
        let is_near =
            |at: &Timestamp| at.duration_since(now) <= OVERLAP && now.duration_since(*at) <= LONGEST_GAP;
        if let Some(since) = since.filter(is_near) {
            return Ok(Cursor::new(department, since.min(now)));
        }
        let mut cursor = Cursor { missed: since.is_some(), ..Cursor::new(department, now) };
        let changed = self.days.changed_since(&people, cursor.farthest()).await?;
        let people: Vec<UserId> = changed.iter().map(|of| of.user).collect();
        let received = self.days.punches_received_since(&people, cursor.farthest()).await?;
        cursor.learn(&changed, &received);
        Ok(cursor)
    }

    /// What changed since the last look. A single query if nothing did, else a handful, however many people changed.
    ///
    /// # Errors
    /// As for [`Self::follow`]. The cursor then stays where it was.
    pub async fn news(&self, actor: &Actor, cursor: &mut Cursor) -> Result<Update, AttendanceError> {
        let people = self.followed(actor, cursor.department)?;
        let now = rounded(self.clock.now());
        let farthest = cursor.farthest();
        // The first look of a follower that goes on where another one ended knows nothing yet.
        let looks_back =
            cursor.revisions.is_empty() || now.duration_since(cursor.looked_back_at).abs() >= SELDOM;
        let since = if looks_back { farthest } else { before(cursor.looked_at, SHORTLY) };
        let changed = self.days.changed_since(&people, since).await?;
        let mut new: Vec<&Changed> = changed.iter().filter(|of| cursor.is_new(of)).collect();
        new.sort_by_key(|of| (of.at, of.user));
        let new: Vec<UserId> = new.into_iter().map(|of| of.user).collect();
        let mut received = Vec::new();
        if !new.is_empty() {
            received = self.days.punches_received_since(&new, farthest).await?;
            received.retain(|(punch, _)| !cursor.punches.contains_key(&punch.id));
        }
        let too_much =
            std::mem::take(&mut cursor.missed) || new.len() > MOST_PEOPLE || received.len() > MOST_PUNCHES;
        let updates = if too_much || new.is_empty() {
            Vec::new()
        } else {
            self.changes(&new, received.clone(), now).await?
        };
        cursor.looked_at = now;
        if looks_back {
            cursor.looked_back_at = now;
        }
        cursor.learn(&changed, &received);
        Ok(if too_much { Update::TooMuch } else { Update::Of(updates) })
    }

    fn followed(
        &self,
        actor: &Actor,
        department: Option<DepartmentId>,
    ) -> Result<UserScope, AttendanceError> {
        let own = self.rules.self_service;
        permit(actor, Action::FollowAttendance, own)?;
        Ok(restrict_to_department(visible_scope(actor, Action::FollowAttendance, own)?, actor, department)?)
    }

    /// Where these people stand by now, with the punches that came in.
    async fn changes(
        &self,
        people: &[UserId],
        received: Vec<RecordedPunch>,
        now: Timestamp,
    ) -> Result<Vec<PersonUpdate>, StoreError> {
        let users = self.users.get_many(people).await?;
        let mut users: HashMap<UserId, User> = users.into_iter().map(|user| (user.id, user)).collect();
        let mut records: HashMap<UserId, Vec<DayRecord>> = HashMap::new();
        for (record, _) in self.days.records_of(people, DateRange::today_anywhere(now)).await? {
            records.entry(record.day.key.user).or_default().push(record);
        }
        let mut punches: HashMap<UserId, Vec<SeenPunch>> = HashMap::new();
        for seen in self.timesheets.seen(received).await? {
            punches.entry(seen.punch.user).or_default().push(seen);
        }
        let mut changes = Vec::with_capacity(people.len());
        for id in people {
            let Some(user) = users.remove(id) else { continue };
            let there = user.status == Status::Active;
            let person = RosterEntry {
                user: user.id,
                name: user.name,
                employee_code: user.employee_code,
                department: user.department,
            };
            let today = records.remove(id).filter(|_| there).and_then(|own| today_of(own, now));
            let standing =
                today.map(|day| TodayStatus { person: person.clone(), status: day.record.status, day });
            changes.push(PersonUpdate { person, standing, punches: punches.remove(id).unwrap_or_default() });
        }
        Ok(changes)
    }
}

impl Cursor {
    /// Whether this was not told yet.
    fn is_new(&self, of: &Changed) -> bool {
        self.revisions.get(&of.user).is_none_or(|(revision, _)| *revision != of.revision)
    }

    /// Remembers who changed and what came in, for as long as a look may find it again.
    fn learn(&mut self, changed: &[Changed], received: &[RecordedPunch]) {
        self.revisions.extend(changed.iter().map(|of| (of.user, (of.revision, of.at))));
        self.punches.extend(received.iter().map(|(punch, _)| (punch.id, punch.received_at)));
        let farthest = self.farthest();
        self.revisions.retain(|_, (_, at)| *at >= farthest);
        self.punches.retain(|_, received_at| *received_at >= farthest);
    }

    /// How far back a look goes at the most.
    fn farthest(&self) -> Timestamp {
        before(self.looked_back_at, OVERLAP)
    }
}

fn before(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(at)
}
