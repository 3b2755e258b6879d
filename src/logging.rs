//! Logs on standard error, as text for people or JSON for machines. What never stands in them: tokens, keys, passwords,
//! QR and pairing codes, message texts, raw URLs.

use crate::config::{Log, LogFormat};
use crate::error::{Error, Result};
use tracing_subscriber::EnvFilter;

/// Starts logging; the first call of the process counts.
pub fn start(log: &Log) -> Result<()> {
    let filter = EnvFilter::try_new(directives(&log.level))
        .map_err(|why| Error::broken(format!("log.level `{}`: {why}", log.level)))?;
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true);
    let started = match log.format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|why| Error::broken(format!("starting the log: {why}")))?;
    std::panic::set_hook(Box::new(|panic| {
        // The place is enough to find the cause; the payload may quote what somebody sent.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    Ok(())
}

/// A bare level is ours; the libraries below speak at most of what goes wrong, because their details name people.
fn directives(level: &str) -> String {
    match level.contains(['=', ',']) {
        true => level.to_owned(),
        false => {
            format!("{},kurir={level},kurir_sandbox={level}", if level == "trace" { "debug" } else { "warn" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::directives;

    #[test]
    fn a_bare_level_is_ours_and_a_filter_is_taken_as_it_is() {
        assert_eq!(directives("info"), "warn,kurir=info,kurir_sandbox=info");
        assert_eq!(directives("kurir=debug,warn"), "kurir=debug,warn");
    }
}
