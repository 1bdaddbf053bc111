//! Who there is: departments in several time zones, shifts, and people with habits.

use fastrand::Rng;
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Span, Timestamp};
use rollcall_domain::Revision;
use rollcall_domain::access::Role;
use rollcall_domain::calendar::Workdays;
use rollcall_domain::department::{Department, DepartmentName};
use rollcall_domain::device::Device;
use rollcall_domain::id::{DepartmentId, DeviceId, ShiftId, ShiftVersionId, UserId};
use rollcall_domain::leave::{Leave, LeaveKind};
use rollcall_domain::plan::AssignmentTarget;
use rollcall_domain::shift::{Counting, Pairing, Shift};
use rollcall_domain::user::{EmailAddress, EmployeeCode, PersonName, User};
use rollcall_ports::ids::IdSource;

/// Everybody and everything but the punches.
pub(super) struct Cast {
    pub(super) shifts: Vec<Shift>,
    pub(super) departments: Vec<Department>,
    pub(super) kiosks: Vec<Device>,
    pub(super) department_shifts: Vec<(AssignmentTarget, ShiftId)>,
    pub(super) people: Vec<Person>,
    pub(super) managers: Vec<(DepartmentId, UserId)>,
}

/// Somebody with habits.
pub(super) struct Person {
    pub(super) user: User,
    /// Their own shift, if it is not their department's.
    pub(super) shift: Option<ShiftId>,
    pub(super) leaves: Vec<(LeaveKind, Leave)>,
    /// The kiosk at their door.
    pub(super) door: DeviceId,
    pub(super) habits: Habits,
}

/// How somebody comes and goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// How long before the start they mostly come, in minutes.
    pub(super) ahead: f64,
    /// How much that varies, in minutes.
    pub(super) spread: f64,
    /// Chance of being held up on the way.
    pub(super) held_up: f64,
    /// Chance of staying on.
    pub(super) stays_on: f64,
    /// Chance of leaving without a check-out.
    pub(super) forgets: f64,
    /// Chance of not coming at all.
    pub(super) stays_away: f64,
}

/// Name, time zone, share of the people, kind of work.
const DEPARTMENTS: [(&str, Option<&str>, u32, Work); 8] = [
    ("Administration", None, 8, Work::Office),
    ("Engineering", Some("Europe/Berlin"), 18, Work::Flexible),
    ("Logistics", Some("Europe/Berlin"), 14, Work::Shifts),
    ("Production", Some("Europe/Berlin"), 22, Work::Shifts),
    ("Research", Some("Pacific/Auckland"), 8, Work::Office),
    ("Sales", Some("America/New_York"), 12, Work::Office),
    ("Security", Some("Asia/Kolkata"), 4, Work::Nights),
    ("Support", Some("Asia/Kolkata"), 14, Work::Shifts),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// What everybody works.
    Office,
    /// Early, late or at night, each their own.
    Shifts,
    /// At night.
    Nights,
    /// Whenever they like, with breaks.
    Flexible,
}

const FIRST_NAMES: [&str; 40] = [
    "Ada", "Alan", "Amara", "Anil", "Beatriz", "Chen", "Chidi", "Dana", "Elif", "Emil", "Fatima", "Grace",
    "Hana", "Ines", "Ivan", "Jonas", "Kavya", "Kofi", "Lars", "Leila", "Luca", "Maja", "Marek", "Mei",
    "Milo", "Nadia", "Noor", "Olga", "Omar", "Paula", "Priya", "Rosa", "Samir", "Sofia", "Tariq", "Tessa",
    "Umar", "Vera", "Yuki", "Zoe",
];

const LAST_NAMES: [&str; 40] = [
    "Abe", "Adeyemi", "Alvarez", "Bauer", "Becker", "Costa", "Das", "Diaz", "Eriksen", "Fischer", "Garcia",
    "Haddad", "Hansen", "Ito", "Jansen", "Kaur", "Keller", "Kim", "Kowalski", "Larsen", "Lopez", "Mbeki",
    "Moreau", "Nair", "Novak", "Okafor", "Patel", "Petrov", "Rao", "Rossi", "Santos", "Sato", "Schmidt",
    "Silva", "Singh", "Tanaka", "Usman", "Weber", "Yilmaz", "Zhang",
];

