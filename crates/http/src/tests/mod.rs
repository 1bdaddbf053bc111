//! The delivery on fakes: requests go in, answers come out; a socket only where that is the point.

mod access;
mod accounts;
mod attendance;
mod envelope;
mod faces;
mod lists;
mod report;
mod socket;
mod strictness;
mod world;
