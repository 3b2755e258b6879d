//! What is measured, in which order.
//!
//! Kurir and the bare library take turns against the same network, so that whatever else the machine does meets both.

use crate::bare::Bare;
use crate::figures::{Figures, median};
use crate::kurir::Kurir;
use crate::network::Network;
use crate::{disk, table};
use anyhow::{Context as _, Result};
use std::time::Duration;

/// How much is measured.
pub struct Plan {
    /// Numbers of devices whose memory is looked at, growing.
    memory: &'static [usize],
    /// Devices that are restored.
    restore: usize,
    /// Pairs of devices, and callers of each.
    loads: &'static [(usize, usize)],
    /// How long each load lasts.
    time: Duration,
    /// How often each load and each restore is repeated; the median counts.
    repeats: usize,
}

impl Plan {
    /// The whole table.
    pub fn full() -> Self {
        Self {
            memory: &[1, 10, 50, 100],
            restore: 50,
            loads: &[(1, 1), (1, 8), (1, 64), (10, 1), (10, 8), (10, 64)],
            time: Duration::from_secs(5),
            repeats: 3,
        }
    }

    /// A small form that shows that everything runs.
    pub fn quick() -> Self {
        Self {
            memory: &[1, 3],
            restore: 3,
            loads: &[(1, 1), (3, 8)],
            time: Duration::from_secs(1),
            repeats: 1,
        }
    }
}

/// Everything that was measured.
pub struct Results {
    /// Milliseconds of a plain 16 KiB write with fsync.
    pub disk_ms: f64,
    /// Milliseconds of a lone commit of Kurir's store.
    pub commit_ms: f64,
    /// Bytes of Kurir, and of the bare library, without a device.
    pub idle: (u64, u64),
    /// Memory with devices.
    pub memory: Vec<Memory>,
    /// Restoring devices.
    pub restore: Restore,
    /// Loads.
    pub loads: Vec<Load>,
    /// The most bytes that Kurir, and the bare library, had during the loads.
    pub peak: (u64, u64),
}

/// Resident bytes with so many devices connected.
pub struct Memory {
    pub devices: usize,
    /// Kurir, right after linking.
    pub linked: u64,
    /// Kurir, after a restart.
    pub restarted: u64,
    /// The bare library, right after linking.
    pub bare: u64,
}

/// Milliseconds until so many devices were connected again.
pub struct Restore {
    pub devices: usize,
    pub from_start: f64,
    pub from_listening: f64,
    pub bare: f64,
}

/// One load.
pub struct Load {
    pub devices: usize,
    pub callers: usize,
    pub kurir: Figures,
    pub bare: Figures,
}

/// Measures and prints the table.
pub fn run(plan: &Plan) -> Result<()> {
    let dir = tempfile::tempdir().context("a temporary directory")?;
    let (disk_ms, commit_ms) = (disk::plain(dir.path())?, disk::store(dir.path())?);
    let network = Network::start()?;
    let (loads, peak) = loads(plan, &network)?;
    let network = Network::start()?;
    let mut kurir = Kurir::start(network.addr)?;
    let mut bare = Bare::start(network.addr)?;
    let idle = (kurir.process.resting_bytes()?, bare.process.resting_bytes()?);
    let mut memory = Vec::new();
    let mut restored = None;
    for &devices in plan.memory {
        progress(&format!("memory of {devices} devices"));
        memory.push(remember(&mut kurir, &mut bare, devices)?);
        if devices == plan.restore {
            restored = Some(restore(plan, &mut kurir, &mut bare)?);
        }
    }
    let restore = restored.context("the plan restores a number of devices that it links")?;
    table::print(&Results { disk_ms, commit_ms, idle, memory, restore, loads, peak });
    Ok(())
}

fn loads(plan: &Plan, network: &Network) -> Result<(Vec<Load>, (u64, u64))> {
    let devices = plan.loads.iter().map(|(devices, _)| *devices).max().unwrap_or(0);
    let mut kurir = Kurir::start(network.addr)?;
    let mut bare = Bare::start(network.addr)?;
    kurir.link(devices)?;
    bare.link(devices)?;
    let mut loads = Vec::new();
    for &(devices, callers) in plan.loads {
        progress(&format!("{devices} devices with {callers} callers each"));
        let (mut by_kurir, mut by_bare) = (Vec::new(), Vec::new());
        for _ in 0..plan.repeats {
            by_bare.push(bare.load(devices, callers, plan.time)?);
            bare.process.rest()?;
            by_kurir.push(kurir.load(devices, callers, plan.time)?);
            kurir.process.rest()?;
        }
        let kurir = Figures::median(by_kurir).context("a run")?;
        loads.push(Load { devices, callers, kurir, bare: Figures::median(by_bare).context("a run")? });
    }
    Ok((loads, (kurir.process.peak_bytes()?, bare.process.peak_bytes()?)))
}

fn remember(kurir: &mut Kurir, bare: &mut Bare, devices: usize) -> Result<Memory> {
    kurir.link(devices)?;
    let linked = kurir.process.resting_bytes()?;
    kurir.restart()?;
    let restarted = kurir.process.resting_bytes()?;
    bare.link(devices)?;
    Ok(Memory { devices, linked, restarted, bare: bare.process.resting_bytes()? })
}

fn restore(plan: &Plan, kurir: &mut Kurir, bare: &mut Bare) -> Result<Restore> {
    progress(&format!("restoring {} devices", plan.restore));
    let (mut from_start, mut from_listening, mut by_bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.repeats {
        let restored = kurir.restart()?;
        from_start.push(restored.from_start);
        from_listening.push(restored.from_listening);
        kurir.process.rest()?;
        by_bare.push(bare.restore()?);
        bare.process.rest()?;
    }
    Ok(Restore {
        devices: plan.restore,
        from_start: median(from_start),
        from_listening: median(from_listening),
        bare: median(by_bare),
    })
}

fn progress(what: &str) {
    eprintln!("measuring {what}");
}
