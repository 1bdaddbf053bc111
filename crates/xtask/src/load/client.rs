//! One keep-alive HTTP connection to a server on this machine.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use ureq::Agent;
use ureq::http::{Response, Uri};

use super::form::Form;

/// A status, and the body when it is not a success.
pub(crate) type Answer = Result<(), (u16, String)>;

pub(crate) struct Client {
    agent: Agent,
    base: String,
}

impl Client {
    /// Refuses whatever is not this machine.
    pub(crate) fn new(url: &str) -> Result<Self> {
        if !is_loopback(url) {
            bail!("{url} is not a plain HTTP address on loopback, and only such servers are driven");
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // A proxy of the environment would carry the load off this machine.
            .proxy(None)
            .max_idle_connections_per_host(1)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Ok(Self { agent: config.new_agent(), base: url.trim_end_matches('/').to_owned() })
    }

    /// The same server over a connection of its own.
    pub(crate) fn fresh(&self) -> Self {
        Self { agent: self.agent.config().clone().new_agent(), base: self.base.clone() }
    }

    pub(crate) fn health(&self) -> Result<Answer> {
        answer(self.agent.get(self.address("/api/health")).call()?)
    }

    pub(crate) fn login(&self, email: &str, password: &str) -> Result<String> {
        let body = json!({ "email": email, "password": password }).to_string();
        let request = self.agent.post(self.address("/api/auth/login")).content_type("application/json");
        let mut response = request.send(body).with_context(|| {
            format!("nobody answers at {}. Start a server with `cargo xtask run`, or use --start.", self.base)
        })?;
        let text = response.body_mut().read_to_string()?;
        if !response.status().is_success() {
            bail!("cannot log in as {email}: {} {text}", response.status());
        }
        let answer: serde_json::Value =
            serde_json::from_str(&text).context("the login answer is not JSON")?;
        answer["access_token"].as_str().map(str::to_owned).context("the login answer has no access_token")
    }

    pub(crate) fn recognize(&self, token: &str, form: &Form) -> Result<Answer> {
        let request = self
            .agent
            .post(self.address("/api/face/recognize"))
            .header("Authorization", format!("Bearer {token}"))
            .content_type(&form.content_type);
        answer(request.send(&form.body)?)
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// Reads the body to its end in any case: only then can the connection be used again.
fn answer(mut response: Response<ureq::Body>) -> Result<Answer> {
    let status = response.status();
    let body = response.body_mut().read_to_string()?;
    Ok(if status.is_success() { Ok(()) } else { Err((status.as_u16(), body)) })
}

fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let Some(host) = uri.host() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    uri.scheme_str() == Some("http") && here
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_driven() {
        for here in ["http://127.0.0.1:5000", "http://127.9.9.9/", "http://localhost:80", "http://[::1]:5000"]
        {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in [
            "http://192.0.2.1:5000",
            "http://example.org",
            "http://127.0.0.1.example.org",
            "http://localhost.example.org",
            "http://127.0.0.1@example.org/",
            "https://127.0.0.1",
            "127.0.0.1:5000",
            "",
        ] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }
}
