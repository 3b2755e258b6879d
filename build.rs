//! Builds the dashboard (`web/`) with npm when its output is missing or older than its sources, so that one `cargo`
//! command is enough on a fresh machine. With a fresh output it writes nothing and needs no npm.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

/// What the output is made from, below `web/`.
const SOURCES: [&str; 8] = [
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "svelte.config.js",
    ".npmrc",
];

/// The file that tells when the output was made; the bundler writes it anew each time.
const OUTPUT: &str = "dist/index.html";

/// What npm writes at the end of an installation.
const INSTALLED: &str = "node_modules/.package-lock.json";

/// Oldest Node that the bundler runs on.
const NODE: (u32, u32) = (20, 19);

/// Lines of a failed command that are shown.
const TAIL: usize = 20;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_DASHBOARD").is_none() {
        return ExitCode::SUCCESS;
    }
    for path in SOURCES.iter().chain([&OUTPUT]) {
        println!("cargo::rerun-if-changed=web/{path}");
    }
    match dashboard(Path::new("web")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("cargo::error={why}");
            ExitCode::FAILURE
        }
    }
}

fn dashboard(web: &Path) -> Result<(), String> {
    let sources = newest(web)?;
    if modified(&web.join(OUTPUT)).is_some_and(|output| output >= sources) {
        return Ok(());
    }
    check_node()?;
    let lock = modified(&web.join("package-lock.json"));
    if modified(&web.join(INSTALLED)) < lock {
        npm(web, &["ci", "--no-audit", "--no-fund"])?;
    }
    npm(web, &["run", "build"])?;
    date_output(&web.join(OUTPUT), sources)
}

/// Dates the output like its newest source. With the time of this run it would look to cargo like a change made
/// during the run, and the next build would compile the crate again for nothing.
fn date_output(output: &Path, sources: SystemTime) -> Result<(), String> {
    File::options().append(true).open(output).and_then(|file| file.set_modified(sources)).map_err(|error| {
        format!("the dashboard was built, but `{}` is not usable: {error}", output.display())
    })
}

fn check_node() -> Result<(), String> {
    let (major, minor) = NODE;
    let advice = format!(
        "building the dashboard needs Node.js {major}.{minor} or newer with npm: install it (https://nodejs.org), \
         or build without the dashboard: --no-default-features"
    );
    let output = Command::new("node").arg("--version").output().map_err(|_| advice.clone())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers =
        text.trim().trim_start_matches('v').split('.').map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(is_major), Some(is_minor)) if (is_major, is_minor) >= NODE => Ok(()),
        _ => Err(format!("{advice} (found {})", text.trim())),
    }
}

fn npm(web: &Path, arguments: &[&str]) -> Result<(), String> {
    let command = format!("npm {}", arguments.join(" "));
    let output = Command::new("npm").args(arguments).current_dir(web).output().map_err(|error| {
        format!("`{command}` could not be started ({error}): install npm, or build without the dashboard: --no-default-features")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    for line in &lines[lines.len().saturating_sub(TAIL)..] {
        println!("cargo::error={line}");
    }
    Err(format!("`{command}` failed in web/; to build without the dashboard: --no-default-features"))
}

/// Returns when the youngest source was changed.
fn newest(web: &Path) -> Result<SystemTime, String> {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut open: Vec<PathBuf> = SOURCES.iter().map(|name| web.join(name)).collect();
    while let Some(path) = open.pop() {
        let changed =
            modified(&path).ok_or_else(|| format!("`{}` of the dashboard is missing", path.display()))?;
        newest = newest.max(changed);
        if let Ok(entries) = fs::read_dir(&path) {
            open.extend(entries.flatten().map(|entry| entry.path()));
        }
    }
    Ok(newest)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}
