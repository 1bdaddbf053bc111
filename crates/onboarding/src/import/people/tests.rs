use rollcall_ports::legacy::{Cell, ColumnKind, LegacyColumn, LegacyTable};

use super::super::columns::Kind;
use super::*;

const BCRYPT: &str = "$2b$12$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234";

fn source(kind: Kind, columns: &[&str]) -> Source {
    let column = |name: &&str| LegacyColumn { name: (*name).into(), kind: ColumnKind::Text, refers_to: None };
    let mut all = vec![column(&"id")];
    all.extend(columns.iter().map(column));
    let table = LegacyTable { name: kind.name().into(), columns: all, key: Some("id".into()) };
    Source::find(kind, &[table]).unwrap().unwrap()
}

/// A row of these columns, in whatever order they are read.
fn row(source: &Source, values: &[(&str, &str)]) -> LegacyRow {
    let cell = |column: &&LegacyColumn| {
        let value = values.iter().find(|(name, _)| *name == column.name).map(|(_, value)| *value);
        value.map_or(Cell::Null, |value| Cell::Text(value.to_owned()))
    };
    LegacyRow { key: Cell::Text("7".into()), cells: source.columns(&[]).iter().map(cell).collect() }
}

fn read(values: &[(&str, &str)]) -> Result<Candidate, &'static str> {
    let columns: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    let source = source(Kind::Users, &columns);
    let now = "2026-03-02T08:00:00Z".parse().unwrap();
    candidate(&source, &row(&source, values), None, None, (&Namespace::new("old"), &Zone::UTC, now))
}

#[test]
fn a_person_keeps_what_is_known_of_them() {
    let found = read(&[
        ("full_name", " Ada Lovelace "),
        ("email", "Ada@Example.ORG"),
        ("password_hash", BCRYPT),
        ("role", "HR"),
        ("is_active", "1"),
        ("employee_id", "E-7"),
        ("phone", "+44 20 7946 0000"),
        ("address", "12 St James's Square\r\nLondon"),
        ("timezone", "Europe/London"),
        ("join_date", "2020-01-31"),
        ("created_at", "2020-01-30 09:00:00"),
    ])
    .unwrap();
    assert_eq!((&found.doubts[..], &found.left_out[..]), (&[][..], &[][..]));
    let user = found.user;
    assert_eq!((user.name.as_str(), user.email.as_str()), ("Ada Lovelace", "Ada@Example.ORG"));
    assert_eq!((user.role, user.status), (Role::Manager, Status::Active));
    assert_eq!(user.employee_code.unwrap().as_str(), "E-7");
    assert_eq!(user.address.as_deref(), Some("12 St James's Square\r\nLondon"));
    assert_eq!(user.join_date, Some(jiff::civil::date(2020, 1, 31)));
    assert_eq!(user.created_at.to_string(), "2020-01-30T09:00:00Z");
    assert_eq!(found.password.unwrap().as_str(), BCRYPT);
}

#[test]
fn dates_at_which_nobody_can_have_joined_or_left_are_left_out_and_told() {
    let dated = |join: &str, leave: &str| {
        let found = read(&[("full_name", "Ada"), ("join_date", join), ("leave_date", leave)]).unwrap();
        (found.user.join_date, found.user.leave_date, found.left_out.len())
    };
    let (early, late) = (jiff::civil::date(1990, 1, 1), jiff::civil::date(2027, 1, 1));
    assert_eq!(dated("1990-01-01", "2027-01-01"), (Some(early), Some(late), 0));
    assert_eq!(dated("1900-01-01", "2027-01-01"), (None, Some(late), 1));
    assert_eq!(dated("0026-03-02", "9999-12-31"), (None, None, 2));
}

#[test]
fn imported_person_needs_a_name_and_gets_a_placeholder_address() {
    assert_eq!(read(&[("email", "a@example.org")]).unwrap_err(), "has no name");
    assert_eq!(read(&[("name", "a\u{7}b")]).unwrap_err(), "has a name that cannot be shown");
    assert_eq!(read(&[("username", "ada")]).unwrap().user.name.as_str(), "ada");
    assert_eq!(read(&[("first_name", "Ada"), ("last_name", "King")]).unwrap().user.name.as_str(), "Ada King");
    for email in ["", "nobody", "a@b"] {
        let found = read(&[("name", "Ada"), ("email", email), ("password", BCRYPT)]).unwrap();
        assert_eq!(found.doubts, [NO_EMAIL], "{email:?}");
        assert!(found.user.email.as_str().ends_with("@imported.invalid"));
    }
}

