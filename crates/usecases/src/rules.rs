//! What an installation has decided: the settings that change what the system does.

use jiff::SignedDuration;
use rollcall_domain::access::SelfService;
use rollcall_domain::calendar::Zone;
use rollcall_domain::lockout::LockOut;
use rollcall_domain::matching::{MatchPolicy, OperatingPoint, Threshold};
use rollcall_domain::policy::Policy;
use rollcall_domain::shift::Shift;
use rollcall_ports::engine::Recognizer;

/// The settings of an installation, each already checked.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Where people are unless they or their department say otherwise.
    pub zone: Zone,
    /// The shift everybody works.
    pub shift: Shift,
    /// Rules that hold whatever the shift.
    pub policy: Policy,
    /// What employees do themselves.
    pub self_service: SelfService,
    /// Who may open an account.
    pub registration: Registration,
    /// Least number of characters of a new password.
    pub password_min_length: usize,
    /// How failed logins are slowed down.
    pub lock_out: LockOut,
    /// How long an access token is good.
    pub access_token_ttl: SignedDuration,
    /// How long a login can be renewed.
    pub refresh_token_ttl: SignedDuration,
    /// How long an invitation can be accepted.
    pub invitation_ttl: SignedDuration,
    /// Templates without which nobody is matched.
    pub min_faces: u32,
    /// Most templates of one person.
    pub max_faces: u32,
    /// Largest distance that is a match; unset, the recognizer's own calibration holds.
    pub threshold: Option<Threshold>,
    /// Distance at which a new face is taken for somebody else's; unset, the match threshold.
    pub duplicate_threshold: Option<Threshold>,
    /// How much less similar the second person must be.
    pub margin: f32,
    /// Chance that a stranger matches somebody that the threshold must keep.
    pub target_fpir: f64,
}

rollcall_domain::words! {
    /// Who may open an account.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Registration {
        /// Anybody, at once.
        Open = "open",
        /// Anybody, after an administrator's approval.
        Approval = "approval",
        /// Nobody; administrators add people.
        Closed = "closed",
    }
}

impl Rules {
    /// The settings of a new installation.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            zone: Zone::UTC,
            shift: Shift::standard(),
            policy: Policy::STANDARD,
            self_service: SelfService { enroll: true, check_in: true },
            registration: Registration::Open,
            password_min_length: 10,
            lock_out: LockOut::STANDARD,
            access_token_ttl: SignedDuration::from_hours(1),
            refresh_token_ttl: SignedDuration::from_hours(30 * 24),
            invitation_ttl: SignedDuration::from_hours(7 * 24),
            min_faces: 5,
            max_faces: 20,
            threshold: None,
            duplicate_threshold: None,
            margin: 0.05,
            target_fpir: 0.01,
        }
    }

    /// The threshold in force with `people` in the gallery.
    #[must_use]
    pub fn operating_point(&self, recognizer: &Recognizer, people: usize) -> OperatingPoint {
        let configured = self.threshold.unwrap_or(recognizer.threshold);
        OperatingPoint::new(configured, &recognizer.fmr, people, self.target_fpir)
    }

    /// What decides between the nearest people with `people` in the gallery.
    #[must_use]
    pub fn match_policy(&self, recognizer: &Recognizer, people: usize) -> MatchPolicy {
        MatchPolicy { threshold: self.operating_point(recognizer, people).threshold, margin: self.margin }
    }
}
