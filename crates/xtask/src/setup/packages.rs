//! Native packages: apt on Debian and Ubuntu, a clear list everywhere else.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell::{self, find_program, run, say, succeeds};

/// What compiling the workspace needs: OpenCV's headers, and libclang to read them.
pub(crate) fn native() -> Result<()> {
    let missing = if on_debian() { missing_on_debian() } else { missing_elsewhere() };
    if missing.is_empty() {
        say("native packages: already installed");
        return Ok(());
    }
    install("native packages", &missing)
}

/// The server the store tests run against.
///
/// Only the server's core package: the full one would start a system-wide server on port 3306.
pub(super) fn mariadb() -> Result<()> {
    if find_program(&["mariadbd"]).is_some() {
        return Ok(());
    }
    install("MariaDB", &["mariadb-server-core", "mariadb-client-core"]).context(
        "the tests need a database server. Install MariaDB, or export \
         TEST_MYSQL_URL=mysql://USER:PASSWORD@HOST:PORT naming a server on which USER may create databases",
    )
}

/// libjpeg's own decoder, whose pixels the reference results come from, and the encoder of the same package.
pub(super) fn djpeg() -> Result<()> {
    if find_program(&["djpeg"]).is_some() && find_program(&["cjpeg"]).is_some() {
        return Ok(());
    }
    install("djpeg", &["libjpeg-turbo-progs"])
        .context("the recognition tests compare with libjpeg's pixels. Install its program djpeg")
}

/// What the TypeScript client is made and run with. Older releases have an older one.
pub(super) fn node() -> Result<()> {
    install("Node.js", &["nodejs", "npm"])
}

/// A Python whose pip works, installing one if there is none.
pub(super) fn python_with_pip() -> Result<&'static str> {
    // The machine's first `python3` may be a private one without pip; the system's is the one apt repairs.
    let candidates = ["python3", "/usr/bin/python3"];
    let working = || candidates.into_iter().find(|python| succeeds(python, &["-m", "pip", "--version"]));
    if let Some(python) = working() {
        return Ok(python);
    }
    install("pip", &["python3-pip"])?;
    working().context("`python3 -m pip` does not work. Install Python 3 with pip.")
}

fn missing_on_debian() -> Vec<&'static str> {
    let mut missing: Vec<_> = ["libopencv-dev", "clang", "libclang-dev"]
        .into_iter()
        .filter(|package| !is_installed(package))
        .collect();
    if !succeeds("pkg-config", &["--version"]) {
        missing.push("pkg-config");
    }
    if !succeeds("c++", &["--version"]) {
        missing.push("g++");
    }
    missing
}

fn missing_elsewhere() -> Vec<&'static str> {
    let present = [
        ("OpenCV 4 with its headers", succeeds("pkg-config", &["--exists", "opencv4"])),
        ("clang with libclang", succeeds("clang", &["--version"])),
        ("pkg-config", succeeds("pkg-config", &["--version"])),
        ("a C++ compiler", succeeds("c++", &["--version"])),
    ];
    present.into_iter().filter(|(_, found)| !found).map(|(what, _)| what).collect()
}

fn on_debian() -> bool {
    find_program(&["apt-get"]).is_some() && find_program(&["dpkg-query"]).is_some()
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f=${Status}", package]);
    shell::output(&mut query).is_ok_and(|status| is_installed_status(&status))
}

/// A removed package is still known, with another status.
fn is_installed_status(status: &str) -> bool {
    status.trim() == "install ok installed"
}

fn install(what: &str, packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if !on_debian() {
        bail!(
            "{what} missing, and this is not Debian or Ubuntu. Install with this system's package manager: {}",
            packages.join(", ")
        );
    }
    let Some(prefix) = privilege() else {
        bail!("{what} missing, and I may not install. Run as root: apt-get install {list}");
    };
    say(format!("{what}: installing {list}"));
    let remedy =
        || format!("cannot install {what}. Try it by hand: apt-get update && apt-get install {list}");
    run(&mut apt(prefix, &["update", "-q"])).with_context(remedy)?;
    // `--no-remove`: never push out, for example, a MySQL server that somebody uses.
    let mut arguments = vec!["install", "-q", "-y", "--no-install-recommends", "--no-remove"];
    arguments.extend(packages);
    run(&mut apt(prefix, &arguments)).with_context(remedy)
}

/// How to become root: not at all, without a question, or by asking the person at the terminal.
fn privilege() -> Option<&'static [&'static str]> {
    if shell::is_root() {
        Some(&[])
    } else if succeeds("sudo", &["-n", "true"]) {
        Some(&["sudo", "-n"])
    } else if shell::is_interactive() && find_program(&["sudo"]).is_some() {
        Some(&["sudo"])
    } else {
        None
    }
}

/// `env` behind the prefix, because sudo clears the environment.
fn apt(prefix: &[&str], arguments: &[&str]) -> Command {
    let words = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], arguments].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_package_is_not_installed() {
        assert!(is_installed_status("install ok installed"));
        assert!(!is_installed_status("deinstall ok config-files"));
        assert!(!is_installed_status(""));
    }

    #[test]
    fn apt_asks_nothing_even_behind_sudo() {
        let command = apt(&["sudo", "-n"], &["update"]);
        assert_eq!(command.get_program(), "sudo");
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments, ["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "update"]);
    }
}
