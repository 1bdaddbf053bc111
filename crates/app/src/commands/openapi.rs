//! `rollcall openapi`

use crate::cli::say;

/// Prints the REST contract.
pub(crate) fn run() -> anyhow::Result<()> {
    say(rollcall_http::openapi_json().trim_end());
    Ok(())
}
