//! Punches that a device noted while it was on its own. They may come late, in any order, and more than once.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp, Unit};
use rollcall_domain::access::{Action, Actor, Denied, permit};
use rollcall_domain::attendance::{Location, Punch, PunchKind, Source};
use rollcall_domain::device::Counting;
use rollcall_domain::id::{DeviceId, PunchId, UserId};
use rollcall_domain::user::{Status, User};
use rollcall_ports::store::StoreError;

use super::Punches;
use crate::attendance::{AttendanceError, MAX_AHEAD, SeenPunch};
use crate::authorize::load_permitted;
use crate::bulk::{AT_ONCE, range};
use crate::geofences::check_geofence;
use crate::retry::retry_stale;
use crate::time::rounded;
use crate::timesheet::audit::AuditContext;

/// A punch that is older than this when it becomes known is for somebody to look at.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(72);

/// A clock that is further off than this is not trusted.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A punch older than this is nobody's business any more; those of one person are entered together.
const OLDEST: SignedDuration = SignedDuration::from_hours(360 * 24);

/// Punches that a device hands in.
#[derive(Debug, Clone)]
pub struct SyncRequest {
    /// Which device, if an administrator hands them in for it.
    pub device: Option<DeviceId>,
    /// What the device's clock says now.
    pub sent_at: Timestamp,
    /// At most [`AT_ONCE`]; `None` for one that could not be read.
    pub items: Vec<Option<SyncItem>>,
}

/// One punch that a device noted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SyncItem {
    /// The identifier the device gave it: handed in again, it is the same punch.
    pub id: PunchId,
    /// Whose it is.
    pub user: UserId,
    /// What was asked for.
    pub kind: PunchKind,
    /// When, by the device's clock.
    pub at: Timestamp,
    /// The device counts its punches.
    pub counter: u64,
    /// Similarity of the recognition, if one led to it.
    pub similarity: Option<f32>,
    /// Where.
    pub location: Option<Location>,
}

/// Tells which punches of a device are stored, and why others are not.
#[derive(Debug)]
pub struct SyncAnswer {
    /// Which device.
    pub device: DeviceId,
    /// By how much its clock is ahead; the times of its punches are corrected by that.
    pub skew: SignedDuration,
    /// What its numbers tell.
    pub counting: Counting,
    /// One for each item, in its order: the punch as it is stored, or why it is not.
    pub results: Vec<Result<SeenPunch, SyncProblem>>,
}

/// Why a punch was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyncProblem {
    /// It could not be read.
    #[error("the item could not be read")]
    Unreadable,
    /// There is no such person.
    #[error("there is no such person")]
    UnknownPerson,
    /// It lies in the future, whatever the device's clock says.
    #[error("the time lies in the future")]
    FutureTime,
    /// Too long ago.
    #[error("the time lies too far in the past")]
    TooOld,
    /// Before the person joined.
    #[error("the time lies before the person joined")]
    BeforeJoinDate,
    /// Another punch has this identifier.
    #[error("another punch has this event_id")]
    Reused,
}

/// What all punches of a request have in common.
struct Sending<'a> {
    actor: &'a Actor,
    device: DeviceId,
    skew: SignedDuration,
    now: Timestamp,
}

