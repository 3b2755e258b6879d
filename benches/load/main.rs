//! A whole Kurir under load: the real program against a simulated network in a process of its own, over HTTP, with the bare
//! protocol library on an in-memory store beside it. Prints one table.
//!
//! `cargo bench --bench load`, `-- --quick` for a small form that shows that everything runs, `-- 10x8` for one
//! load alone. Data goes to `TMPDIR`; `KURIR_BIN` names another build of the program, with feature `sandbox`.

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

use anyhow::{Context as _, Result};
use plan::Plan;

fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let plan = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [network::ROLE] => return network::serve(),
        [bare::ROLE, network] => return bare::serve(network),
        [] => Some(Plan::full()),
        ["--quick"] => Some(Plan::quick()),
        [load] => Plan::one(load),
        _ => None,
    };
    plan::run(&plan.context("usage: cargo bench --bench load [-- --quick | -- 10x8]")?)
}
