//! `rollcall openapi`

use crate::console::print;

/// Prints the REST contract.
pub(crate) fn run() -> anyhow::Result<()> {
    print(rollcall_http::openapi_json().trim_end());
    Ok(())
}
