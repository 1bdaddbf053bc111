//! Rollcall for tests: the real program on a real socket with a database of its own, real models, real photos,
//! and a clock that moves only when told.
//!
//! ```no_run
//! # async fn story() {
//! use rollcall_tests::{TestApp, photos};
//!
//! let app = TestApp::start().await;
//! let ada = app.employee("Ada").await;
//! app.admin().await.enroll(&ada.id, &photos::person("Bill_Gates").enroll).await.expect(201);
//! app.clock.set("2026-03-02T09:11:00Z");
//! let answer = app.kiosk().await.recognize(&photos::person("Bill_Gates").probes[0]).await.expect(200);
//! assert_eq!(answer["attendance"]["decision"], "checked_in");
//! # }
//! ```
//!
//! Callers are actors, not headers: [`TestApp::admin`], [`TestApp::manager_of`], [`TestApp::employee`],
//! [`TestApp::kiosk`], [`TestApp::anonymous`]. Nothing is skipped: what needs something that is absent fails and
//! says what to install.

pub mod app;
pub mod client;
pub mod database;
pub mod photos;
pub mod program;
mod serving;
pub mod setup;

pub use app::TestApp;
pub use client::{Client, Following, Response};
pub use database::Db;
pub use program::Program;
pub use setup::Setup;

/// Stamps each story, an `async fn(Db)`, as one test per database.
#[macro_export]
macro_rules! on_both_databases {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $story() {
                super::$story($crate::Db::Sqlite).await;
            })+
        }
        mod on_mysql {
            $(#[tokio::test]
            async fn $story() {
                super::$story($crate::Db::MySql).await;
            })+
        }
    };
}

/// A variable of the environment; the harness stands outside of the program and has no settings to ask.
#[expect(clippy::disallowed_methods, reason = "what a test run needs is told by its environment")]
pub(crate) fn environment(key: &str) -> Option<String> {
    std::env::var(key).ok().filter(|value| !value.is_empty())
}
