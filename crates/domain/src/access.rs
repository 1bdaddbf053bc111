//! Who may do what: the whole access table.

use crate::id::{DepartmentId, DeviceId, SessionId, UserId};

crate::words! {
    /// What a principal is in the system.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Role {
        /// Runs the installation.
        Admin = "admin",
        /// Answers for the departments they manage.
        Manager = "manager",
        /// Answers for themself.
        Employee = "employee",
        /// A kiosk or camera: sees faces, never lists people.
        Device = "device",
    }
}

impl Role {
    /// The roles a person can have.
    pub const OF_PEOPLE: [Self; 3] = [Self::Admin, Self::Manager, Self::Employee];
}

/// Who is asking, as of this request: role and scope are read afresh each time, never from a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A logged-in person.
    Person {
        /// Who.
        id: UserId,
        /// Their role now.
        role: Role,
        /// The departments they manage; empty for anybody but a manager.
        manages: Vec<DepartmentId>,
        /// The login they came through.
        session: SessionId,
    },
    /// A kiosk or camera.
    Device {
        /// Which.
        id: DeviceId,
        /// Whether it may enroll faces.
        may_enroll: bool,
    },
    /// The operator at the command line of the machine itself.
    Operator,
}

impl Actor {
    /// The role that the access table reads.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::Person { role, .. } => *role,
            Self::Device { .. } => Role::Device,
            Self::Operator => Role::Admin,
        }
    }

    /// The person, if it is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Person { id, .. } => Some(*id),
            Self::Device { .. } | Self::Operator => None,
        }
    }

    /// The kiosk, if it is one.
    #[must_use]
    pub const fn device(&self) -> Option<DeviceId> {
        match self {
            Self::Device { id, .. } => Some(*id),
            Self::Person { .. } | Self::Operator => None,
        }
    }

    /// The departments a manager answers for.
    #[must_use]
    pub fn manages(&self) -> &[DepartmentId] {
        match self {
            Self::Person { manages, .. } => manages,
            Self::Device { .. } | Self::Operator => &[],
        }
    }

    /// Whether this is that person.
    #[must_use]
    pub fn is(&self, user: UserId) -> bool {
        self.user() == Some(user)
    }
}

/// What somebody may want to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// See a list of people.
    ListUsers,
    /// See one person's profile.
    ReadUser,
    /// Add a person.
    CreateUser,
    /// Change a person's profile.
    UpdateUser,
    /// Remove a person.
    DeleteUser,
    /// See the administrators' list of people.
    AdminListUsers,
    /// Activate, deactivate or suspend a person.
    SetUserStatus,
    /// See departments.
    ListDepartments,
    /// Add and change departments.
    ManageDepartments,
    /// Enter a punch.
    MarkAttendance,
    /// See a person's records.
    ReadAttendance,
    /// Be told of changes of them as they happen.
    FollowAttendance,
    /// See who is in today.
    ReadToday,
    /// Say what a day came to, whatever its punches say; judge single punches.
    DecideRecord,
    /// Hand in punches that a device noted while it was on its own.
    SyncAttendance,
    /// Enter many things at once.
    EnterInBulk,
    /// Ask for a day to be corrected.
    RequestCorrection,
    /// See requests for corrections.
    ReadCorrections,
    /// Approve or reject requests for corrections.
    DecideCorrection,
    /// See or export the records of many.
    ReadReport,
    /// See what one asked for and is worked on beside the requests, and what came of it.
    ReadJobs,
    /// Cancel or discard it.
    DiscardJob,
    /// See how things are at a glance.
    ReadDashboard,
    /// See rates, trends and departments compared.
    ReadStatistics,
    /// Work records out anew.
    RecomputeAttendance,
    /// Store a face.
    EnrollFace,
    /// Search a face.
    RecognizeFace,
    /// See the list of a person's templates.
    ReadEncodings,
    /// Delete a template.
    DeleteEncoding,
    /// See the shifts there are.
    ReadShifts,
    /// Add, change and retire shifts.
    ManageShifts,
    /// Ask what is odd about the plan.
    LintPlan,
    /// See who was given which shift.
    ReadAssignments,
    /// Give shifts and take them back.
    ManageAssignments,
    /// See holidays and days off.
    ReadHolidays,
    /// Enter and change holidays and days off.
    ManageHolidays,
    /// See requests for leave.
    ReadLeaves,
    /// Ask for leave, and withdraw what was asked for.
    RequestLeave,
    /// Approve or reject a request for leave.
    DecideLeave,
    /// See which periods are closed.
    ReadClosedPeriods,
    /// Close periods and open them again.
    ManageClosedPeriods,
    /// See who changed what.
    ReadAudit,
    /// See the state of every part of the system.
    ReadHealth,
    /// End one's own login.
    Logout,
    /// Ask whether one's own token is good.
    VerifyToken,
}

