//! How fast anybody may ask: token buckets by address and by kiosk, how many passwords of one address are looked at
//! together, and how many streams one person follows. In memory of this process, bounded; what must hold across
//! processes and restarts, the waits after failed logins, is the use-cases' business.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderName, HeaderValue};
use rollcall_domain::id::{DeviceId, UserId};

use crate::problem::{Code, Problem};

/// So many at once, and then so many in a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Most at once.
    pub burst: u32,
    /// How long each takes to be given back.
    pub every: Duration,
}

/// What is limited, and to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests to `/api/auth` by address.
    pub auth: Rate,
    /// Requests of one address whose password is being looked at or waits for it.
    pub passwords_at_once: u32,
    /// Searches by kiosk.
    pub recognize: Rate,
    /// Streams that one person follows.
    pub streams_at_once: u32,
}

impl Default for Limits {
    /// 60 requests to `/api/auth` at once and one a second, 4 passwords at once; 10 searches at once and 5 a second; 10
    /// streams.
    fn default() -> Self {
        Self {
            auth: Rate { burst: 60, every: Duration::from_secs(1) },
            passwords_at_once: 4,
            recognize: Rate { burst: 10, every: Duration::from_millis(200) },
            streams_at_once: 10,
        }
    }
}

/// Keeps the limits; shared by every thread that answers requests.
#[derive(Debug)]
pub struct Limiter(Option<State>);

#[derive(Debug)]
struct State {
    limits: Limits,
    auth: Buckets<IpAddr>,
    recognize: Buckets<DeviceId>,
    passwords: ConcurrencyLimit<IpAddr>,
    streams: ConcurrencyLimit<UserId>,
}

/// How many places are taken, by who takes them.
type InUse<K> = Arc<Mutex<HashMap<K, u32>>>;

/// So many places for everybody.
#[derive(Debug)]
struct ConcurrencyLimit<K: Eq + Hash> {
    most: u32,
    taken: InUse<K>,
}

/// A place that somebody takes, if there is a limit; it is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit<K: Eq + Hash>(Option<(InUse<K>, K)>);

impl Limiter {
    /// Keeps these limits, or none.
    #[must_use]
    pub fn new(limits: Option<Limits>) -> Self {
        Self(limits.map(|limits| State {
            limits,
            auth: Buckets::new(limits.auth),
            recognize: Buckets::new(limits.recognize),
            passwords: ConcurrencyLimit { most: limits.passwords_at_once, taken: Arc::default() },
            streams: ConcurrencyLimit { most: limits.streams_at_once, taken: Arc::default() },
        }))
    }

    /// Counts a request to `/api/auth`.
    pub(crate) fn auth(&self, from: IpAddr) -> Result<(), Problem> {
        let Some(state) = &self.0 else { return Ok(()) };
        state.auth.take(network(from), Instant::now()).map_err(|wait| refused(state.limits.auth, wait))
    }

    /// Counts a search of a kiosk.
    pub(crate) fn recognize(&self, device: DeviceId) -> Result<(), Problem> {
        let Some(state) = &self.0 else { return Ok(()) };
        state.recognize.take(device, Instant::now()).map_err(|wait| refused(state.limits.recognize, wait))
    }

    /// A place in the line before the hashing of passwords. It is short; a few clients must not fill it.
    pub(crate) fn password(&self, from: IpAddr) -> Result<Permit<IpAddr>, Problem> {
        self.0
            .as_ref()
            .map_or(Ok(Permit(None)), |state| state.passwords.take(network(from), Duration::from_secs(1)))
    }

    /// A place among those who follow a stream. Each costs a query a second for as long as it lasts.
    pub(crate) fn stream(&self, user: UserId) -> Result<Permit<UserId>, Problem> {
        self.0.as_ref().map_or(Ok(Permit(None)), |state| state.streams.take(user, Duration::from_secs(30)))
    }
}

impl<K: Copy + Eq + Hash> ConcurrencyLimit<K> {
    /// Takes one, or refuses and says when to try again.
    fn take(&self, key: K, again: Duration) -> Result<Permit<K>, Problem> {
        let mut places = lock(&self.taken);
        let taken = places.entry(key).or_default();
        if *taken >= self.most {
            return Err(refused(Rate { burst: self.most, every: again }, again));
        }
        *taken += 1;
        Ok(Permit(Some((self.taken.clone(), key))))
    }
}

impl<K: Eq + Hash> Drop for Permit<K> {
    fn drop(&mut self) {
        let Some((places, key)) = &self.0 else { return };
        let mut places = lock(places);
        if let Some(taken) = places.get_mut(key) {
            *taken -= 1;
            if *taken == 0 {
                places.remove(key);
            }
        }
    }
}

/// A household or an office has one IPv4 address, but a whole network of IPv6 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The fields of IETF's draft on rate limits beside what HTTP has always had.
fn refused(rate: Rate, wait: Duration) -> Problem {
    let seconds = HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
    Problem::plain(Code::RateLimited)
        .with_header(header::RETRY_AFTER, seconds.clone())
        .with_header(HeaderName::from_static("ratelimit-limit"), HeaderValue::from(rate.burst))
        .with_header(HeaderName::from_static("ratelimit-remaining"), HeaderValue::from(0))
        .with_header(HeaderName::from_static("ratelimit-reset"), seconds)
}