impl Punches {
    /// Stores punches that a device noted. What came late, from a clock that is off, or for a closed period is stored
    /// for somebody to look at and counts as nothing until then.
    ///
    /// # Errors
    /// [`AttendanceError::Denied`] unless the actor is a device or an administrator; [`AttendanceError::TooMany`];
    /// [`AttendanceError::FieldNotAllowed`] for a device that names another one; or the store's,
    /// [`StoreError::Missing`] for an unknown device or none. What is wrong with a punch is told in its result.
    #[tracing::instrument(name = "attendance.sync", skip_all, fields(items = request.items.len()))]
    pub async fn sync(&self, actor: &Actor, request: &SyncRequest) -> Result<SyncAnswer, AttendanceError> {
        permit(actor, Action::SyncAttendance, self.rules.self_service)?;
        if request.items.len() > AT_ONCE {
            return Err(AttendanceError::TooMany(AT_ONCE));
        }
        let device = match (actor.device(), request.device) {
            (Some(own), Some(other)) if own != other => {
                return Err(AttendanceError::FieldNotAllowed("device_id"));
            }
            (Some(own), _) => own,
            (None, Some(device)) => device,
            (None, None) => return Err(StoreError::Missing("device_id").into()),
        };
        let now = self.clock.now();
        let sending = Sending { actor, device, skew: skew(request.sent_at, now), now };
        let ids: Vec<PunchId> = request.items.iter().flatten().map(|item| item.id).collect();
        let before: HashSet<PunchId> =
            self.days.punches_by_id(&ids).await?.into_iter().map(|(punch, _)| punch.id).collect();
        let last = self.days.last_counter(device).await?;
        let results = retry_stale!({
            self.sync_once(&sending, request, &ids).await.map_err(|error| match error {
                // Somebody else handed in the same.
                AttendanceError::Store(StoreError::Taken("event_id")) => StoreError::Stale.into(),
                error => error,
            })
        })?;
        let mut seen = before;
        let stored = request.items.iter().zip(&results).filter(|(_, result)| result.is_ok());
        let new: Vec<u64> = stored
            .filter_map(|(item, _)| *item)
            .filter(|item| seen.insert(item.id))
            .map(|item| item.counter)
            .collect();
        let counting = Counting::on(last, new);
        Ok(SyncAnswer { device, skew: sending.skew, counting, results })
    }

    async fn sync_once(
        &self,
        sending: &Sending<'_>,
        request: &SyncRequest,
        ids: &[PunchId],
    ) -> Result<Vec<Result<SeenPunch, SyncProblem>>, AttendanceError> {
        let known = self.days.punches_by_id(ids).await?;
        let mut first: HashMap<PunchId, SyncItem> = HashMap::new();
        let mut of: BTreeMap<UserId, Vec<Punch>> = BTreeMap::new();
        let mut people: HashMap<UserId, Option<User>> = HashMap::new();
        let mut refused: Vec<Option<SyncProblem>> = Vec::with_capacity(request.items.len());
        for item in &request.items {
            let Some(item) = item else {
                refused.push(Some(SyncProblem::Unreadable));
                continue;
            };
            let same_event = known.iter().find(|(punch, _)| punch.id == item.id);
            let reused = match (same_event, first.get(&item.id)) {
                (Some((punch, _)), _) => Some(!is_of(punch, item, sending.device)),
                (None, Some(earlier)) => Some(earlier != item),
                (None, None) => None,
            };
            if let Some(reused) = reused {
                refused.push(reused.then_some(SyncProblem::Reused));
                continue;
            }
            let user = match people.get(&item.user) {
                Some(user) => user.clone(),
                None => {
                    let user = self.sender_of(sending.actor, item.user).await?;
                    people.insert(item.user, user.clone());
                    user
                }
            };
            let problem = match self.noted(sending, user.as_ref(), item).await? {
                Ok(punch) => {
                    first.insert(item.id, *item);
                    of.entry(item.user).or_default().push(punch);
                    None
                }
                Err(problem) => Some(problem),
            };
            refused.push(problem);
        }
        for (user, punches) in of {
            if let Some(Some(user)) = people.get(&user) {
                self.file(sending, user, punches).await?;
            }
        }
        let stored = self.days.punches_by_id(ids).await?;
        let seen: HashMap<PunchId, SeenPunch> =
            self.timesheets.seen(stored).await?.into_iter().map(|seen| (seen.punch.id, seen)).collect();
        let results = request.items.iter().zip(refused).map(|(item, problem)| match (item, problem) {
            (_, Some(problem)) => Err(problem),
            (Some(item), None) => seen.get(&item.id).cloned().ok_or(SyncProblem::Unreadable),
            (None, None) => Err(SyncProblem::Unreadable),
        });
        Ok(results.collect())
    }

