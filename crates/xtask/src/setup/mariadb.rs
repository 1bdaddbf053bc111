//! A private MariaDB for the store tests: own data, own port, loopback only, left running between runs.

mod account;

use std::fs::File;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::shell::{self, Root, find_program, say};

/// Crash recovery of a large data folder on a busy machine is the slowest start there is.
const PATIENCE: Duration = Duration::from_secs(120);

/// The tests connect over TCP as root@127.0.0.1; a new data folder may only know root@localhost.
const GRANT: &str = "CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '';\n\
                     GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n";

/// Starts the server unless it answers already; its URL.
pub(super) fn start(root: &Root) -> Result<String> {
    let home = Home::new(root)?;
    if let Some(port) = home.running_port() {
        say(format!("MariaDB: already running on 127.0.0.1:{port}"));
        return Ok(url(port));
    }
    let account = account::choose(&home.0)?;
    if !home.data().is_dir() {
        home.initialize(&account)?;
    }
    std::fs::write(home.init_file(), GRANT)
        .with_context(|| format!("cannot write into {}. Is it owned by another user?", home.0.display()))?;
    account.own(&home.0)?;
    let port = free_port(home.remembered_port())?;
    let server = home.spawn(&account, port)?;
    std::fs::write(home.port_file(), port.to_string())?;
    home.wait(server, port)?;
    say(format!("MariaDB: started on 127.0.0.1:{port} (`cargo xtask db stop` stops it)"));
    Ok(url(port))
}

/// Stops the server and waits until it has ended.
pub(super) fn stop(root: &Root) -> Result<()> {
    let home = Home::new(root)?;
    let Some(pid) = home.running_pid() else {
        say("MariaDB: not running");
        return Ok(());
    };
    shell::terminate(pid);
    let since = Instant::now();
    while home.running_pid().is_some() {
        if since.elapsed() > PATIENCE {
            bail!("MariaDB (process {pid}) does not end. Look at {}", home.log().display());
        }
        sleep(Duration::from_millis(50));
    }
    say("MariaDB: stopped");
    Ok(())
}

/// Stops the server and forgets everything it stored.
pub(super) fn reset(root: &Root) -> Result<()> {
    stop(root)?;
    let home = Home::new(root)?;
    std::fs::remove_dir_all(&home.0)
        .with_context(|| format!("cannot delete {}. Is it owned by another user?", home.0.display()))?;
    say("MariaDB: its data is deleted");
    Ok(())
}

fn url(port: u16) -> String {
    format!("mysql://root@127.0.0.1:{port}")
}

/// `.rollcall/mariadb`
struct Home(PathBuf);

impl Home {
    fn new(root: &Root) -> Result<Self> {
        Ok(Self(root.own("mariadb")?))
    }

    fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    fn log(&self) -> PathBuf {
        self.0.join("server.log")
    }

    fn port_file(&self) -> PathBuf {
        self.0.join("port")
    }

    fn init_file(&self) -> PathBuf {
        self.0.join("grant.sql")
    }

