//! One file per command, each a few lines around a use-case.

pub(crate) mod admin;
pub(crate) mod attendance;
pub(crate) mod backup;
pub(crate) mod demo;
pub(crate) mod device;
pub(crate) mod doctor;
pub(crate) mod enroll;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod migrate;
pub(crate) mod models;
pub(crate) mod openapi;
pub(crate) mod recognize;
pub(crate) mod restore;
