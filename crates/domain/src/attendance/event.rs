//! Punches: facts that are only ever added.

use jiff::Timestamp;

use crate::id::{BatchId, DeviceId, EventId, UserId};

/// What a person or a camera asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Punch {
    /// Whatever fits.
    Auto,
    /// Coming.
    CheckIn,
    /// Leaving.
    CheckOut,
    /// Nothing of the person's own: the system ends a session that can no longer be ended by whoever began it.
    Close,
}

impl Punch {
    /// Every kind there is.
    pub const ALL: [Self; 4] = [Self::Auto, Self::CheckIn, Self::CheckOut, Self::Close];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::CheckIn => "check_in",
            Self::CheckOut => "check_out",
            Self::Close => "close",
        }
    }
}

/// Which way a person went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Came.
    CheckIn,
    /// Left.
    CheckOut,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::CheckIn, Self::CheckOut];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckIn => "check_in",
            Self::CheckOut => "check_out",
        }
    }
}

/// How a punch came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A camera recognized the person.
    FaceRecognition,
    /// Somebody entered it for the person, with a reason.
    Manual,
    /// The person pressed a button.
    Api,
    /// A time clock sent it.
    Terminal,
    /// A device sent it later.
    Offline,
    /// Another system had recorded it.
    Import,
    /// The system itself ended a session.
    System,
}

impl Source {
    /// Every source there is.
    pub const ALL: [Self; 7] = [
        Self::FaceRecognition,
        Self::Manual,
        Self::Api,
        Self::Terminal,
        Self::Offline,
        Self::Import,
        Self::System,
    ];

    /// The stable word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FaceRecognition => "face_recognition",
            Self::Manual => "manual",
            Self::Api => "api",
            Self::Terminal => "terminal",
            Self::Offline => "offline",
            Self::Import => "import",
            Self::System => "system",
        }
    }
}

/// One punch. What is told of it never changes once committed; what it counts as follows from all punches of the
/// person, see [`crate::replay`].
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its identifier.
    pub id: EventId,
    /// Whose it is.
    pub user: UserId,
    /// What was asked for.
    pub punch: Punch,
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
    pub accepted: Option<Stamp>,
    /// Taken back; it is kept, and counts as nothing.
    pub voided: Option<Stamp>,
    /// The entries it was made with.
    pub batch: Option<BatchId>,
    /// The number a device gave it; each device counts up.
    pub counter: Option<u64>,
}

impl Event {
    /// A punch at `at`, known at once, of which nothing else is told.
    #[must_use]
    pub const fn new(id: EventId, user: UserId, punch: Punch, at: Timestamp, source: Source) -> Self {
        Self {
            id,
            user,
            punch,
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

impl Event {
    /// Whether it changes what comes after it.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.voided.is_none()
            && !self.needs_review
            && (self.direction.is_some() || self.punch == Punch::Close)
    }
}

/// Who decided something, when and why: took it back, let it count, opened it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
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
