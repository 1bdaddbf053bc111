//! `rollcall health`

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;

use crate::console::print;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Where the server is.
    #[arg(long, default_value = "http://127.0.0.1:5000")]
    url: String,
}

/// Asks a server whether it is well.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let url = format!("{}/api/health", args.url.trim_end_matches('/'));
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(5)))
        .http_status_as_error(false)
        .build()
        .into();
    let answer = agent.get(&url).call().with_context(|| format!("{url} does not answer"))?;
    if answer.status() != 200 {
        bail!("{url} answers {}", answer.status());
    }
    print("ok");
    Ok(())
}
