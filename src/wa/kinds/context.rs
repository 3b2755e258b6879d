//! What a protocol message says about its surroundings: what it answers, whom it speaks of, when it disappears.

use crate::model::jid::Jid;
use crate::model::link::{DESCRIPTION_MAX_CHARS, LinkPreview, TITLE_MAX_CHARS, line, shown_link};
use crate::model::marks::{Marks, Quote};
use crate::wa::{media, receive};
use wacore::proto_helpers::MessageExt as _;
use wacore_binary::Jid as WireJid;
use waproto::whatsapp as wire;

/// Who is who, as far as a conversion has to know.
pub(in crate::wa) struct People<'a> {
    /// Returns the phone number behind a hidden id.
    pub(in crate::wa) phone_of: &'a dyn Fn(&str) -> Option<String>,
    /// The account's own addresses.
    pub(in crate::wa) own: &'a [Jid],
}

impl People<'_> {
    /// Returns a person by phone number where it is known; none of an address that Kurir does not know.
    pub(in crate::wa) fn person(&self, jid: &str) -> Option<Jid> {
        let jid: WireJid = jid.parse().ok()?;
        receive::person(&jid, None, &self.phone_of)
    }

    fn is_own(&self, person: &Jid) -> bool {
        self.own.contains(person)
    }
}

/// Returns what stands around the content.
pub(in crate::wa) fn marks(message: &wire::Message, people: &People<'_>) -> Marks {
    let context = context(message);
    Marks {
        quote: context.and_then(|context| quote(context, people)),
        forwarded: context.is_some_and(|context| context.is_forwarded.unwrap_or_default()),
        view_once: message.is_view_once(),
        preview: preview(message.get_base_message()).map(Box::new),
        expires_in_s: context.and_then(|context| context.expiration).filter(|seconds| *seconds > 0),
        ..Marks::default()
    }
}

/// Returns the people whom the text or caption speaks of.
pub(in crate::wa) fn mentions(message: &wire::Message, people: &People<'_>) -> Vec<Jid> {
    let named = context(message).map(|context| context.mentioned_jid.as_slice()).unwrap_or_default();
    named.iter().filter_map(|jid| people.person(jid)).collect()
}

/// Returns the card of a text's link; none without a link that leads into the web.
fn preview(base: &wire::Message) -> Option<LinkPreview> {
    let text = base.extended_text_message.as_option()?;
    let told = |text: &Option<String>, max_chars| text.as_deref().and_then(|text| line(text, max_chars));
    let (title, description) =
        (told(&text.title, TITLE_MAX_CHARS), told(&text.description, DESCRIPTION_MAX_CHARS));
    let thumbnail = media::small(text.jpeg_thumbnail.as_deref());
    if title.is_none() && description.is_none() && thumbnail.is_none() {
        return None;
    }
    let url = text.matched_text.as_deref().and_then(shown_link)?;
    Some(LinkPreview { url, canonical_url: None, title, description, thumbnail })
}

fn quote(context: &wire::ContextInfo, people: &People<'_>) -> Option<Quote> {
    let id = context.stanza_id.clone().filter(|id| !id.is_empty())?;
    let sender = context.participant.as_deref().and_then(|author| people.person(author));
    let quoted = context.quoted_message.as_option();
    let (kind, text) = quoted.and_then(receive::in_short).unwrap_or_default();
    Some(Quote { id, sender: sender.filter(|sender| !people.is_own(sender)), kind, text })
}

