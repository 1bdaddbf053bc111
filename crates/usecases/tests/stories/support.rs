//! A system on fakes, and the people who use it.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use rollcall_domain::access::{Actor, Role};
use rollcall_domain::attendance::PunchKind;
use rollcall_domain::device::Device;
use rollcall_domain::face::{FaceSource, Photo};
use rollcall_domain::id::{DepartmentId, DeviceId, SessionId, UserId};
use rollcall_domain::page::Page;
use rollcall_domain::user::{ConsentVersion, Password, User, UserFilter, UserScope};
use rollcall_ports::Ports;
use rollcall_ports::clock::Clock;
use rollcall_testkit::builders::{
    a_closed_period, a_department, a_device, a_user, an_audit_entry, at, fresh,
};
use rollcall_testkit::photos::shots;
use rollcall_testkit::{Fakes, fake_ports};
use rollcall_usecases::UseCases;
use rollcall_usecases::enroll::{EnrollError, EnrollRequest, Enrollment};
use rollcall_usecases::recognition::{RecognizeError, RecognizeRequest, Recognized};
use rollcall_usecases::rules::Rules;

pub(crate) struct World {
    pub(crate) usecases: UseCases,
    pub(crate) ports: Ports,
    pub(crate) fakes: Fakes,
}

/// A clock that moves whenever somebody looks.
struct SlowClock(Mutex<Timestamp>, SignedDuration);

impl Clock for SlowClock {
    fn now(&self) -> Timestamp {
        let mut next = self.0.lock().unwrap();
        let now = *next;
        *next += self.1;
        now
    }
}

pub(crate) fn world() -> World {
    world_with(|_| {})
}

pub(crate) fn world_with(change: impl FnOnce(&mut Rules)) -> World {
    let (ports, fakes) = fake_ports();
    let door = Device { id: DOOR, ..a_device("Door") };
    at_once(ports.devices.insert(&door)).expect("a kiosk");
    let mut rules = Rules::standard();
    change(&mut rules);
    World { usecases: UseCases::new(&ports, rules), ports, fakes }
}

pub(crate) fn person(user: &User) -> Actor {
    with_role(user.id, Role::Employee, &[])
}

pub(crate) fn admin() -> Actor {
    with_role(UserId::new(fresh()), Role::Admin, &[])
}

pub(crate) fn with_role(id: UserId, role: Role, manages: &[DepartmentId]) -> Actor {
    Actor::Person { id, role, manages: manages.to_vec(), session: SessionId::new(fresh()) }
}

/// The kiosk that every world has.
const DOOR: DeviceId = DeviceId::new(uuid::Uuid::from_u128(0xd00));

pub(crate) fn kiosk() -> Actor {
    Actor::Device { id: DOOR, may_enroll: false }
}

/// What a fake answers; fakes never wait.
fn at_once<T>(answer: impl Future<Output = T>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a fake waits"),
    }
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text.into()).unwrap()
}

pub(crate) fn enrollment(user: UserId, photos: Vec<Photo>) -> EnrollRequest {
    EnrollRequest {
        user,
        photos,
        consent: Some(ConsentVersion::parse("2026-01").unwrap()),
        allow_duplicate: false,
        replace: false,
        reason: None,
        source: FaceSource::Api,
    }
}

pub(crate) fn glance(photo: Photo) -> RecognizeRequest {
    RecognizeRequest { photo, mark: true, kind: PunchKind::Auto, top_k: 1, all_faces: false, location: None }
}

impl World {
    /// Somebody of whom nothing but the name is known.
    pub(crate) async fn add(&self, name: &str) -> User {
        self.add_as(a_user(name)).await
    }

    pub(crate) async fn add_as(&self, user: User) -> User {
        self.ports.users.insert(&user, None).await.unwrap();
        self.ports.users.get(user.id).await.unwrap().unwrap()
    }

    /// Closes everything up to a date.
    pub(crate) async fn close(&self, through: &str) {
        self.usecases.timesheets.catch_up().await.unwrap();
        self.ports.closed_periods.insert(&a_closed_period(through), &an_audit_entry()).await.unwrap();
    }

    /// The same system by a clock of which each look takes some time.
    pub(crate) fn with_slow_clock(&self, from: &str, look: SignedDuration) -> UseCases {
        let clock = Arc::new(SlowClock(Mutex::new(at(from)), look));
        UseCases::new(&Ports { clock, ..self.ports.clone() }, Rules::standard())
    }

    /// A department with a manager of its own.
    pub(crate) async fn department(&self, name: &str) -> (rollcall_domain::department::Department, Actor) {
        let department = a_department(name);
        self.ports.departments.insert(&department).await.unwrap();
        let manager = self.add(&format!("Manager of {name}")).await;
        let actor = with_role(manager.id, Role::Manager, &[department.id]);
        (department, actor)
    }

    pub(crate) async fn enroll(&self, user: &User, photos: Vec<Photo>) -> Result<Enrollment, EnrollError> {
        self.usecases.faces.enroll(&admin(), enrollment(user.id, photos)).await
    }

    /// Somebody whom the kiosk knows.
    pub(crate) async fn known(&self, name: &str) -> User {
        let user = self.add(name).await;
        self.enroll(&user, shots(name, 5)).await.unwrap();
        user
    }

    /// Everybody who is there.
    pub(crate) async fn users(&self) -> Vec<User> {
        let page = Page::new(1, 100).unwrap();
        let all = self.ports.users.list(&UserScope::Everybody, &UserFilter::default(), &[], page).await;
        all.unwrap().items
    }

    pub(crate) async fn recognize(&self, photo: Photo) -> Result<Recognized, RecognizeError> {
        self.usecases.recognition.recognize(&kiosk(), glance(photo)).await
    }
}
