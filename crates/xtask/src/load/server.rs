//! A release server of our own, with nothing in it but one administrator.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use super::client::Client;
use crate::setup::Machine;
use crate::shell::{self, Root};

const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Server {
    pub(super) url: String,
    pub(super) email: String,
    pub(super) password: String,
    pub(super) ready_after: Duration,
    process: Child,
    folder: TempDir,
}

impl Server {
    pub(super) fn start(root: &Root, machine: &Machine) -> Result<Self> {
        let folder =
            TempDir::with_prefix_in("load-", root.own("")?).context("cannot write into .rollcall/")?;
        // The server finds its models, and not a developer's `.env`, in its working directory.
        std::os::unix::fs::symlink(root.join("models"), folder.path().join("models"))?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let (email, password) = ("load@example.org".to_owned(), random_password()?);
        let rollcall = || isolated(machine, &folder, port);

        let mut create = rollcall()?;
        create.args(["admin", "create", "--email", &email, "--name", "Load", "--password-stdin"]);
        feed(&mut create, &password).context("cannot create the administrator")?;

        let log = File::create(log_of(&folder))?;
        let began = Instant::now();
        let process = rollcall()?
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start the server")?;
        let url = format!("http://127.0.0.1:{port}");
        let mut server = Self { url, email, password, ready_after: Duration::ZERO, process, folder };
        server.wait(began)?;
        server.ready_after = began.elapsed();
        Ok(server)
    }

    fn wait(&mut self, began: Instant) -> Result<()> {
        let client = Client::new(&self.url)?;
        while !matches!(client.health(), Ok(Ok(()))) {
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended at once ({status}):\n{}", self.last_words());
            }
            if began.elapsed() > PATIENCE {
                bail!("the server is not ready after {PATIENCE:?}:\n{}", self.last_words());
            }
            sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Resident now and at most.
    pub(super) fn memory(&self) -> String {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let megabytes = |key| {
            kilobytes(&status, key)
                .map_or_else(|| "unknown".to_owned(), |kilobytes| format!("{} MiB", kilobytes / 1024))
        };
        format!("VmRSS {}, at most {}", megabytes("VmRSS:"), megabytes("VmHWM:"))
    }

    pub(super) fn last_words(&self) -> String {
        let log = std::fs::read_to_string(log_of(&self.folder)).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

impl Drop for Server {
    /// Asks first: an orderly end is part of what is exercised.
    fn drop(&mut self) {
        shell::terminate(self.process.id());
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(10) {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        shell::say("the server did not end within 10 s and was killed");
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn log_of(folder: &TempDir) -> PathBuf {
    folder.path().join("server.log")
}

/// `rollcall` with a fresh data folder and none of the developer's own settings.
fn isolated(machine: &Machine, folder: &TempDir, port: u16) -> Result<Command> {
    let mut command = Command::new(machine.server()?);
    command.current_dir(folder.path()).env_clear();
    for kept in ["PATH", "HOME", "LD_LIBRARY_PATH", "RUST_LOG", "RUST_BACKTRACE"] {
        command.envs(std::env::var_os(kept).map(|value| (kept, value)));
    }
    command
        .env("ORT_DYLIB_PATH", &machine.runtime.library)
        .env("DATA_DIR", folder.path().join("data"))
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string());
    machine.tell_pack(&mut command);
    Ok(command)
}

fn feed(command: &mut Command, line: &str) -> Result<()> {
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    // Dropped at the end of the statement, which is the end of the input.
    let written =
        process.stdin.take().context("no standard input")?.write_all(format!("{line}\n").as_bytes());
    let status = process.wait()?;
    if !status.success() {
        bail!("`rollcall admin create` failed ({status})");
    }
    written.context("the password was not read")
}

fn random_password() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let mut password = String::new();
    for byte in bytes {
        write!(password, "{byte:02x}")?;
    }
    Ok(password)
}

/// A value of `/proc/PID/status`.
fn kilobytes(status: &str, key: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_suffix("kB")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_off_the_status_of_a_process() {
        let status = "Name:\trollcall\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\nThreads:\t9\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(102_400));
        assert_eq!(kilobytes(status, "VmHWM:"), Some(204_800));
        assert_eq!(kilobytes(status, "Threads:"), None);
    }

    #[test]
    fn passwords_differ() {
        let first = random_password().unwrap();
        assert_eq!(first.len(), 32);
        assert_ne!(first, random_password().unwrap());
    }
}
