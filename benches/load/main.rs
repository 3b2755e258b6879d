//! A whole Kurir under load: the real program against a simulated network in a process of its own, over HTTP, with the bare
//! protocol library on an in-memory store beside it. Prints one table.
//!
//! `cargo bench --bench load`, or `-- --quick` for a small form that shows that everything runs. Data goes to `TMPDIR`.

mod bare;
mod disk;
mod figures;
mod http;
mod kurir;
mod network;
mod pace;
mod plan;
mod process;
mod table;

use anyhow::{Result, bail};
use plan::Plan;

fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => plan::run(&Plan::full()),
        ["--quick"] => plan::run(&Plan::quick()),
        [network::ROLE] => network::serve(),
        [bare::ROLE, network] => bare::serve(network),
        _ => bail!("usage: cargo bench --bench load [-- --quick]"),
    }
}
