//! Flags, configuration, logging, run, exit code. Nothing else.

use clap::Parser as _;
use kurir::cli::{self, Arguments};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(Arguments::parse())
}
