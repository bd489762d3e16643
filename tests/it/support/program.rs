//! The program itself: started with a configuration of its own, watched, signalled, and never left behind.
//!
//! It listens on free ports and says in its first log lines which; nothing here guesses or polls for time. Output is
//! read by a thread, so that the program never waits for the test.

use super::wire::{Talk, soon};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program to its end.
pub(crate) async fn run(arguments: &[&str]) -> Done {
    let output = soon(command(arguments).output()).await.expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_easemob-gateway"));
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    // What the machine has set must not decide a test.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("EASEMOB_")) {
        command.env_remove(name);
    }
    command
}

/// A folder with a configuration.
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn with(text: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("gateway.toml"), text).expect("a file");
        Self { folder }
    }

    /// The configuration's path.
    pub(crate) fn config(&self) -> String {
        self.path("gateway.toml").to_string_lossy().into_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The program, running.
pub(crate) struct Program {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    /// Everything it has said so far.
    pub(crate) said: Vec<String>,
}

impl Program {
    /// Starts a subcommand that stays.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// The same, with these variables in its environment.
    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = command(arguments);
        command.envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (sender, lines) = mpsc::unbounded_channel();
        forward(child.stdout.take().expect("its output"), sender.clone());
        forward(child.stderr.take().expect("its log"), sender);
        Self { child, lines, said: Vec::new() }
    }

    /// Waits for a line that contains this.
    pub(crate) async fn says(&mut self, what: &str) -> String {
        loop {
            let line = soon(self.lines.recv()).await;
            let line =
                line.unwrap_or_else(|| panic!("it never says {what:?}, but:\n{}", self.said.join("\n")));
            self.said.push(line.clone());
            if line.contains(what) {
                return line;
            }
        }
    }

    /// Its next line; `None` when it has ended.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let line = soon(self.lines.recv()).await;
        self.said.extend(line.clone());
        line
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends a signal: `TERM`, `INT`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id();
        let kill = std::process::Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status();
        assert!(kill.expect("a shell").success());
    }

    /// Waits for its end, and reads what it says until then.
    pub(crate) async fn ends(&mut self) -> Option<i32> {
        while let Some(line) = soon(self.lines.recv()).await {
            self.said.push(line);
        }
        soon(self.child.wait()).await.expect("it ends").code()
    }
}

fn forward(from: impl AsyncRead + Unpin + Send + 'static, to: mpsc::UnboundedSender<String>) {
    easemob_gateway::tasks::Tasks::new().spawn("lines", async move {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let _ = to.send(line);
        }
    });
}

/// A gateway that was started with `serve`.
pub(crate) struct Served {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) folder: Folder,
}

impl Served {
    /// Starts it and waits until it says where it listens.
    pub(crate) async fn start(configuration: &str) -> Self {
        Self::start_in(Folder::with(configuration), &[]).await
    }

    /// The same with a configuration that is there already, and these variables in its environment.
    pub(crate) async fn start_in(folder: Folder, variables: &[(&str, &str)]) -> Self {
        let mut program = Program::start_with(&["serve", "--config", &folder.config()], variables);
        let line = program.says("listening on").await;
        let line: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
        let address = |name: &str| line[name].as_str().and_then(first_socket).expect("an address");
        let (address, admin) = (address("listen.address"), address("admin.address"));
        Self { program, address, admin, folder }
    }

    pub(crate) async fn talk(&self) -> Talk {
        Talk::to(self.address).await
    }

    /// Writes this configuration in place of the one before, and asks for it to be read.
    pub(crate) fn reconfigure(&self, configuration: &str) {
        fs::write(self.folder.path("gateway.toml"), configuration).expect("a file");
        self.program.signal("HUP");
    }

    /// What operators see at this path: status and text.
    pub(crate) async fn look(&self, path: &str) -> (u16, String) {
        look(self.admin, path).await
    }
}

/// Of several addresses the first that is no path.
fn first_socket(text: &str) -> Option<SocketAddr> {
    text.split(',').find_map(|address| address.trim_start_matches("tls:").parse().ok())
}

/// One answer of the operators' listener.
pub(crate) async fn look(admin: SocketAddr, path: &str) -> (u16, String) {
    let answer = Talk::to(admin).await.ask(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    (answer.status(), answer.text())
}