/// Most keys remembered; whoever comes beyond them shares one bucket with everybody else beyond them.
const MOST: usize = 10_000;

/// One bucket for each key, as the instant at which it will be full again.
#[derive(Debug)]
struct Buckets<K> {
    rate: Rate,
    full_at: Mutex<Full<K>>,
}

#[derive(Debug)]
struct Full<K> {
    of: HashMap<K, Instant>,
    of_all_others: Option<Instant>,
    swept: Option<Instant>,
}

impl<K: Eq + Hash> Buckets<K> {
    fn new(rate: Rate) -> Self {
        let full = Full { of: HashMap::new(), of_all_others: None, swept: None };
        Self { rate, full_at: Mutex::new(full) }
    }

    /// Takes one, or says how long to wait for one.
    fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut full = lock(&self.full_at);
        if full.of.len() >= MOST && full.swept.is_none_or(|swept| now >= swept + Duration::from_secs(1)) {
            // A full bucket is as good as none.
            full.of.retain(|_, full_at| *full_at > now);
            full.swept = Some(now);
        }
        let room = full.of.len() < MOST;
        let known = full.of.get(&key).copied();
        let full_at = if known.is_some() || room { known } else { full.of_all_others };
        let begins = full_at.map_or(now, |full_at| full_at.max(now));
        let missing = begins - now;
        let allowed = self.rate.every * self.rate.burst.saturating_sub(1);
        if missing > allowed {
            return Err(missing.saturating_sub(allowed));
        }
        let later = begins + self.rate.every;
        if known.is_some() || room {
            full.of.insert(key, later);
        } else {
            full.of_all_others = Some(later);
        }
        Ok(())
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, every: Duration::from_secs(2) };

    #[test]
    fn a_burst_is_let_through_and_given_back_one_by_one() {
        let (buckets, begin) = (Buckets::new(RATE), Instant::now());
        let take = |seconds: u64| buckets.take("a", begin + Duration::from_secs(seconds));
        assert_eq!([take(0), take(0), take(0)], [Ok(()); 3]);
        assert_eq!(take(0), Err(Duration::from_secs(2)));
        assert_eq!(take(1), Err(Duration::from_secs(1)));
        assert_eq!([take(2), take(2)], [Ok(()), Err(Duration::from_secs(2))]);
        assert_eq!(buckets.take("b", begin), Ok(()), "others are not affected");
        assert_eq!([take(100), take(100), take(100)], [Ok(()); 3], "no more than the burst is saved up");
        assert!(take(100).is_err());
    }

    #[test]
    fn the_table_is_bounded_and_known_keys_keep_their_bucket() {
        let (buckets, begin) = (Buckets::new(RATE), Instant::now());
        for key in 0..MOST {
            buckets.take(key, begin).unwrap();
        }
        // Strangers share one bucket.
        for key in 0..3 {
            buckets.take(MOST + key, begin).unwrap();
        }
        assert!(buckets.take(MOST + 3, begin).is_err());
        assert_eq!(lock(&buckets.full_at).of.len(), MOST);
        assert_eq!(buckets.take(7, begin), Ok(()));
        // As soon as buckets are full again there is room.
        let later = begin + Duration::from_secs(10);
        assert_eq!(buckets.take(MOST + 3, later), Ok(()));
        assert_eq!(lock(&buckets.full_at).of.len(), 1);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let parse = |text: &str| network(text.parse().unwrap());
        assert_eq!(parse("2001:db8:1:2::1"), parse("2001:db8:1:2:ffff::9"));
        assert_ne!(parse("2001:db8:1:2::1"), parse("2001:db8:1:3::1"));
        assert_eq!(parse("::ffff:192.0.2.1"), parse("192.0.2.1"));
        assert_ne!(parse("192.0.2.1"), parse("192.0.2.2"));
    }

    #[test]
    fn password_places_of_the_limiter_are_released() {
        let limiter = Limiter::new(Some(Limits { passwords_at_once: 2, ..Limits::default() }));
        let (one, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let first = limiter.password(one).unwrap();
        let second = limiter.password(one).unwrap();
        assert_eq!(limiter.password(one).unwrap_err().code(), Code::RateLimited);
        drop(limiter.password(other).unwrap());
        drop((first, second));
        drop(limiter.password(one).unwrap());
        let state = limiter.0.unwrap();
        assert!(lock(&state.passwords.taken).is_empty());
    }

    #[test]
    fn without_limits_nobody_waits() {
        let limiter = Limiter::new(None);
        let places: Vec<_> = (0..1_000).map(|_| limiter.password([127, 0, 0, 1].into()).unwrap()).collect();
        assert_eq!(places.len(), 1_000);
        assert!((0..1_000).all(|_| limiter.auth([127, 0, 0, 1].into()).is_ok()));
    }
}
