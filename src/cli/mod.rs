//! The command line: what it accepts, and which verb each command is.
//!
//! Commands that change data open the store themselves; while the service runs they are refused with a sentence, because one
//! process owns the store.

mod admin;
mod backup;
mod doctor;
mod routes;

use crate::config::{Config, Flags};
use crate::error::{Context, Error, Result};
use crate::run::{Mode, run, say};
use clap::{Args, Parser, Subcommand};
use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

/// Threads for blocking work at most: scans, password hashes, files. Each costs a stack.
const BLOCKING_THREADS_MAX: usize = 16;
/// Exit code for bad usage or configuration.
const EXIT_USAGE: u8 = 2;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "kurir", version, about = "A WhatsApp gateway in one binary")]
pub struct Arguments {
    #[command(flatten)]
    serve: ServeFlags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct ServeFlags {
    /// Directory for everything that is written [default: data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address to listen on, such as 0.0.0.0:4000; may come more than once
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Vec<String>,
    /// Configuration file [default: kurir.toml in the data directory, if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sandbox builds: simulated network in another process, such as ws://127.0.0.1:7400/ws/chat
    #[arg(long, global = true, value_name = "URL")]
    sandbox_url: Option<String>,
    /// Sandbox builds: where `kurir sandbox` lets the simulated network listen [default: 127.0.0.1:7400]
    #[arg(long, global = true, value_name = "ADDR")]
    sandbox_listen: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and the dashboard (the default)
    Serve,
    /// Serve together with a simulated WhatsApp network (sandbox builds)
    Sandbox,
    /// List every route
    Routes {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// As an OpenAPI document
        #[arg(long, conflicts_with = "json")]
        openapi: bool,
    },
    /// Manage administrators while the service is stopped
    Admin {
        #[command(subcommand)]
        verb: admin::Verb,
    },
    /// Write everything that is needed to start again elsewhere into one archive
    Backup {
        /// Archive to write, such as kurir.tar.gz
        file: PathBuf,
    },
    /// Put an archive of `backup` into an empty data directory
    Restore {
        /// Archive to read
        file: PathBuf,
    },
    /// Check configuration, master key and every stored row
    Doctor,
}

/// Runs what the command line asks for and returns the exit code: 0 done, 1 failed, 2 bad usage or configuration.
pub fn main(arguments: Arguments) -> ExitCode {
    let flags = Flags {
        data_dir: arguments.serve.data_dir,
        listen: arguments.serve.listen,
        config: arguments.serve.config,
        sandbox_url: arguments.serve.sandbox_url,
        sandbox_listen: arguments.serve.sandbox_listen,
    };
    let command = arguments.command.unwrap_or(Command::Serve);
    if let Command::Routes { json, openapi } = command {
        return exit(routes::print(json, openapi), 1);
    }
    let env = |name: &str| std::env::var(name).ok();
    let config = match configured(&flags, env, &command) {
        Ok(config) => config,
        Err(error) => return exit(Err(error), EXIT_USAGE),
    };
    exit(execute(command, config), 1)
}

fn configured(flags: &Flags, env: impl Fn(&str) -> Option<String>, command: &Command) -> Result<Config> {
    let config = Config::load(flags, &env)?;
    crate::start_logging(&config.log)?;
    let ignored = Config::ignored_variables(env);
    if !ignored.is_empty() {
        tracing::info!(variables = %ignored.join(" "), "these variables mean nothing here and are ignored");
    }
    match command {
        Command::Serve => crate::run::check_network(&config, Mode::Serve)?,
        Command::Sandbox => crate::run::check_network(&config, Mode::Sandbox)?,
        _ => {}
    }
    Ok(config)
}

fn execute(command: Command, config: Config) -> Result<()> {
    match command {
        Command::Serve => block_on(run(config, Mode::Serve)),
        Command::Sandbox => block_on(run(config, Mode::Sandbox)),
        Command::Routes { json, openapi } => routes::print(json, openapi),
        Command::Admin { verb } => block_on(admin::run(config, verb)),
        Command::Backup { file } => backup::backup(&config, &file),
        Command::Restore { file } => backup::restore(&config, &file),
        Command::Doctor => doctor::run(&config),
    }
}

fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .context("starting the runtime")?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}

fn exit(result: Result<()>, code: u8) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(code)
        }
    }
}

/// Says on standard error why the program ends; the log may not have been started yet.
fn complain(error: &Error) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "kurir: {error}");
}

/// Reads one line from standard input, for passwords that must not stand in the process list.
fn read_line(prompt: &str) -> Result<String> {
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        say(prompt);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("reading standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
