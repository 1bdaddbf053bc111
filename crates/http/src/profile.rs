//! A person as clients see them.

use jiff::civil::Date;
use jiff::{Timestamp, Unit};
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::id::ShiftId;
use rollcall_domain::preferences::Preferences;
use rollcall_domain::user::Consent;
use rollcall_usecases::users::Profile;
use serde::Serialize;
use utoipa::ToSchema;

use crate::options::Api;

/// A person.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserView {
    id: String,
    employee_code: Option<String>,
    name: String,
    email: String,
    /// `admin`, `manager` or `employee`.
    role: &'static str,
    /// `active`, `inactive`, `suspended`, `pending` or `deleted`.
    status: &'static str,
    department: Option<DepartmentRefView>,
    phone: Option<String>,
    address: Option<String>,
    avatar_url: Option<String>,
    timezone: Option<String>,
    locale: Option<String>,
    #[schema(format = Date)]
    join_date: Option<String>,
    #[schema(format = Date)]
    leave_date: Option<String>,
    default_shift_id: Option<String>,
    #[schema(format = DateTime)]
    last_login_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// Grows with each change; the number in the ETag.
    version: u32,
    settings: SettingsView,
    face: FaceView,
}

/// A department, as far as others show it.
#[derive(Serialize, ToSchema)]
#[schema(as = DepartmentRef)]
pub(crate) struct DepartmentRefView {
    id: String,
    name: String,
}

/// What a person has chosen about the console.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct SettingsView {
    /// `system`, `light` or `dark`.
    theme: &'static str,
    notifications: bool,
    /// A language tag.
    language: String,
}

/// Whether a person can be recognized.
#[derive(Serialize, ToSchema)]
#[schema(as = Face)]
pub(crate) struct FaceView {
    /// `none`, `incomplete`, `enrolled`, `stale` or `blocked`.
    status: &'static str,
    /// Templates of the model in use.
    encodings: u32,
    /// Templates without which nobody is recognized.
    min_required: u32,
    model_id: Option<String>,
    #[schema(format = DateTime)]
    last_enrolled_at: Option<String>,
    consent: ConsentView,
}

/// Whether a person agreed to be recognized.
#[derive(Serialize, ToSchema)]
#[schema(as = Consent)]
pub(crate) struct ConsentView {
    /// `missing`, `given` or `withdrawn`.
    status: &'static str,
    version: Option<String>,
    #[schema(format = DateTime)]
    at: Option<String>,
}

impl UserView {
    /// Everything of a profile but what is nobody's to see.
    pub(crate) fn new(api: &Api, profile: Profile) -> Self {
        let face = FaceView::new(api, &profile);
        let user = profile.user;
        Self {
            id: user.id.to_string(),
            employee_code: user.employee_code.map(|code| code.as_str().to_owned()),
            name: user.name.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            role: user.role.name(),
            status: user.status.name(),
            department: user.department.as_ref().map(DepartmentRefView::new),
            phone: user.phone,
            address: user.address,
            avatar_url: user.avatar_url,
            timezone: user.timezone,
            locale: user.locale,
            join_date: user.join_date.map(day),
            leave_date: user.leave_date.map(day),
            default_shift_id: user.default_shift.map(|shift: ShiftId| shift.to_string()),
            last_login_at: user.last_login_at.map(utc),
            created_at: utc(user.created_at),
            updated_at: utc(user.updated_at),
            version: user.revision.0,
            settings: SettingsView::new(user.preferences),
            face,
        }
    }
}

impl DepartmentRefView {
    pub(crate) fn new(department: &DepartmentRef) -> Self {
        Self { id: department.id.to_string(), name: department.name.as_str().to_owned() }
    }
}

impl SettingsView {
    fn new(preferences: Preferences) -> Self {
        let Preferences { theme, notifications, language } = preferences;
        Self { theme: theme.name(), notifications, language }
    }
}

impl FaceView {
    fn new(api: &Api, profile: &Profile) -> Self {
        let (face, min_required) = (&profile.face, api.options.min_faces);
        let (status, version, at) = match &profile.user.consent {
            Consent::Missing => ("missing", None, None),
            Consent::Given { version, at } => ("given", Some(version.as_str().to_owned()), Some(*at)),
            Consent::Withdrawn { at } => ("withdrawn", None, Some(*at)),
        };
        Self {
            status: profile.user.face_status(face, min_required).name(),
            encodings: face.current,
            min_required,
            model_id: api.usecases.faces.gallery().model().map(|model| model.to_string()),
            last_enrolled_at: face.last_enrolled_at.map(utc),
            consent: ConsentView { status, version, at: at.map(utc) },
        }
    }
}

/// An instant as RFC 3339, to the microsecond at most.
pub(crate) fn utc(at: Timestamp) -> String {
    at.round(Unit::Microsecond).unwrap_or(at).to_string()
}

/// A date as RFC 3339.
pub(crate) fn day(date: Date) -> String {
    date.to_string()
}
