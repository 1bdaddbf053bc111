//! Punches: facts that are only ever added.

use jiff::Timestamp;

use crate::id::{BatchId, DeviceId, PunchId, UserId};

crate::words! {
    /// What a person or a camera asks for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum PunchKind {
        /// Whatever fits.
        Auto = "auto",
        /// Coming.
        CheckIn = "check_in",
        /// Leaving.
        CheckOut = "check_out",
        /// Nothing of the person's own: the system ends a session that can no longer be ended by whoever began it.
        Close = "close",
    }
}

crate::words! {
    /// Which way a person went.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Direction {
        /// Came.
        CheckIn = "check_in",
        /// Left.
        CheckOut = "check_out",
    }
}

crate::words! {
    /// How a punch came about.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Source {
        /// A camera recognized the person.
        FaceRecognition = "face_recognition",
        /// Somebody entered it for the person, with a reason.
        Manual = "manual",
        /// The person pressed a button.
        Api = "api",
        /// A time clock sent it.
        Terminal = "terminal",
        /// A device sent it later.
        Offline = "offline",
        /// Another system had recorded it.
        Import = "import",
        /// The system itself ended a session.
        System = "system",
    }
}

/// One punch. What is told of it never changes once committed; what it counts as follows from all punches of the
/// person, see [`crate::replay`].
#[derive(Debug, Clone, PartialEq)]
pub struct Punch {
    /// Its identifier.
    pub id: PunchId,
    /// Whose it is.
    pub user: UserId,
    /// What was asked for.
    pub kind: PunchKind,
    /// Which way the person went, as far as is known by now; `None` for a punch that counts as nothing. Derived.
    pub direction: Option<Direction>,
    /// When the person was there.
    pub at: Timestamp,
    /// When the system learned of it.
    pub received_at: Timestamp,
    /// How it came about.
    pub source: Source,
    /// The kiosk or camera, if one was involved.
    pub device: Option<DeviceId>,
    /// Who entered it for the person, if somebody did.
    pub entered_by: Option<UserId>,
    /// Similarity of the recognition, if one led to it.
    pub similarity: Option<f32>,
    /// Where, if it was told.
    pub location: Option<Location>,
    /// The person's own words.
    pub note: Option<String>,
    /// Why somebody entered it for the person.
    pub reason: Option<String>,
    /// Entered by somebody with the right to do so although it does not fit what came before.
    pub forced: bool,
    /// Somebody should look at it: it came too late, from a clock that cannot be trusted, or for a closed period.
    pub needs_review: bool,
    /// Who looked at it and let it count.
    pub accepted: Option<SignOff>,
    /// Taken back; it is kept, and counts as nothing.
    pub voided: Option<SignOff>,
    /// The entries it was made with.
    pub batch: Option<BatchId>,
    /// The number a device gave it; each device counts up.
    pub counter: Option<u64>,
}

impl Punch {
    /// A punch at `at`, known at once, of which nothing else is told.
    #[must_use]
    pub const fn new(id: PunchId, user: UserId, kind: PunchKind, at: Timestamp, source: Source) -> Self {
        Self {
            id,
            user,
            kind,
            direction: None,
            at,
            received_at: at,
            source,
            device: None,
            entered_by: None,
            similarity: None,
            location: None,
            note: None,
            reason: None,
            forced: false,
            needs_review: false,
            accepted: None,
            voided: None,
            batch: None,
            counter: None,
        }
    }
}

impl Punch {
    /// Whether it changes what comes after it.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.voided.is_none()
            && !self.needs_review
            && (self.direction.is_some() || self.kind == PunchKind::Close)
    }
}

/// Who decided something, when and why: took it back, let it count, opened it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOff {
    /// Who; `None` is the operator of the installation.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A place on earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    /// Degrees north, -90..=90.
    pub lat: f64,
    /// Degrees east, -180..=180.
    pub lng: f64,
    /// Radius within which it is true, in meters.
    pub accuracy_m: Option<f64>,
}

/// The numbers are no place on earth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("lat must be -90 to 90, lng -180 to 180, accuracy_m 0 to 1000000")]
pub struct InvalidLocation;

impl Location {
    /// Checks the ranges of the three numbers.
    ///
    /// # Errors
    /// [`InvalidLocation`] otherwise.
    pub fn new(lat: f64, lng: f64, accuracy_m: Option<f64>) -> Result<Self, InvalidLocation> {
        let sound = (-90.0..=90.0).contains(&lat)
            && (-180.0..=180.0).contains(&lng)
            && accuracy_m.is_none_or(|m| (0.0..=1e6).contains(&m));
        if sound { Ok(Self { lat, lng, accuracy_m }) } else { Err(InvalidLocation) }
    }
}
