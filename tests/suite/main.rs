//! Stories told from outside: each has a server, a database and a clock of its own. Matrices close the gaps:
//! every operation × every role, every error code, every arrow between crates.

mod access;
mod admin;
mod architecture;
mod attendance;
mod auth;
mod cli;
mod cli_crash;
mod cli_serve;
mod departments;
mod enrollment;
mod faces;
mod health;
mod history;
mod labeled;
mod limits;
mod matrix;
mod once;
mod openapi;
mod outage;
mod password_rules;
mod portraits;
mod privacy;
mod problems;
mod proxy;
mod redactions;
mod report;
mod scope;
mod statistics;
mod templates;
mod today;
mod two_servers;
mod users;