/// Returns the part of a message that tells about its surroundings.
pub(in crate::wa) fn context(message: &wire::Message) -> Option<&wire::ContextInfo> {
    let base = message.get_base_message();
    macro_rules! first {
        ($($kind:ident),*) => {
            None$(.or_else(|| base.$kind.as_option().and_then(|one| one.context_info.as_option())))*
        };
    }
    first!(
        extended_text_message,
        image_message,
        video_message,
        ptv_message,
        audio_message,
        document_message,
        sticker_message,
        location_message,
        live_location_message,
        contact_message,
        contacts_array_message,
        poll_creation_message,
        poll_creation_message_v2,
        poll_creation_message_v3,
        group_invite_message,
        template_message,
        list_message,
        buttons_message,
        interactive_message
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANI: &str = "6281234567890@s.whatsapp.net";

    fn text(context: wire::ContextInfo) -> wire::Message {
        let text = wire::message::ExtendedTextMessage {
            text: Some("ya".into()),
            context_info: context.into(),
            ..Default::default()
        };
        wire::Message { extended_text_message: text.into(), ..Default::default() }
    }

    fn with_people<T>(work: impl Fn(&People<'_>) -> T) -> T {
        let phone_of = |lid: &str| (lid == "100").then(|| "6281234567890".to_owned());
        let own = ["6281111111111@s.whatsapp.net", "200@lid"].map(|jid| jid.parse().expect("an address"));
        work(&People { phone_of: &phone_of, own: &own })
    }

    #[test]
    fn an_answer_tells_what_it_answers() {
        let quoted = wire::Message { conversation: Some("jam berapa?".into()), ..Default::default() };
        let by = |participant: &str| {
            let context = wire::ContextInfo {
                stanza_id: Some("M1".into()),
                participant: Some(participant.into()),
                quoted_message: quoted.clone().into(),
                ..Default::default()
            };
            with_people(|people| marks(&text(context.clone()), people).quote).expect("a quote")
        };
        let quote = by("100@lid");
        assert_eq!(quote.sender.map(|jid| jid.to_string()).as_deref(), Some(ANI));
        assert_eq!((quote.kind.as_str(), quote.text.as_deref()), ("conversation", Some("jam berapa?")));
        assert_eq!(by("200:3@lid").sender, None, "our own");
        assert_eq!(by("6281111111111@s.whatsapp.net").sender, None, "our own");
    }

    #[test]
    fn the_card_of_a_link_is_read() {
        let card = |url: Option<&str>, title: Option<&str>| {
            let text = wire::message::ExtendedTextMessage {
                text: Some("lihat https://a.example".into()),
                matched_text: url.map(str::to_owned),
                title: title.map(str::to_owned),
                description: Some(" Isi\n halaman ".into()),
                jpeg_thumbnail: Some(vec![1, 2, 3]),
                ..Default::default()
            };
            let message = wire::Message { extended_text_message: text.into(), ..Default::default() };
            with_people(|people| marks(&message, people).preview)
        };
        let shown = card(Some("https://a.example"), Some("Judul")).expect("a card");
        assert_eq!((shown.url.as_str(), shown.title.as_deref()), ("https://a.example", Some("Judul")));
        assert_eq!(shown.description.as_deref(), Some("Isi halaman"));
        assert_eq!(shown.thumbnail.as_deref(), Some("AQID"));
        assert_eq!(card(None, Some("Judul")), None);
        assert_eq!(card(Some("javascript:alert(1)"), Some("Judul")), None);
    }

    #[test]
    fn the_marks_of_a_message_are_read() {
        let context = wire::ContextInfo {
            is_forwarded: Some(true),
            expiration: Some(86_400),
            mentioned_jid: vec!["100@lid".into(), "nonsense".into()],
            ..Default::default()
        };
        let message = text(context);
        let (marks, mentions) = with_people(|people| (marks(&message, people), mentions(&message, people)));
        assert!(marks.forwarded && !marks.view_once && marks.quote.is_none());
        assert_eq!(marks.expires_in_s, Some(86_400));
        assert_eq!(mentions.iter().map(Jid::to_string).collect::<Vec<_>>(), [ANI]);
        let image = wire::message::ImageMessage { view_once: Some(true), ..Default::default() };
        let once = wire::Message { image_message: image.into(), ..Default::default() };
        assert!(with_people(|people| super::marks(&once, people)).view_once);
        let plain = wire::Message { conversation: Some("halo".into()), ..Default::default() };
        assert!(with_people(|people| super::marks(&plain, people)).is_empty());
    }
}
