//! People and their credentials.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_domain::id::{SessionId, UserId};
use rollcall_domain::page::{Page, Paged};
use rollcall_domain::user::{PasswordHash, Status, User, UserFilter, UserScope, UserSort};

use crate::store::StoreError;

/// People, each with a revision; the canonical forms of address and employee code are unique among all who
/// are not deleted. Every method fails with a [`StoreError`]; a method's own are named at it.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Adds a person. A stored revision begins at 1, whatever `user` says.
    ///
    /// # Errors
    /// [`StoreError::Taken`]`("email" | "employee_code")`, [`StoreError::Missing`]`("department_id")`.
    async fn insert(&self, user: &User, password: Option<&PasswordHash>) -> Result<(), StoreError>;

    /// As [`Self::insert`] without a password, and with an invitation to choose one.
    ///
    /// # Errors
    /// As for [`Self::insert`].
    async fn insert_invited(&self, user: &User, invitation: &Invitation) -> Result<(), StoreError>;

    /// The person whom an invitation is for, while it can be accepted: not accepted, not expired, and neither did
    /// the person get a password by other means nor was removed.
    async fn invited(&self, invitation: &[u8; 32], now: Timestamp) -> Result<Option<User>, StoreError>;

    /// Gives the person whom an invitation is for this password, if it can be accepted; tells whether it did. Of
    /// several calls at once, one does. Raises the token version.
    async fn accept(
        &self,
        invitation: &[u8; 32],
        now: Timestamp,
        password: &PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Adds `user` only if there is nobody yet, deleted people included; tells whether it did. Of several
    /// callers at once, one does.
    async fn insert_first(&self, user: &User, password: &PasswordHash) -> Result<bool, StoreError>;

    /// The earliest date on which anybody joined, except removed people, that is not before `since`.
    async fn first_joined(&self, since: Date) -> Result<Option<Date>, StoreError>;

    /// The person, deleted or not.
    async fn get(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The people who match, in the order of `sort` and then of their ids. Deleted people only if the filter
    /// includes them. One query for the page, one for the total.
    async fn list(
        &self,
        people: &UserScope,
        filter: &UserFilter,
        sort: &[UserSort],
        page: Page,
    ) -> Result<Paged<User>, StoreError>;

    /// Commits a change of a person and everything it implies, or nothing. The stored revision grows by one, and
    /// so does the token version if password or status change or logins end: a login that was verified before and
    /// is opened after is refused. A deleted person's address and employee code become free; their department's management ends.
    /// If the person's [`rollcall_domain::user::Terms`] change, their records are stale from the first date on that can
    /// follow from it, as after a change of the plan.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the stored revision is no longer `change.user.revision`;
    /// [`StoreError::LastAdmin`] if no active administrator would remain, also when two such changes meet;
    /// [`StoreError::Taken`] and [`StoreError::Missing`] as for [`Self::insert`].
    async fn save(&self, change: UserChange<'_>) -> Result<(), StoreError>;

    /// Erases a person: stores what is left of them, see [`User::erased`], and destroys their password, templates,
    /// logins, failed logins, invitation and searches. Attendance goes, too, or keeps its times and loses words and
    /// places. All of it or nothing.
    ///
    /// # Errors
    /// As for [`Self::save`].
    async fn erase(&self, erasure: Erasure<'_>) -> Result<Erased, StoreError>;

    /// What is needed to check a login with that address (canonical form); nothing for deleted people.
    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError>;

    /// The password hash of a person, if they have one.
    async fn password(&self, id: UserId) -> Result<Option<PasswordHash>, StoreError>;

    /// Replaces the hash that was `verified` by a better one of the same password. Does nothing if another hash is
    /// stored by now: the password was changed meanwhile. Does not touch the revision.
    async fn rehash(
        &self,
        id: UserId,
        verified: &PasswordHash,
        better: &PasswordHash,
    ) -> Result<(), StoreError>;

    /// Notes a login. Does not touch the revision.
    async fn logged_in(&self, id: UserId, at: Timestamp) -> Result<(), StoreError>;

    /// The people who have these employee codes (canonical form), in their order; nobody who was deleted. One query for
    /// some hundred.
    async fn ids_by_code(&self, codes: &[String]) -> Result<Vec<Option<UserId>>, StoreError>;

    /// The same of e-mail addresses.
    async fn ids_by_email(&self, addresses: &[String]) -> Result<Vec<Option<UserId>>, StoreError>;

    /// The people of these ids that there are, removed or not, by id; one query for some hundred.
    async fn get_many(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;
}

/// A change of a person and what it implies.
#[derive(Debug, Clone)]
pub struct UserChange<'a> {
    /// The person as they are to be, with the revision that was read.
    pub user: &'a User,
    /// A new password, if it changes.
    pub password: Option<&'a PasswordHash>,
    /// Which logins end.
    pub logins: Logins,
    /// Whether all templates are destroyed. A change of status, consent or templates gets a new change number,
    /// see [`crate::faces::FaceStore::changes_since`].
    pub destroy_faces: bool,
}

/// Which logins end with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logins {
    /// None.
    Keep,
    /// All of them.
    End,
    /// All but this one.
    EndOthers(SessionId),
}

/// Somebody who is to be erased.
#[derive(Debug, Clone, Copy)]
pub struct Erasure<'a> {
    /// What is to be left of them, with the revision that was read.
    pub user: &'a User,
    /// Fingerprint of the address they had, see [`crate::attempts`].
    pub address: [u8; 32],
    /// Whether attendance is destroyed, too.
    pub attendance: bool,
}

/// What an erasure destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Templates.
    pub encodings: u64,
    /// Logins, ended or not.
    pub logins: u64,
    /// Searches that found them.
    pub searches: u64,
    /// Punches.
    pub punches: u64,
    /// Of all this except punches: what is left.
    pub remaining: u64,
}

/// An invitation to choose a password; kept by fingerprint only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invitation {
    /// Fingerprint of its token.
    pub fingerprint: [u8; 32],
    /// When it can no longer be accepted.
    pub expires_at: Timestamp,
}

/// What is needed to check a login.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Who.
    pub user: UserId,
    /// Their password hash; `None` for somebody who never had a password.
    pub hash: Option<PasswordHash>,
    /// Grows whenever password or status change or logins end; see [`crate::sessions::SessionStore::open`].
    pub token_version: u32,
    /// Whether they take part.
    pub status: Status,
}