    fn initialize(&self, account: &account::Account) -> Result<()> {
        let installer = find_program(&["mariadb-install-db", "mysql_install_db"])
            .context("mariadb-install-db is missing. Install the whole of MariaDB's server package.")?;
        // It gets its name when it is complete; what an interrupted installation left is in the way.
        let fresh = self.0.join("data.new");
        if fresh.exists() {
            std::fs::remove_dir_all(&fresh).with_context(|| format!("cannot delete {}", fresh.display()))?;
        }
        std::fs::create_dir_all(&fresh)?;
        account.own(&self.0)?;
        say("MariaDB: creating its data folder");
        let mut install = Command::new(installer);
        // `--force`: even where the machine cannot look up its own name.
        install.args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--force",
        ]);
        install.arg(format!("--datadir={}", fresh.display())).args(account.flag());
        shell::output(install.current_dir(&self.0)).context("cannot create MariaDB's data folder")?;
        std::fs::rename(&fresh, self.data()).context("cannot name MariaDB's data folder")
    }

    fn spawn(&self, account: &account::Account, port: u16) -> Result<Child> {
        let server = find_program(&["mariadbd"]).context("mariadbd is missing")?;
        let log = File::options().create(true).append(true).open(self.log())?;
        let data = self.data();
        Command::new(server)
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            // Relative to the data folder: a socket's whole path may have 107 bytes only.
            .args(["--socket=server.sock", "--pid-file=server.pid", "--bind-address=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--init-file={}", self.init_file().display()))
            // Whoever reaches this port is root in there, so files of the machine stay out of its reach.
            .arg(format!("--secure-file-priv={}", data.display()))
            // Tests that lose a database on a power cut lose nothing.
            .args(["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--skip-innodb-doublewrite"])
            // Every test opens its own pool; a readiness check that hangs up is not an attack.
            .args(["--max-connections=500", "--max-connect-errors=4294967295", "--skip-name-resolve"])
            .args(account.flag())
            .current_dir(&data)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for the tests, not for the server that outlives them.
            .process_group(0)
            .spawn()
            .context("cannot start mariadbd")
    }

    fn wait(&self, mut server: Child, port: u16) -> Result<()> {
        let since = Instant::now();
        while !answers(port) {
            if let Some(status) = server.try_wait()? {
                bail!("MariaDB ended at once ({status}). {}", self.advice());
            }
            if since.elapsed() > PATIENCE {
                // It would be in the way of the next attempt.
                drop(server.kill());
                bail!("MariaDB does not answer. {}", self.advice());
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn advice(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().filter(|line| line.contains("[ERROR]")).collect();
        let last = lines[lines.len().saturating_sub(3)..].join("\n");
        format!(
            "Look at {}; `cargo xtask db reset` starts over with an empty one.\n{last}",
            self.log().display()
        )
    }

    fn remembered_port(&self) -> Option<u16> {
        std::fs::read_to_string(self.port_file()).ok()?.trim().parse().ok()
    }

    fn running_port(&self) -> Option<u16> {
        self.running_pid()?;
        self.remembered_port().filter(|port| answers(*port))
    }

    /// The process that serves our data folder: a number in a file may meanwhile belong to somebody else.
    fn running_pid(&self) -> Option<u32> {
        let pid = std::fs::read_to_string(self.data().join("server.pid")).ok()?.trim().parse().ok()?;
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        serves(&String::from_utf8_lossy(&arguments), &self.data()).then_some(pid)
    }
}

/// Whether a command line, its arguments separated by NUL, is that of the server of this data folder.
fn serves(command_line: &str, data: &Path) -> bool {
    command_line.split('\0').any(|argument| argument == format!("--datadir={}", data.display()))
}

/// A server of this family greets first; its greeting starts with a length, a number and version 10.
fn answers(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut connection) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else {
        return false;
    };
    let mut greeting = [0; 5];
    connection.set_read_timeout(Some(Duration::from_secs(2))).is_ok()
        && connection.read_exact(&mut greeting).is_ok()
        && greeting[4] == 10
}

/// The wished port if nobody has it, else any free one.
fn free_port(wish: Option<u16>) -> Result<u16> {
    let listener = wish
        .and_then(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .map_or_else(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), Ok)
        .context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_its_data_folder() {
        let line = "/usr/sbin/mariadbd\0--no-defaults\0--datadir=/w/data\0--port=4000\0";
        assert!(serves(line, Path::new("/w/data")));
        assert!(!serves(line, Path::new("/w/dat")));
        assert!(!serves("vim\0/w/data", Path::new("/w/data")));
    }

    #[test]
    fn a_taken_port_is_replaced_by_another() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_ne!(free_port(Some(port)).unwrap(), port);
    }

    #[test]
    fn the_url_names_no_password() {
        assert_eq!(url(4000), "mysql://root@127.0.0.1:4000");
    }
}