impl Action {
    /// Every action there is.
    pub const ALL: [Self; 45] = [
        Self::ListUsers,
        Self::ReadUser,
        Self::CreateUser,
        Self::UpdateUser,
        Self::DeleteUser,
        Self::AdminListUsers,
        Self::SetUserStatus,
        Self::ListDepartments,
        Self::ManageDepartments,
        Self::MarkAttendance,
        Self::ReadAttendance,
        Self::FollowAttendance,
        Self::ReadToday,
        Self::DecideRecord,
        Self::SyncAttendance,
        Self::EnterInBulk,
        Self::RequestCorrection,
        Self::ReadCorrections,
        Self::DecideCorrection,
        Self::ReadReport,
        Self::ReadJobs,
        Self::DiscardJob,
        Self::ReadDashboard,
        Self::ReadStatistics,
        Self::RecomputeAttendance,
        Self::EnrollFace,
        Self::RecognizeFace,
        Self::ReadEncodings,
        Self::DeleteEncoding,
        Self::ReadShifts,
        Self::ManageShifts,
        Self::LintPlan,
        Self::ReadAssignments,
        Self::ManageAssignments,
        Self::ReadHolidays,
        Self::ManageHolidays,
        Self::ReadLeaves,
        Self::RequestLeave,
        Self::DecideLeave,
        Self::ReadClosedPeriods,
        Self::ManageClosedPeriods,
        Self::ReadAudit,
        Self::ReadHealth,
        Self::Logout,
        Self::VerifyToken,
    ];
}

/// On whom an action may be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// On nobody: the action is not for this role.
    Nobody,
    /// On oneself.
    Own,
    /// On oneself and the people of the departments one manages.
    Departments,
    /// On everybody.
    Everybody,
}

/// What an installation leaves to its employees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelfService {
    /// Employees enroll their own face.
    pub enroll: bool,
    /// Employees check themselves in.
    pub check_in: bool,
}

/// The access table: the people on whom `actor` may carry out `action`.
#[must_use]
pub fn scope(actor: &Actor, action: Action, own: SelfService) -> Scope {
    use Action as A;
    use Scope::{Departments, Everybody, Nobody, Own};
    let when = |allowed: bool, scope: Scope| if allowed { scope } else { Nobody };
    let may_enroll = matches!(actor, Actor::Device { may_enroll: true, .. });

    let (admin, manager, employee, device) = match action {
        A::ListUsers | A::ReadUser => (Everybody, Departments, Own, Nobody),
        A::UpdateUser => (Everybody, Own, Own, Nobody),
        A::CreateUser | A::DeleteUser | A::AdminListUsers | A::SetUserStatus => {
            (Everybody, Nobody, Nobody, Nobody)
        }
        A::ListDepartments => (Everybody, Departments, Nobody, Nobody),
        A::ManageDepartments | A::RecomputeAttendance => (Everybody, Nobody, Nobody, Nobody),
        A::MarkAttendance => (Everybody, Departments, when(own.check_in, Own), Nobody),
        A::ReadAttendance
        | A::FollowAttendance
        | A::ReadToday
        | A::ReadReport
        | A::ReadDashboard
        | A::ReadCorrections => (Everybody, Departments, Own, Nobody),
        A::ReadStatistics | A::DecideRecord | A::DecideCorrection => (Everybody, Departments, Nobody, Nobody),
        A::SyncAttendance => (Everybody, Nobody, Nobody, Everybody),
        A::EnterInBulk => (Everybody, Nobody, Nobody, Nobody),
        A::ReadJobs | A::DiscardJob => (Everybody, Own, Own, Nobody),
        A::RequestCorrection => (Own, Own, Own, Nobody),
        A::EnrollFace => (Everybody, Departments, when(own.enroll, Own), when(may_enroll, Everybody)),
        A::RecognizeFace => (Everybody, Everybody, when(own.check_in, Own), Everybody),
        A::ReadEncodings | A::DeleteEncoding => (Everybody, Departments, Own, Nobody),
        A::ReadShifts | A::ReadClosedPeriods => (Everybody, Everybody, Nobody, Nobody),
        A::ManageShifts | A::ManageHolidays | A::ManageClosedPeriods => (Everybody, Nobody, Nobody, Nobody),
        A::ReadAssignments | A::ReadHolidays | A::ReadLeaves | A::RequestLeave => {
            (Everybody, Departments, Own, Nobody)
        }
        A::LintPlan | A::ManageAssignments | A::DecideLeave => (Everybody, Departments, Nobody, Nobody),
        A::ReadAudit | A::ReadHealth => (Everybody, Nobody, Nobody, Nobody),
        A::Logout => (Own, Own, Own, Nobody),
        A::VerifyToken => (Own, Own, Own, Own),
    };
    match actor.role() {
        Role::Admin => admin,
        Role::Manager => manager,
        Role::Employee => employee,
        Role::Device => device,
    }
}

/// The person an action is about, as far as access is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Who.
    pub user: UserId,
    /// Where they belong.
    pub department: Option<DepartmentId>,
}

/// Why an action is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Not for this role, or not on this person though they may be seen.
    #[error("this is not allowed for your role")]
    Forbidden,
    /// The person may not be seen; to be answered like somebody who does not exist.
    #[error("not found")]
    Hidden,
}

