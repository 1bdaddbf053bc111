//! Logins.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rollcall_domain::id::{SessionId, UserId};
use rollcall_domain::session::Session;
use rollcall_domain::user::Status;
use rollcall_ports::sessions::{Principal, Renewal, SessionStore};
use rollcall_ports::store::StoreError;

use super::world::{FakeStores, Login, World};

#[async_trait]
impl SessionStore for FakeStores {
    async fn open(&self, session: &Session) -> Result<(), StoreError> {
        let mut world = self.world()?;
        let person = world.users.get(&session.user).ok_or(StoreError::Missing("user_id"))?;
        if person.token_version != session.version || person.user.status != Status::Active {
            return Err(StoreError::Stale);
        }
        let login =
            Login { session: session.clone(), ended_at: None, used: std::collections::BTreeMap::default() };
        world.sessions.insert(session.id, login);
        Ok(())
    }

    async fn principal(&self, session: SessionId) -> Result<Option<Principal>, StoreError> {
        let world = self.world()?;
        let Some(login) = world.sessions.get(&session) else { return Ok(None) };
        let Some(person) = world.users.get(&login.session.user) else { return Ok(None) };
        let user = &person.user;
        let managed = world.departments.values().filter(|department| department.manager == Some(user.id));
        Ok(Some(Principal {
            user: user.id,
            name: user.name.as_str().into(),
            email: user.email.as_str().into(),
            role: user.role,
            status: user.status,
            token_version: login.session.version,
            manages: managed.map(|department| department.id).collect(),
            ended: login.ended_at.is_some(),
        }))
    }

    async fn renew(
        &self,
        old: &[u8; 32],
        new: &[u8; 32],
        now: Timestamp,
        grace: SignedDuration,
    ) -> Result<Renewal, StoreError> {
        let mut world = self.world()?;
        let knows = |login: &&mut Login| login.session.refresh == Some(*old) || login.used.contains_key(old);
        let Some(login) = world.sessions.values_mut().find(knows) else { return Ok(Renewal::Refused) };
        if login.ended_at.is_some() || now >= login.session.expires_at {
            return Ok(Renewal::Refused);
        }
        if let Some(used_at) = login.used.get(old) {
            if now.duration_since(*used_at) <= grace {
                return Ok(Renewal::Repeated);
            }
            login.ended_at = Some(now);
            return Ok(Renewal::Reused);
        }
        login.used.insert(*old, now);
        login.session.refresh = Some(*new);
        Ok(Renewal::Renewed(login.session.id))
    }

    async fn alive(&self, users: &[UserId], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        let world = self.world()?;
        let alive = |user: &UserId| {
            let own = world.sessions.values().filter(|login| login.session.user == *user);
            own.filter(|login| login.ended_at.is_none() && now < login.session.expires_at).count() as u32
        };
        Ok(users.iter().map(alive).collect())
    }

    async fn end(&self, session: SessionId, at: Timestamp) -> Result<(), StoreError> {
        if let Some(login) = self.world()?.sessions.get_mut(&session) {
            login.ended_at.get_or_insert(at);
        }
        Ok(())
    }

    async fn end_all(&self, user: UserId, at: Timestamp) -> Result<(), StoreError> {
        let mut world = self.world()?;
        world.end_logins(user, None, at);
        if let Some(person) = world.users.get_mut(&user) {
            person.token_version += 1;
        }
        Ok(())
    }
}

impl World {
    /// Ends a person's logins, except perhaps one.
    pub(super) fn end_logins(&mut self, user: UserId, kept: Option<SessionId>, at: Timestamp) {
        let own = self.sessions.values_mut().filter(|login| login.session.user == user);
        own.filter(|login| Some(login.session.id) != kept).for_each(|login| {
            login.ended_at.get_or_insert(at);
        });
    }
}
