//! Health for monitors: two documented shapes, without credential, never counted.

use super::envelope::Plain;
use super::reply::{Outcome, json_response};
use super::request::Request;
use super::route::{Access, Route, Surface, get};
use crate::clock::{iso_ms, iso_s};
use crate::error::Result;
use crate::gateway::{Gateway, Health};
use crate::words::Lang;
use schemars::JsonSchema;
use serde::Serialize;

const MINUTE_MS: i64 = 60_000;

/// Returns the rows.
pub(super) fn surface() -> Surface {
    let routes = vec![
        probe::<ShortHealth>(get("/api/health", short)).summary("Whether the service works"),
        probe::<LongHealth>(get("/health", long)).summary("Whether the service works, with figures"),
        probe::<LongHealth>(get("/api/whatsapp/health", long))
            .summary("The same under the base path of the rest family"),
    ];
    Surface { family: "health", prefix: "", lang: Lang::En, envelope: &Plain, routes, open: false }
}

fn probe<T: JsonSchema>(route: Route) -> Route {
    route.access(Access::Public).uncounted().quiet().gives::<T>().raw("application/json")
}

async fn short(gateway: Gateway, _: Request) -> Result<Outcome> {
    let health = gateway.health().await;
    let (status, message) = match health.database_ok {
        // The words of the contract's example.
        true => ("OK", "WhatsApp Service Backend is running"),
        false => ("ERROR", "The database cannot be written"),
    };
    let body = ShortHealth { status, message, timestamp: iso_ms(gateway.clock().now()) };
    Ok(Outcome::raw(json_response(code(&health), &body)?))
}

async fn long(gateway: Gateway, _: Request) -> Result<Outcome> {
    let health = gateway.health().await;
    let body = LongHealth::of(&health, gateway.clock().now());
    Ok(Outcome::raw(json_response(code(&health), &body)?))
}

fn code(health: &Health) -> u16 {
    if health.database_ok { 200 } else { 503 }
}

/// `GET /api/health`.
#[derive(Serialize, JsonSchema)]
struct ShortHealth {
    /// `OK` or `ERROR`.
    status: &'static str,
    message: &'static str,
    /// UTC with milliseconds.
    timestamp: String,
}

/// `GET /health`.
#[derive(Serialize, JsonSchema)]
struct LongHealth {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    /// UTC with seconds.
    timestamp: String,
    version: &'static str,
    /// Whole hours and minutes since the start, such as `24h 30m`.
    uptime: String,
    services: Services,
    statistics: Statistics,
}

#[derive(Serialize, JsonSchema)]
struct Services {
    /// `connected` or `disconnected`.
    database: &'static str,
    /// Always `not_used`: the database is embedded and there is no second store.
    redis: &'static str,
    /// `active`: the live channel is part of this process and lives as long as it answers.
    websocket: &'static str,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Statistics {
    active_devices: u64,
    total_messages: u64,
    /// Messages sent and received in the last five minutes, divided by five.
    messages_per_minute: f64,
}

impl LongHealth {
    fn of(health: &Health, now: i64) -> Self {
        let minutes = (now - health.started_at).max(0) / MINUTE_MS;
        Self {
            status: if health.database_ok { "healthy" } else { "unhealthy" },
            timestamp: iso_s(now),
            version: env!("CARGO_PKG_VERSION"),
            uptime: format!("{}h {}m", minutes / 60, minutes % 60),
            services: Services {
                database: if health.database_ok { "connected" } else { "disconnected" },
                redis: "not_used",
                websocket: "active",
            },
            statistics: Statistics {
                active_devices: health.active_devices,
                total_messages: health.total_messages,
                messages_per_minute: (health.messages_last_5_min as f64 * 2.0).round() / 10.0,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_long_form_is_as_documented() {
        let health = Health {
            database_ok: true,
            active_devices: 3,
            total_messages: 1200,
            messages_last_5_min: 7,
            started_at: 0,
        };
        let body = serde_json::to_value(LongHealth::of(&health, (24 * 60 + 30) * MINUTE_MS)).expect("JSON");
        let wanted = json!({
            "status": "healthy", "timestamp": "1970-01-02T00:30:00Z", "version": env!("CARGO_PKG_VERSION"),
            "uptime": "24h 30m",
            "services": {"database": "connected", "redis": "not_used", "websocket": "active"},
            "statistics": {"activeDevices": 3, "totalMessages": 1200, "messagesPerMinute": 1.4},
        });
        assert_eq!(body, wanted);
    }

    #[test]
    fn a_store_that_cannot_be_written_is_unhealthy() {
        let health = Health {
            database_ok: false,
            active_devices: 0,
            total_messages: 0,
            messages_last_5_min: 0,
            started_at: 5,
        };
        assert_eq!(code(&health), 503);
        assert_eq!(LongHealth::of(&health, 0).status, "unhealthy");
        assert_eq!(LongHealth::of(&health, 0).uptime, "0h 0m");
    }
}
