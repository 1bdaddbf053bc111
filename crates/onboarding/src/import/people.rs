//! A person of an old system as a person of this one: pure, one row at a time.

use jiff::Timestamp;
use rollcall_domain::access::Role;
use rollcall_domain::calendar::{Bounds, Zone};
use rollcall_domain::department::DepartmentRef;
use rollcall_domain::preferences::{Preferences, Theme};
use rollcall_domain::text::{line, passage};
use rollcall_domain::user::{EmailAddress, EmployeeCode, PasswordHash, PersonName, Status, User};
use rollcall_ports::legacy::LegacyRow;

use super::columns::Field;
use super::ids::Namespace;
use super::source::Source;

/// A person to be added, and what about them somebody must decide.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) user: User,
    pub(super) password: Option<PasswordHash>,
    pub(super) doubts: Vec<&'static str>,
    pub(super) left_out: Vec<&'static str>,
}

pub(super) const NO_EMAIL: &str = "has no usable e-mail address: give them one, so that they can log in";
pub(super) const NO_PASSWORD: &str = "has no password: set one";
pub(super) const WERKZEUG: &str =
    "has a password of a kind that cannot be verified here (Werkzeug): reset password";
pub(super) const OTHER_HASH: &str = "has a password of a kind that cannot be verified here: reset password";
pub(super) const UNKNOWN_ROLE: &str = "has a role that is not known here: imported as employee";
pub(super) const UNKNOWN_STATUS: &str = "has a status that is not known here: imported as inactive";
pub(super) const CODE_TAKEN: &str = "has an employee code that is somebody else's: imported without";
pub(super) const NO_DEPARTMENT: &str = "belongs to a department that is not known: imported without";

/// What the rows of a person and of their settings come to.
///
/// # Errors
/// Why they cannot be a person here.
pub(super) fn candidate(
    source: &Source,
    row: &LegacyRow,
    settings: Option<(&Source, &LegacyRow)>,
    department: Option<DepartmentRef>,
    context: (&Namespace, &Zone, Timestamp),
) -> Result<Candidate, &'static str> {
    let (namespace, zone, now) = context;
    let text = |field| source.value(row, field).text();
    let (mut doubts, mut left_out) = (Vec::new(), Vec::new());

    let id = namespace.user(&row.key);
    let parts =
        [text(Field::FirstName), text(Field::LastName)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let named = text(Field::Name).or((!parts.is_empty()).then_some(parts.as_str())).or(text(Field::UserName));
    let name =
        PersonName::parse(named.ok_or("has no name")?).map_err(|_| "has a name that cannot be shown")?;
    let email = match text(Field::Email).map(EmailAddress::parse) {
        Some(Ok(email)) => email,
        Some(Err(_)) | None => {
            doubts.push(NO_EMAIL);
            // A reserved domain (RFC 2606): nobody can ever get mail, or a password, there.
            let text = format!("{}.{}@imported.invalid", id.uuid().simple(), namespace.tag());
            EmailAddress::parse(&text).map_err(|_| "has no e-mail address")?
        }
    };
    let (password, doubt) = password(text(Field::Password));
    doubts.extend(doubt);
    let role = role(text(Field::Role), source.value(row, Field::IsAdmin).switch()).unwrap_or_else(|| {
        doubts.push(UNKNOWN_ROLE);
        Role::Employee
    });
    let status = status(
        text(Field::Status),
        text(Field::IsActive).is_some(),
        source.value(row, Field::IsActive).switch(),
    );
    let status = status.unwrap_or_else(|| {
        doubts.push(UNKNOWN_STATUS);
        Status::Inactive
    });

    let mut some = |field: Field, read: &dyn Fn(&str) -> Option<String>, why: &'static str| {
        let found = text(field)?;
        let read = read(found);
        if read.is_none() {
            left_out.push(why);
        }
        read
    };
    let phone = some(Field::Phone, &|text| line(text, 40).ok(), "a telephone number that cannot be shown");
    let address = some(Field::Address, &|text| passage(text, 300).ok(), "an address that cannot be shown");
    let locale = some(Field::Language, &language, "a language that is no language tag");
    let timezone = some(Field::TimeZone, &zone_name, "a time zone that is not in the IANA database");
    let code = some(
        Field::Code,
        &|text| EmployeeCode::parse(text).ok().map(|code| code.as_str().to_owned()),
        "an employee code that cannot be shown",
    );
    let date = |field| source.value(row, field).date();
    let (mut join_date, mut leave_date) = (date(Field::JoinDate), date(Field::LeaveDate));
    for (field, found) in [(Field::JoinDate, join_date), (Field::LeaveDate, leave_date)] {
        if source.value(row, field).when() != Ok(None) && found.is_none() {
            left_out.push("a date of joining or leaving that is none");
        }
    }

    let bounds = Bounds::of_careers(zone.local(now).date());
    for found in [&mut join_date, &mut leave_date] {
        if found.take_if(|date| bounds.check(*date).is_err()).is_some() {
            left_out.push("a date of joining or leaving that is too long ago or too far ahead");
        }
    }

    let instant = |field| source.value(row, field).instant(zone).filter(|at| *at <= now);
    let (preferences, own_zone) = match settings {
        Some((source, row)) => preferences(source, row, &mut left_out),
        None => (Preferences::default(), None),
    };
    let user = User {
        employee_code: code.and_then(|code| EmployeeCode::parse(&code).ok()),
        role,
        status,
        department,
        phone,
        address,
        timezone: timezone.or(own_zone),
        locale,
        join_date,
        leave_date,
        last_login_at: instant(Field::LastLogin),
        created_at: instant(Field::CreatedAt).unwrap_or(now),
        updated_at: now,
        preferences,
        ..User::new(id, name, email, now)
    };
    Ok(Candidate { user, password, doubts, left_out })
}

