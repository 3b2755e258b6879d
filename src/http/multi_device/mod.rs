//! The family `multi-device`: `/api/whatsapp-multi-device` (contract `multi-device.md`).

mod account_settings;
mod activity;
mod address_book;
mod answers;
mod channels;
mod chat_settings;
mod chats;
mod content;
mod daily;
mod delay;
mod device_contacts;
mod devices;
mod groups;
mod jobs;
mod kinds;
mod linking;
mod media;
mod message_actions;
mod messages;
mod recipient;
mod schedules;
mod search;
mod statistics;
mod status_posts;
mod templates;

use super::envelope::Stamped;
use super::route::Surface;
use crate::words::Lang;

/// Returns the surface with all its rows.
pub fn surface() -> Surface {
    Surface {
        family: "multi-device",
        prefix: "/api/whatsapp-multi-device",
        lang: Lang::Id,
        envelope: &Stamped,
        routes: [
            devices::routes(),
            linking::routes(),
            messages::routes(),
            kinds::routes(),
            message_actions::routes(),
            account_settings::routes(),
            media::routes(),
            jobs::routes(),
            schedules::routes(),
            chats::routes(),
            chat_settings::routes(),
            search::routes(),
            daily::routes(),
            statistics::routes(),
            address_book::routes(),
            templates::routes(),
            activity::routes(),
            device_contacts::routes(),
            groups::routes(),
            status_posts::routes(),
            channels::routes(),
        ]
        .into_iter()
        .flatten()
        .collect(),
        open: false,
    }
}