fn covers(actor: &Actor, scope: Scope, subject: Subject) -> bool {
    match scope {
        Scope::Nobody => false,
        Scope::Own => actor.is(subject.user),
        Scope::Departments => {
            actor.is(subject.user)
                || subject.department.is_some_and(|department| actor.manages().contains(&department))
        }
        Scope::Everybody => true,
    }
}

/// Whether the action is for the actor's role at all: the check that needs neither body nor database.
///
/// # Errors
/// [`Denied::Forbidden`] if it is not.
pub fn permit(actor: &Actor, action: Action, own: SelfService) -> Result<Scope, Denied> {
    match scope(actor, action, own) {
        Scope::Nobody => Err(Denied::Forbidden),
        scope => Ok(scope),
    }
}

/// Whether `actor` may carry out `action` on `subject`.
///
/// # Errors
/// [`Denied::Forbidden`] when the action is not for the role, or not on this person although the actor may
/// see them; [`Denied::Hidden`] when the actor may not even know that the person exists.
pub fn permit_on(actor: &Actor, action: Action, own: SelfService, subject: Subject) -> Result<(), Denied> {
    let scope_of_action = permit(actor, action, own)?;
    if covers(actor, scope_of_action, subject) {
        return Ok(());
    }
    let visible = covers(actor, scope(actor, Action::ReadUser, own), subject);
    Err(if visible { Denied::Forbidden } else { Denied::Hidden })
}

/// Whether `actor` may judge what `subject` did. Managers are employees as far as they are concerned themselves.
///
/// # Errors
/// As for [`permit_on`]; [`Denied::Forbidden`] to a manager who is the subject.
pub fn permit_to_judge(
    actor: &Actor,
    action: Action,
    own: SelfService,
    subject: Subject,
) -> Result<(), Denied> {
    permit_on(actor, action, own, subject)?;
    let oneself = actor.role() == Role::Manager && actor.is(subject.user);
    if oneself { Err(Denied::Forbidden) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const OWN: SelfService = SelfService { enroll: true, check_in: true };

    fn user(n: u128) -> UserId {
        UserId::new(Uuid::from_u128(n))
    }

    fn department(n: u128) -> DepartmentId {
        DepartmentId::new(Uuid::from_u128(n))
    }

    fn person(n: u128, role: Role, manages: &[u128]) -> Actor {
        Actor::Person {
            id: user(n),
            role,
            manages: manages.iter().map(|n| department(*n)).collect(),
            session: SessionId::new(Uuid::nil()),
        }
    }

    #[test]
    fn a_device_only_sees_faces_and_hands_in_what_it_saw() {
        let device = Actor::Device { id: DeviceId::new(Uuid::nil()), may_enroll: false };
        let allowed: Vec<_> = Action::ALL.into_iter().filter(|a| permit(&device, *a, OWN).is_ok()).collect();
        assert_eq!(allowed, [Action::SyncAttendance, Action::RecognizeFace, Action::VerifyToken]);
    }

    #[test]
    fn actions_on_visible_people_are_forbidden_and_on_others_hidden() {
        let manager = person(1, Role::Manager, &[7]);
        let own = Subject { user: user(2), department: Some(department(7)) };
        let other = Subject { user: user(3), department: Some(department(8)) };
        assert_eq!(permit_on(&manager, Action::ReadUser, OWN, own), Ok(()));
        assert_eq!(permit_on(&manager, Action::UpdateUser, OWN, own), Err(Denied::Forbidden));
        assert_eq!(permit_on(&manager, Action::UpdateUser, OWN, other), Err(Denied::Hidden));
        assert_eq!(permit_on(&manager, Action::DeleteUser, OWN, other), Err(Denied::Forbidden));
    }

    #[test]
    fn employees_serve_themselves_only_where_the_installation_lets_them() {
        let employee = person(1, Role::Employee, &[]);
        for (own, expected) in [(OWN, true), (SelfService { enroll: false, check_in: false }, false)] {
            assert_eq!(permit(&employee, Action::MarkAttendance, own).is_ok(), expected);
            assert_eq!(permit(&employee, Action::EnrollFace, own).is_ok(), expected);
        }
    }

    #[test]
    fn managers_do_not_judge_themselves() {
        let manager = person(1, Role::Manager, &[7]);
        let judge = |n: u128| {
            let subject = Subject { user: user(n), department: Some(department(7)) };
            permit_to_judge(&manager, Action::DecideRecord, OWN, subject)
        };
        assert_eq!((judge(1), judge(2)), (Err(Denied::Forbidden), Ok(())));
        let admin = person(1, Role::Admin, &[]);
        let oneself = Subject { user: user(1), department: None };
        assert_eq!(permit_to_judge(&admin, Action::DecideRecord, OWN, oneself), Ok(()));
    }

    #[test]
    fn people_without_a_department_are_hidden_from_managers() {
        let manager = person(1, Role::Manager, &[]);
        let stray = Subject { user: user(2), department: None };
        assert_eq!(permit_on(&manager, Action::ReadUser, OWN, stray), Err(Denied::Hidden));
    }
}
