//! `cargo xtask run`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;

use anyhow::{Context as _, Result};

use crate::setup::{self, Needs};
use crate::shell::{self, Root};

/// Replaces this process by the server, so that Ctrl-C and SIGTERM reach it and nothing else.
pub(crate) fn run(root: &Root, args: &[OsString]) -> Result<()> {
    let machine = setup::prepare(root, &Needs::serving())?;
    let server = machine.server()?;
    let mut command = root.command(server);
    command.arg("serve").args(args);
    if !machine.runtime.in_default_place {
        command.env("ORT_DYLIB_PATH", &machine.runtime.library);
    }
    machine.tell_pack(&mut command);
    shell::say("serving, by default on http://127.0.0.1:5000 (Ctrl-C stops)");
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", server.display()))
}
