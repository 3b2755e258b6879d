//! Child processes: what they print, what they cost.

use anyhow::{Context as _, Result, bail};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Processor time within a look at which a process counts as busy, in ticks of 10 ms.
const BUSY_TICKS: u64 = 2;
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// Longest wait for a process to come to rest.
const REST_WITHIN: Duration = Duration::from_secs(30);
/// Longest wait for the end after SIGTERM.
const STOP_WITHIN: Duration = Duration::from_secs(12);

/// A child process with piped input and output. It is killed when it is dropped.
pub struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a program.
    pub fn start(mut command: Command) -> Result<Self> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("starting a process")?;
        let input = child.stdin.take().context("its input")?;
        let output = BufReader::new(child.stdout.take().context("its output")?);
        Ok(Self { child, input, output })
    }

    /// Starts this benchmark once more, in another role.
    pub fn role(arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("finding this program")?);
        command.args(arguments);
        Self::start(command)
    }

    /// Writes a line to its input.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}").context("writing to a process")
    }

    /// Returns its next line.
    pub fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line).context("reading from a process")? == 0 {
            bail!("a process ended: {:?}", self.child.wait());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Returns the rest of its next line that begins with `prefix`.
    pub fn hear_after(&mut self, prefix: &str) -> Result<String> {
        loop {
            if let Some(rest) = self.hear()?.strip_prefix(prefix) {
                return Ok(rest.to_owned());
            }
        }
    }

    /// Waits until it does next to nothing.
    pub fn rest(&self) -> Result<()> {
        let begun = Instant::now();
        let mut before = self.ticks()?;
        while begun.elapsed() < REST_WITHIN {
            std::thread::sleep(LOOK);
            let now = self.ticks()?;
            if now - before < BUSY_TICKS {
                return Ok(());
            }
            before = now;
        }
        bail!("a process did not come to rest within {} s", REST_WITHIN.as_secs())
    }

    /// Returns its resident memory in bytes, once it rests.
    pub fn resting_bytes(&self) -> Result<u64> {
        self.rest()?;
        self.status("VmRSS:")
    }

    /// Returns the part of its resident memory that is not a file's, such as the program's own code, in bytes.
    pub fn own_bytes(&self) -> Result<u64> {
        self.status("RssAnon:")
    }

    /// Returns the most resident memory that it ever had, in bytes.
    pub fn peak_bytes(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// Returns the processor time that it has used.
    pub fn cpu(&self) -> Result<Duration> {
        Ok(Duration::from_millis(self.ticks()? * 10))
    }

    /// Ends it with SIGTERM and waits for it.
    pub fn stop(&mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().context("sending SIGTERM")?;
        let begun = Instant::now();
        while self.child.try_wait().context("waiting for a process")?.is_none() {
            if begun.elapsed() > STOP_WITHIN {
                bail!("a process did not stop within {} s", STOP_WITHIN.as_secs());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn status(&self, field: &str) -> Result<u64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).context("the field is there")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().context("a number of kilobytes")?;
        Ok(kib << 10)
    }

    fn ticks(&self) -> Result<u64> {
        let stat = self.proc("stat")?;
        // The name in parentheses may hold anything; fields 14 and 15 of the line are user and system time.
        let behind_name = stat.rsplit_once(')').context("the name is in parentheses")?.1;
        behind_name.split_whitespace().skip(11).take(2).map(|ticks| Ok(ticks.parse::<u64>()?)).sum()
    }

    fn proc(&self, file: &str) -> Result<String> {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))
            .context("reading about a process")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It fails when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