/// A plain bcrypt hash goes on serving; of other kinds nothing is kept.
fn password(stored: Option<&str>) -> (Option<PasswordHash>, Option<&'static str>) {
    let Some(stored) = stored else { return (None, Some(NO_PASSWORD)) };
    if is_bcrypt(stored) {
        (Some(PasswordHash::from_stored(stored.to_owned())), None)
    } else if stored.starts_with("pbkdf2:") || stored.starts_with("scrypt:") {
        (None, Some(WERKZEUG))
    } else {
        (None, Some(OTHER_HASH))
    }
}

/// `$2b$12$` and 53 characters; beyond a cost of 16 one login would take a worker for many seconds.
fn is_bcrypt(stored: &str) -> bool {
    let cost =
        ["$2a$", "$2b$", "$2y$"].iter().find_map(|version| stored.strip_prefix(version)).and_then(|rest| {
            let (cost, rest) = rest.split_once('$')?;
            let sound = rest.len() == 53
                && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/'));
            (sound && cost.len() == 2).then(|| cost.parse::<u32>().ok())?
        });
    cost.is_some_and(|cost| (4..=16).contains(&cost))
}

/// `None` for a word that is not known.
fn role(word: Option<&str>, is_admin: Option<bool>) -> Option<Role> {
    if is_admin == Some(true) {
        return Some(Role::Admin);
    }
    let Some(word) = word else { return Some(Role::Employee) };
    match plain(word).as_str() {
        "admin" | "administrator" | "superadmin" | "superuser" | "root" | "owner" => Some(Role::Admin),
        "manager" | "hr" | "humanresources" | "hrmanager" | "supervisor" | "teamlead" | "lead"
        | "teacher" | "faculty" | "instructor" | "hod" => Some(Role::Manager),
        "employee" | "user" | "student" | "staff" | "member" | "worker" | "intern" | "regular" => {
            Some(Role::Employee)
        }
        _ => None,
    }
}

/// The stricter of the two columns; `None` for a word that is not known.
fn status(word: Option<&str>, switch_given: bool, switch: Option<bool>) -> Option<Status> {
    let by_word = match word.map(plain).as_deref() {
        None | Some("active" | "enabled" | "1" | "true" | "approved" | "verified") => Some(Status::Active),
        Some(
            "inactive" | "disabled" | "deactivated" | "0" | "false" | "deleted" | "removed" | "archived"
            | "terminated" | "resigned" | "left",
        ) => Some(Status::Inactive),
        Some("suspended" | "blocked" | "banned" | "locked") => Some(Status::Suspended),
        Some("pending" | "unverified" | "invited" | "new") => Some(Status::Pending),
        Some(_) => None,
    };
    match (by_word, switch) {
        (Some(Status::Active), Some(false)) => Some(Status::Inactive),
        (Some(Status::Active), None) if switch_given => None,
        (other, _) => other,
    }
}

/// Small letters and digits only.
pub(super) fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect()
}

fn zone_name(text: &str) -> Option<String> {
    Zone::named(text).ok().map(|zone| zone.name().to_owned())
}

/// `en_US` as the tag `en-US`; `English` is no tag although it has the form of one.
fn language(text: &str) -> Option<String> {
    let tag = text.replace('_', "-");
    let is_short = tag.split('-').next().is_some_and(|first| (2..=3).contains(&first.len()));
    (is_short && rollcall_domain::preferences::is_language_tag(&tag)).then_some(tag)
}

/// A person's own choices, and their time zone if they chose one.
fn preferences(
    source: &Source,
    row: &LegacyRow,
    left_out: &mut Vec<&'static str>,
) -> (Preferences, Option<String>) {
    let standard = Preferences::default();
    let value = |field| source.value(row, field);
    let mut chosen = |field: Field, read: &dyn Fn() -> Option<String>, why: &'static str| {
        let found = read();
        if found.is_none() && value(field).is_given() {
            left_out.push(why);
        }
        found
    };
    let theme = chosen(
        Field::Theme,
        &|| value(Field::Theme).text().and_then(theme).map(|theme| theme.name().to_owned()),
        "a theme that is not known here",
    );
    let dark = match value(Field::DarkMode).switch() {
        Some(true) => Some(Theme::Dark),
        Some(false) => Some(Theme::Light),
        None => None,
    };
    let tag = chosen(
        Field::Language,
        &|| value(Field::Language).text().and_then(language),
        "a language that is no language tag",
    );
    let zone = chosen(
        Field::TimeZone,
        &|| value(Field::TimeZone).text().and_then(zone_name),
        "a time zone that is not in the IANA database",
    );
    let notifications = value(Field::Notifications).switch();
    if notifications.is_none() && value(Field::Notifications).is_given() {
        left_out.push("a choice about notifications that is neither yes nor no");
    }
    let preferences = Preferences {
        theme: theme.as_deref().and_then(Theme::named).or(dark).unwrap_or(standard.theme),
        notifications: notifications.unwrap_or(standard.notifications),
        language: tag.unwrap_or(standard.language),
    };
    (preferences, zone)
}

fn theme(word: &str) -> Option<Theme> {
    match plain(word).as_str() {
        "dark" | "darkmode" => Some(Theme::Dark),
        "light" | "lightmode" => Some(Theme::Light),
        "system" | "auto" | "default" => Some(Theme::System),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
