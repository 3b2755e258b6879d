//! What is measured, in which order.
//!
//! Kurir and the bare library take turns against the same network, so that whatever else the machine does meets both.

use crate::bare::Bare;
use crate::figures::{Figures, median};
use crate::kurir::Kurir;
use crate::network::Network;
use crate::pace::Load;
use crate::process::Process;
use crate::{disk, table};
use anyhow::{Context as _, Result};
use std::time::Duration;

/// Pause between lone messages: everything is at rest when the next one comes.
const LONE_PAUSE: Duration = Duration::from_millis(50);

/// How much is measured.
pub struct Plan {
    /// Numbers of devices whose memory is looked at, growing.
    memory: &'static [usize],
    /// Devices that are restored.
    restore: usize,
    /// Pairs of devices, and callers of each.
    loads: Vec<(usize, usize)>,
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
            loads: vec![(1, 1), (1, 8), (1, 64), (10, 1), (10, 8), (10, 64)],
            time: Duration::from_secs(5),
            repeats: 3,
        }
    }

    /// A small form that shows that everything runs.
    pub fn quick() -> Self {
        Self {
            memory: &[1, 3],
            restore: 3,
            loads: vec![(1, 1), (3, 8)],
            time: Duration::from_secs(1),
            repeats: 1,
        }
    }

    /// One load alone, for work on what limits it; `load` is devices and callers of each, such as `10x8`.
    pub fn one(load: &str) -> Option<Self> {
        let (devices, callers) = load.split_once('x')?;
        let loads = vec![(devices.parse().ok()?, callers.parse().ok()?)];
        Some(Self { memory: &[], loads, ..Self::full() })
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
    /// The part of it that is not mapped program code.
    pub idle_own: (u64, u64),
    /// Memory with devices.
    pub memory: Vec<Memory>,
    /// Restoring devices.
    pub restore: Option<Restore>,
    /// A message now and then.
    pub lone: Sent,
    /// Loads.
    pub loads: Vec<Sent>,
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

/// What came of one load.
pub struct Sent {
    pub load: Load,
    pub kurir: Figures,
    pub bare: Figures,
    /// Microseconds of processor time per message of Kurir and of the bare library, the receipts included.
    pub cpu_us: (f64, f64),
}

/// Measures and prints the table.
pub fn run(plan: &Plan) -> Result<()> {
    let dir = tempfile::tempdir().context("a temporary directory")?;
    let (disk_ms, commit_ms) = (disk::plain(dir.path())?, disk::store(dir.path())?);
    let network = Network::start()?;
    let Loads { lone, loads, peak } = loads(plan, &network)?;
    let network = Network::start()?;
    let mut kurir = Kurir::start(network.addr)?;
    let mut bare = Bare::start(network.addr)?;
    let idle = (kurir.process.resting_bytes()?, bare.process.resting_bytes()?);
    let idle_own = (kurir.process.own_bytes()?, bare.process.own_bytes()?);
    let mut memory = Vec::new();
    let mut restored = None;
    for &devices in plan.memory {
        progress(&format!("memory of {devices} devices"));
        memory.push(remember(&mut kurir, &mut bare, devices)?);
        if devices == plan.restore {
            restored = Some(restore(plan, &mut kurir, &mut bare)?);
        }
    }
    table::print(&Results {
        disk_ms,
        commit_ms,
        idle,
        idle_own,
        memory,
        restore: restored,
        lone,
        loads,
        peak,
    });
    Ok(())
}

/// What came of all loads, and the most bytes that Kurir and the bare library had meanwhile.
struct Loads {
    lone: Sent,
    loads: Vec<Sent>,
    peak: (u64, u64),
}

fn loads(plan: &Plan, network: &Network) -> Result<Loads> {
    let devices = plan.loads.iter().map(|(devices, _)| *devices).max().unwrap_or(1);
    let mut kurir = Kurir::start(network.addr)?;
    let mut bare = Bare::start(network.addr)?;
    kurir.link(devices)?;
    bare.link(devices)?;
    let mut send = |load| send(plan, load, &kurir, &mut bare);
    let lone = send(Load { devices: 1, callers: 1, time: plan.time, pause: LONE_PAUSE })?;
    let loads = plan
        .loads
        .iter()
        .map(|&(devices, callers)| send(Load { devices, callers, time: plan.time, pause: Duration::ZERO }));
    let loads = loads.collect::<Result<_>>()?;
    Ok(Loads { lone, loads, peak: (kurir.process.peak_bytes()?, bare.process.peak_bytes()?) })
}

/// Lets both send in turns and returns the median of each.
fn send(plan: &Plan, load: Load, kurir: &Kurir, bare: &mut Bare) -> Result<Sent> {
    progress(&format!("{} devices with {} callers each", load.devices, load.callers));
    let (mut by_kurir, mut by_bare) = (Vec::new(), Vec::new());
    let (mut kurir_cpu, mut bare_cpu) = (Vec::new(), Vec::new());
    for _ in 0..plan.repeats {
        let (figures, cpu) = cost(&load, &mut *bare, |bare| &bare.process, |bare| bare.load(&load))?;
        by_bare.push(figures);
        bare_cpu.push(cpu);
        let (figures, cpu) = cost(&load, kurir, |kurir| &kurir.process, |kurir| kurir.load(&load))?;
        by_kurir.push(figures);
        kurir_cpu.push(cpu);
    }
    let kurir = Figures::median(by_kurir).context("a run")?;
    let bare = Figures::median(by_bare).context("a run")?;
    Ok(Sent { load, kurir, bare, cpu_us: (median(kurir_cpu), median(bare_cpu)) })
}

/// Runs a load until its process rests again; returns the processor time per message as well, in microseconds.
fn cost<S>(
    load: &Load,
    mut sender: S,
    process: impl Fn(&S) -> &Process,
    run: impl FnOnce(&mut S) -> Result<Figures>,
) -> Result<(Figures, f64)> {
    let before = process(&sender).cpu()?;
    let figures = run(&mut sender)?;
    process(&sender).rest()?;
    let spent = process(&sender).cpu()? - before;
    Ok((figures, spent.as_secs_f64() * 1e6 / (figures.per_second * load.time.as_secs_f64())))
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
