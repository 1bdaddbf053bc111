//! The program as an operator runs it: a process with arguments, an environment, and exit codes.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::setup::{pack, runtime, temporary_folder};

/// Longest a command may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program in a working folder of its own, with nothing of the machine's environment but the search path.
pub struct Program {
    executable: PathBuf,
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Program {
    /// The program `executable`, knowing where models and ONNX Runtime are.
    ///
    /// # Panics
    /// When models or ONNX Runtime are absent.
    #[must_use]
    pub fn new(executable: impl Into<PathBuf>) -> Self {
        let (folder, (name, models)) = (temporary_folder(), pack());
        Self { executable: executable.into(), folder, environment: Vec::new() }
            .set("MODELS_DIR", &models.display().to_string())
            .set("MODEL_PACK", name)
            .set("ORT_DYLIB_PATH", &runtime().display().to_string())
            .set("BCRYPT_COST", "10")
    }

    /// The same with a setting.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != key);
        self.environment.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Its working folder, where it keeps its data, too.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(arguments).current_dir(self.folder.path()).env_clear().kill_on_drop(true);
        // Where programs and shared libraries are is the machine's business, everything else is the story's.
        let machine = ["PATH", "LD_LIBRARY_PATH"].map(|key| Some((key, crate::environment(key)?)));
        command.envs(machine.into_iter().flatten());
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, "").await
    }

    /// Runs a command to its end with something on standard input.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        self.run_with_bytes(arguments, input.as_bytes()).await
    }

    /// The same with something that is no text.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn run_with_bytes(&self, arguments: &[&str], input: &[u8]) -> Ran {
        self.output(arguments, input).await.into()
    }

    /// Runs a command whose answer is no text.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn run_for_bytes(&self, arguments: &[&str]) -> (Ran, Vec<u8>) {
        let output = self.output(arguments, &[]).await;
        let bytes = output.stdout.clone();
        (output.into(), bytes)
    }

    /// Starts a command, asks it to stop after a while, as a service manager would, and waits for it.
    ///
    /// # Panics
    /// When it does not end in half a minute.
    pub async fn run_and_stop(&self, arguments: &[&str], after: Duration) -> Ran {
        let child = self.command(arguments).spawn().expect("the program can be started");
        tokio::time::sleep(after).await;
        if let Some(pid) = child.id() {
            let asked = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await;
            // It may have ended by itself.
            let _ = asked.expect("kill can be run");
        }
        let output = tokio::time::timeout(Duration::from_secs(30), child.wait_with_output()).await;
        output.expect("the command stops").expect("it can be waited for").into()
    }

    async fn output(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child =
            self.command(arguments).stdin(Stdio::piped()).spawn().expect("the program can be started");
        let mut stdin = child.stdin.take().expect("standard input");
        // A program that does not read its input has ended or will; either is fine.
        drop(stdin.write_all(input).await);
        drop(stdin);
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        output.unwrap_or_else(|_| panic!("{arguments:?} does not end")).expect("the program runs")
    }

    /// Starts a command and ends it without warning after a while, as a power cut would; one that is done by then is
    /// left at that.
    ///
    /// # Panics
    /// When it cannot be started or ended.
    pub async fn run_and_kill(&self, arguments: &[&str], after: Duration) {
        let mut child = self.command(arguments).spawn().expect("the program can be started");
        if tokio::time::timeout(after, child.wait()).await.is_err() {
            child.kill().await.expect("the program can be killed");
        }
    }

    /// Starts `serve` on a port of its own and waits until it is ready.
    ///
    /// # Panics
    /// When it ends instead.
    pub async fn serve(&self) -> Serving {
        let mut child = self.command(&["serve", "--port", "0"]).spawn().expect("the program can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        // Read on, or the program would wait for room in the pipe.
        let mut log = child.stderr.take().expect("standard error");
        let log = tokio::spawn(async move {
            let mut text = Vec::new();
            drop(tokio::io::copy(&mut log, &mut text).await);
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut said = String::new();
        while let Some(line) = lines.next_line().await.expect("standard output can be read") {
            said += &line;
            said.push('\n');
            if let Some((_, url)) = line.split_once("ready on ") {
                let url = url.trim().to_owned();
                return Serving { said, url, child, log, lines };
            }
        }
        panic!("serve ended before it was ready:\n{said}{}", log.await.unwrap_or_default());
    }
}

/// A server process.
pub struct Serving {
    /// What it said on standard output so far.
    pub said: String,
    /// Where it listens.
    pub url: String,
    child: Child,
    log: tokio::task::JoinHandle<String>,
    lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Serving {
    /// Asks it to stop, as a service manager would, and waits for it.
    ///
    /// # Panics
    /// When it does not end in half a minute.
    pub async fn terminate(mut self) -> Ran {
        let pid = self.child.id().expect("the server still runs").to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill can be run");
        assert!(asked.success(), "kill -TERM");
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        let code = ended.expect("the server stops").expect("it can be waited for").code().unwrap_or(-1);
        while let Ok(Some(line)) = self.lines.next_line().await {
            self.said += &line;
            self.said.push('\n');
        }
        Ran { code, out: self.said, err: self.log.await.unwrap_or_default() }
    }
}

impl Serving {
    /// Ends it without warning, as a power cut would.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the server can be killed");
    }
}

impl Ran {
    /// Standard output, if the command succeeded.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn done(&self) -> &str {
        self.ended(0);
        &self.out
    }

    /// Checks the exit code.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    pub fn ended(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    /// Standard output as one JSON value a line.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        self.out.lines().map(parse).collect()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}