impl Cast {
    pub(super) fn new(
        rng: &mut Rng,
        ids: &dyn IdSource,
        count: u32,
        first: Date,
        today: Date,
        now: Timestamp,
    ) -> Self {
        let shifts = shifts(ids);
        let [early, late, night, flexible] = [0, 1, 2, 3].map(|n| shifts[n].id);
        let mut cast = Self {
            shifts,
            departments: Vec::new(),
            kiosks: Vec::new(),
            department_shifts: Vec::new(),
            people: Vec::new(),
            managers: Vec::new(),
        };
        let shares: u32 = DEPARTMENTS.iter().map(|(_, _, share, _)| share).sum();
        let began =
            now.saturating_sub(SignedDuration::from_hours(24 * days_between(first, today))).unwrap_or(now);
        for (name, zone, _, work) in DEPARTMENTS {
            let Ok(parsed) = DepartmentName::parse(name) else { continue };
            let department = Department {
                id: DepartmentId::new(ids.next()),
                name: parsed,
                code: None,
                description: None,
                manager: None,
                parent: None,
                timezone: zone.map(str::to_owned),
                default_shift: None,
                geofences: Vec::new(),
                created_at: began,
                revision: Revision::NEW,
            };
            let target = AssignmentTarget::Department(department.id);
            match work {
                Work::Nights => cast.department_shifts.push((target, night)),
                Work::Flexible => cast.department_shifts.push((target, flexible)),
                Work::Office | Work::Shifts => {}
            }
            cast.kiosks.push(Device {
                id: DeviceId::new(ids.next()),
                name: format!("{name} entrance"),
                may_enroll: false,
                // Nobody knows a key of which this is the fingerprint.
                key: ids.secret(),
                created_at: began,
                revoked_at: None,
            });
            cast.departments.push(department);
        }
        for n in 0..count {
            let mut draw = rng.u32(0..shares);
            let mut place = 0;
            while draw >= DEPARTMENTS[place].2 {
                draw -= DEPARTMENTS[place].2;
                place += 1;
            }
            let shift = (DEPARTMENTS[place].3 == Work::Shifts).then(|| [early, late, night][n as usize % 3]);
            let department = &cast.departments[place];
            let reference = department.reference();
            let door = cast.kiosks[place].id;
            let Some(mut user) = user(rng, ids, n, began) else { continue };
            let leads = !cast.managers.iter().any(|(led, _)| *led == reference.id);
            if leads {
                user.role = Role::Manager;
                cast.managers.push((reference.id, user.id));
            }
            user.department = Some(reference);
            user.join_date = Some(first);
            let length = days_between(first, today);
            if !leads && length > 60 {
                if rng.f64() < 0.12 {
                    user.join_date = Some(first.saturating_add(Span::new().days(rng.i64(1..length - 20))));
                } else if rng.f64() < 0.04 {
                    user.leave_date = Some(first.saturating_add(Span::new().days(rng.i64(20..length))));
                }
            }
            let leaves = leaves(rng, first, today);
            cast.people.push(Person { user, shift, leaves, door, habits: habits(rng) });
        }
        cast
    }
}

fn shifts(ids: &dyn IdSource) -> Vec<Shift> {
    let shift = |name: &str, starts: i8, ends: i8, workdays| {
        let id = ids.next();
        Shift {
            id: ShiftId::new(id),
            version: ShiftVersionId::new(id),
            name: name.to_owned(),
            starts: Time::constant(starts, 0, 0, 0),
            ends: Time::constant(ends, 0, 0, 0),
            workdays,
            ..Shift::standard()
        }
    };
    let weekdays = Workdays::MONDAY_TO_FRIDAY;
    let mut flexible = shift("Flexible", 7, 19, weekdays);
    flexible.counting = Counting {
        pairing: Pairing::EveryPair,
        flexible: Some(SignedDuration::from_hours(8)),
        ..Counting::STANDARD
    };
    vec![
        shift("Early", 6, 14, weekdays),
        shift("Late", 14, 22, weekdays),
        // Monday to Saturday.
        shift("Night", 22, 6, Workdays::from_bits(0b011_1111)),
        flexible,
    ]
}

fn user(rng: &mut Rng, ids: &dyn IdSource, n: u32, at: Timestamp) -> Option<User> {
    let first = FIRST_NAMES[rng.usize(..FIRST_NAMES.len())];
    let last = LAST_NAMES[rng.usize(..LAST_NAMES.len())];
    let name = PersonName::parse(&format!("{first} {last}")).ok()?;
    let address = format!("{first}.{last}.{n}@demo.example").to_lowercase();
    let email = EmailAddress::parse(&address).ok()?;
    let code = EmployeeCode::parse(&format!("D-{n:05}")).ok();
    Some(User { employee_code: code, ..User::new(UserId::new(ids.next()), name, email, at) })
}

fn habits(rng: &mut Rng) -> Habits {
    // A few are often late; most hardly ever.
    let tardy = rng.f64() < 0.12;
    Habits {
        ahead: if tardy { 0.0 } else { 4.0 + 10.0 * rng.f64() },
        spread: 3.0 + 5.0 * rng.f64(),
        held_up: if tardy { 0.2 } else { 0.03 },
        stays_on: 0.05 + 0.25 * rng.f64(),
        forgets: 0.004 + 0.012 * rng.f64(),
        stays_away: 0.005 + 0.015 * rng.f64(),
    }
}

/// Five weeks of vacation and a few sick days a year, none of which overlap.
fn leaves(rng: &mut Rng, first: Date, today: Date) -> Vec<(LeaveKind, Leave)> {
    let mut leaves = Vec::new();
    let mut from = first.saturating_add(Span::new().days(rng.i64(5..60)));
    while from < today {
        let sick = rng.f64() < 0.4;
        let length = if sick { rng.i64(0..3) } else { rng.i64(4..13) };
        let kind = if sick { LeaveKind::Sick } else { LeaveKind::Annual };
        if let Ok(leave) = Leave::new(from, from.saturating_add(Span::new().days(length)), None) {
            leaves.push((kind, leave));
        }
        from = from.saturating_add(Span::new().days(length + rng.i64(25..80)));
    }
    leaves
}

/// Fixed dates that many calendars know.
pub(super) fn holidays(first: Date, today: Date) -> Vec<(&'static str, Date)> {
    let fixed = [("New Year", 1, 1), ("Labor Day", 5, 1), ("Christmas", 12, 25), ("Boxing Day", 12, 26)];
    let years = first.year()..=today.year();
    let dates = years.flat_map(|year| {
        fixed
            .into_iter()
            .filter_map(move |(name, month, day)| Some((name, Date::new(year, month, day).ok()?)))
    });
    dates.filter(|(_, on)| (first..=today).contains(on)).collect()
}

fn days_between(first: Date, last: Date) -> i64 {
    last.since(first).map_or(0, |span| i64::from(span.get_days()))
}