#[test]
fn only_bcrypt_goes_on_serving() {
    let doubt = |stored: &str| {
        let (hash, doubt) = password(Some(stored));
        assert_eq!(hash.is_some(), doubt.is_none(), "{stored}");
        doubt
    };
    for version in ["$2a$", "$2b$", "$2y$"] {
        assert_eq!(doubt(&BCRYPT.replace("$2b$", version)), None);
    }
    for werkzeug in ["pbkdf2:sha256:600000$salt$hash", "scrypt:32768:8:1$salt$hash"] {
        assert_eq!(doubt(werkzeug), Some(WERKZEUG));
    }
    let (short, costly) = (&BCRYPT[..59], BCRYPT.replace("$12$", "$31$"));
    for other in
        ["hunter2", "5f4dcc3b5aa765d61d8327deb882cf99", "$argon2id$v=19$m=1", "bp1$2b$04$x", short, &costly]
    {
        assert_eq!(doubt(other), Some(OTHER_HASH), "{other}");
    }
    assert_eq!(password(None).1, Some(NO_PASSWORD));
}

#[test]
fn roles_are_translated_and_unknown_ones_are_the_least() {
    for (word, admin, expected) in [
        (Some("Admin"), None, Some(Role::Admin)),
        (Some("SUPER_ADMIN"), None, Some(Role::Admin)),
        (Some("employee"), Some(true), Some(Role::Admin)),
        (Some("hr"), Some(false), Some(Role::Manager)),
        (Some("team lead"), None, Some(Role::Manager)),
        (Some("Student"), None, Some(Role::Employee)),
        (None, None, Some(Role::Employee)),
        (Some("wizard"), None, None),
        (Some("2"), None, None),
    ] {
        assert_eq!(role(word, admin), expected, "{word:?} {admin:?}");
    }
    assert_eq!(read(&[("name", "Ada"), ("role", "wizard")]).unwrap().user.role, Role::Employee);
}

#[test]
fn the_stricter_of_two_statuses_holds() {
    for (word, switch, expected) in [
        (None, None, Some(Status::Active)),
        (Some("Active"), Some("1"), Some(Status::Active)),
        (Some("active"), Some("0"), Some(Status::Inactive)),
        (Some("suspended"), Some("1"), Some(Status::Suspended)),
        (Some("deleted"), None, Some(Status::Inactive)),
        (Some("pending"), None, Some(Status::Pending)),
        (Some("sabbatical"), None, None),
        (None, Some("perhaps"), None),
    ] {
        let read = switch.and_then(|text| match text {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        });
        assert_eq!(status(word, switch.is_some(), read), expected, "{word:?} {switch:?}");
    }
}

#[test]
fn choices_come_along_and_nonsense_is_left_out() {
    let users = source(Kind::Users, &["name"]);
    let settings =
        source(Kind::UserSettings, &["user_id", "theme", "notifications_enabled", "language", "timezone"]);
    let now = "2026-03-02T08:00:00Z".parse().unwrap();
    let read = |theme, notifications, language, zone| {
        let chosen = row(
            &settings,
            &[
                ("theme", theme),
                ("notifications_enabled", notifications),
                ("language", language),
                ("timezone", zone),
            ],
        );
        let person = row(&users, &[("name", "Ada")]);
        let context = (&Namespace::new("old"), &Zone::UTC, now);
        candidate(&users, &person, Some((&settings, &chosen)), None, context).unwrap()
    };
    let good = read("Dark", "0", "pt_BR", "Asia/Kolkata");
    let expected = Preferences { theme: Theme::Dark, notifications: false, language: "pt-BR".into() };
    assert_eq!((good.user.preferences, good.left_out.len()), (expected, 0));
    assert_eq!(good.user.timezone.as_deref(), Some("Asia/Kolkata"));
    let bad = read("sepia", "perhaps", "English", "IST");
    assert_eq!((bad.user.preferences, bad.left_out.len()), (Preferences::default(), 4));
}