    async fn sender_of(&self, actor: &Actor, id: UserId) -> Result<Option<User>, AttendanceError> {
        let own = self.rules.self_service;
        match load_permitted(&*self.users, actor, Action::SyncAttendance, own, id)
            .await
            .map_err(AttendanceError::from)
        {
            Ok(user) => Ok(Some(user)),
            Err(AttendanceError::Denied(Denied::Hidden)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The punch as it is to be stored, unless it is in a closed period.
    async fn noted(
        &self,
        sending: &Sending<'_>,
        user: Option<&User>,
        item: &SyncItem,
    ) -> Result<Result<Punch, SyncProblem>, AttendanceError> {
        let Some(user) = user else { return Ok(Err(SyncProblem::UnknownPerson)) };
        let at = rounded(item.at.saturating_sub(sending.skew).unwrap_or(item.at));
        let age = sending.now.duration_since(at);
        if -age > MAX_AHEAD {
            return Ok(Err(SyncProblem::FutureTime));
        }
        if age > OLDEST {
            return Ok(Err(SyncProblem::TooOld));
        }
        let zone = self.timesheets.zone_of(user);
        if user.join_date.is_some_and(|joined| zone.local(at).date() < joined) {
            return Ok(Err(SyncProblem::BeforeJoinDate));
        }
        // What was noted cannot be refused any more.
        let outside = item.location.is_some()
            && check_geofence(&*self.departments, user, item.location).await?.is_err();
        let doubtful =
            outside || age > MAX_AGE || sending.skew.abs() > MAX_SKEW || user.status != Status::Active;
        Ok(Ok(Punch {
            received_at: rounded(sending.now),
            device: Some(sending.device),
            entered_by: sending.actor.user(),
            similarity: item.similarity,
            location: item.location,
            needs_review: doubtful,
            counter: Some(item.counter),
            ..Punch::new(item.id, user.id, item.kind, at, Source::Offline)
        }))
    }

    /// Stores one person's punches, all at once.
    async fn file(
        &self,
        sending: &Sending<'_>,
        user: &User,
        mut punches: Vec<Punch>,
    ) -> Result<(), StoreError> {
        let utc = rollcall_domain::calendar::Zone::UTC;
        let dates = punches.iter().map(|punch| utc.local(punch.at).date());
        let dates = dates.clone().min().zip(dates.max()).and_then(|(from, to)| range(from, to));
        let dates = dates.ok_or_else(|| StoreError::Failed("punches lie too far apart".into()))?;
        retry_stale!({
            let known = self.timesheets.placed(user, dates).await?;
            let derived = loop {
                let mut timesheet = known.clone();
                punches.iter().for_each(|punch| timesheet.add(punch.clone()));
                let derived =
                    self.timesheets.conclude(timesheet, &AuditContext::of(sending.actor, sending.now));
                let closed = |punch: &Punch| {
                    let day = derived.reading(punch.id).map(|reading| reading.key.date);
                    !punch.needs_review && day.is_some_and(|date| known.is_closed(date))
                };
                let mut left_out = false;
                for punch in &mut punches {
                    if closed(punch) {
                        (punch.needs_review, left_out) = (true, true);
                    }
                }
                // Without these, the others may mean something else.
                if !left_out {
                    break derived;
                }
            };
            self.days.commit(&derived.change).await?;
            Ok(())
        })
    }
}

/// How far a device's clock is ahead, to the second. Up to a second is the way that the message took: corrected by it,
/// a punch at the edge of a grace or a cooldown would lie beyond the edge.
fn skew(sent_at: Timestamp, now: Timestamp) -> SignedDuration {
    let ahead = sent_at.duration_since(now);
    let ahead = ahead.round(Unit::Second).unwrap_or(ahead);
    if ahead.abs() <= SignedDuration::from_secs(1) { SignedDuration::ZERO } else { ahead }
}

/// Whether a stored punch is the one that is handed in. Its time is corrected anew each time, so that it cannot tell.
fn is_of(punch: &Punch, item: &SyncItem, device: DeviceId) -> bool {
    punch.user == item.user
        && punch.device == Some(device)
        && punch.kind == item.kind
        && punch.counter == Some(item.counter)
}
