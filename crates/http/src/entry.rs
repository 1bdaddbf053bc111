//! A row of the URL table: an operation, and what is decided of its requests before its handler sees them.

use actix_web::Route;
use actix_web::http::Method;
use rollcall_domain::access::Action;
use utoipa::openapi::OpenApi;

use crate::accept::Answers;

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Public,
    /// Anybody but kiosks: logging in is for people.
    People,
    /// The same, and a password is hashed.
    Password,
    /// Whoever the access table lets do this.
    May(Action),
    /// The same, and monitors that know the health token.
    MayOrMonitor(Action),
}

/// Whose requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    /// Nobody's.
    No,
    /// Those of one network address, before anything that costs more than counting.
    ByAddress,
    /// Those of one kiosk.
    ByKiosk,
    /// Further in, of whoever it concerns.
    Inside,
}

/// What is told of an operation besides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notes {
    pub(crate) answers: Answers,
    pub(crate) limited: Limited,
    /// Whether the query or the body names somebody who may be absent; a path with a parameter always does.
    pub(crate) names_somebody: bool,
}

/// One operation.
pub(crate) struct Entry {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) notes: Notes,
    pub(crate) handler: fn(Route) -> Route,
    /// What the handler says of itself, in a document of its own.
    pub(crate) described: fn() -> OpenApi,
}

impl Notes {
    /// What is told of most operations with this access.
    pub(crate) const fn of(access: Access) -> Self {
        let answers = if matches!(access, Access::Public) { Answers::Anyone } else { Answers::Json };
        Self { answers, limited: Limited::No, names_somebody: false }
    }

    pub(crate) const fn by_address(self) -> Self {
        Self { limited: Limited::ByAddress, ..self }
    }

    pub(crate) const fn by_kiosk(self) -> Self {
        Self { limited: Limited::ByKiosk, ..self }
    }

    pub(crate) const fn limited_inside(self) -> Self {
        Self { limited: Limited::Inside, ..self }
    }

    pub(crate) const fn files(self) -> Self {
        Self { answers: Answers::JsonOrFile, ..self }
    }

    pub(crate) const fn events(self) -> Self {
        Self { answers: Answers::Events, ..self }
    }

    pub(crate) const fn names_somebody(self) -> Self {
        Self { names_somebody: true, ..self }
    }
}
