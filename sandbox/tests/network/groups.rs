//! Groups: made by clients and by phones, in both ways of naming members, written in by everybody, and run by admins.

use crate::support::*;
use serde_json::{Value, json};
use wacore::stanza::groups::GroupNotificationAction as Action;
use whatsapp_rust::features::{
    GroupCreateOptions, GroupDescription, GroupError, GroupParticipantOptions, GroupSubject, JoinGroupResult,
    PreviousDescription,
};
use whatsapp_rust::types::events::Event;
use whatsapp_rust::types::presence::ReceiptType;
use whatsapp_rust::{IqError, Jid};

const ANN: &str = "6281300110005";
const BOB: &str = "6281300110015";
const CYD: &str = "6281300110025";
const DAN: &str = "6281300110035";

/// Makes a group by the control API and returns its id.
async fn group_of(control: &kurir_sandbox::Control, owner: &str, others: &[&str], mode: &str) -> String {
    let wish = json!({"owner": owner, "subject": "Panitia", "participants": others, "mode": mode});
    let (status, group) = call(control, "POST", "/sandbox/groups", wish).await;
    assert_eq!(status, 201, "{group}");
    group["id"].as_str().unwrap().to_owned()
}

fn jid(id: &str) -> Jid {
    id.parse().unwrap()
}

/// Waits for news of a group.
async fn news<T>(client: &Client, what: &str, pick: impl Fn(&Action) -> Option<T>) -> T {
    client
        .wait_for(what, |event| match event {
            Event::GroupUpdate(update) => pick(&update.action),
            _ => None,
        })
        .await
}

async fn role_of(control: &kurir_sandbox::Control, group: &str, phone: &str) -> Value {
    let (_, view) = call(control, "GET", &format!("/sandbox/groups/{group}"), Value::Null).await;
    let members = view["participants"].as_array().unwrap();
    members.iter().find(|one| one["phone"] == phone).map_or(Value::Null, |one| one["role"].clone())
}

fn code_of(error: &GroupError) -> Option<u16> {
    match error {
        GroupError::Iq(IqError::ServerError { code, .. }) => Some(*code),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_makes_a_group_and_everybody_writes_in_it() {
    let network = network_with(&[ANN, BOB, CYD]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    let options = GroupCreateOptions::new("Keluarga").with_participants(vec![
        GroupParticipantOptions::new(pn(BOB)),
        GroupParticipantOptions::new(pn(CYD)),
    ]);
    let made = client.protocol.groups().create_group(options).await.unwrap().metadata;
    assert_eq!((made.subject.as_str(), made.participants.len()), ("Keluarga", 3));
    let admin = made.participants.iter().find(|one| one.is_super_admin()).unwrap();
    assert!(admin.jid.is_lid() && admin.phone_number == Some(pn(ANN)), "{admin:?}");
    let id = made.id.to_string();

    let sent = client.send_to(&made.id, "hello all").await;
    for phone in [BOB, CYD] {
        let seen = phone_receives(&control, phone, "hello all").await;
        assert_eq!(
            (&seen["id"], &seen["chat"], &seen["from"], &seen["deliveries"], &seen["device"]),
            (&json!(sent), &json!(id), &json!(ANN), &json!(1), &json!(1))
        );
    }
    let own = phone_receives(&control, ANN, "hello all").await;
    assert_eq!((&own["fromMe"], &own["chat"]), (&json!(true), &json!(id)));
    let from_bob = |kind: ReceiptType| {
        let (sent, group) = (sent.clone(), made.id.clone());
        move |event: &Event| match event {
            Event::Receipt(one) if one.r#type == kind && one.message_ids.contains(&sent) => {
                (one.source.chat == group && one.source.sender.is_lid()).then_some(())
            }
            _ => None,
        }
    };
    client.wait_for("a delivery receipt", from_bob(ReceiptType::Delivered)).await;
    let path = format!("/sandbox/phones/{BOB}/receipts");
    assert_eq!(call(&control, "POST", &path, json!({"id": sent, "type": "read"})).await.0, 200);
    client.wait_for("a read receipt", from_bob(ReceiptType::Read)).await;

    for (round, phone) in [BOB, CYD, BOB, ANN].into_iter().enumerate() {
        let text = format!("from {phone}, {round}");
        let wrote = phone_sends(&control, phone, &id, &text).await;
        assert_eq!(client.receives(&text).await, wrote);
        for other in [ANN, BOB, CYD] {
            assert_eq!(phone_receives(&control, other, &text).await["from"], phone);
        }
    }
    client.send_to(&made.id, "and again").await;
    phone_receives(&control, CYD, "and again").await;
    phone_receives(&control, BOB, "and again").await;
    let (_, chat) =
        call(&control, "GET", &format!("/sandbox/phones/{BOB}/messages?chat={id}"), Value::Null).await;
    assert_eq!(chat.as_array().unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_of_naming_members_work_for_two_clients() {
    let network = network_with(&[ANN, BOB, CYD]).await;
    let control = network.control();
    let (ann, bob) = tokio::join!(Client::linked(&network, ANN), Client::linked(&network, BOB));
    for mode in ["lid", "pn"] {
        let id = group_of(&control, CYD, &[ANN, BOB], mode).await;
        let (told, created) = (jid(&id), "the new group");
        for client in [&ann, &bob] {
            client
                .wait_for(created, |event| match event {
                    Event::GroupUpdate(update) if update.group_jid == told => {
                        assert_eq!(update.is_lid_addressing_mode, mode == "lid");
                        matches!(update.action, Action::Create { .. }).then_some(())
                    }
                    _ => None,
                })
                .await;
        }
        let info = ann.protocol.groups().query_info(&jid(&id)).await.unwrap();
        assert!(info.participants.iter().all(|one| one.is_lid() == (mode == "lid")), "{info:?}");
        let (there, back) = (format!("there {mode}"), format!("back {mode}"));
        ann.send_to(&jid(&id), &there).await;
        bob.receives(&there).await;
        phone_receives(&control, CYD, &there).await;
        bob.send_to(&jid(&id), &back).await;
        ann.receives(&back).await;
        phone_receives(&control, CYD, &back).await;
        assert_eq!(ann.count(&back), 1);
    }
    let mine = ann.protocol.groups().get_participating().await.unwrap();
    assert_eq!(mine.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_come_and_go_and_the_keys_follow() {
    let network = network_with(&[ANN, BOB, CYD, DAN]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    let bob = Client::linked(&network, BOB).await;
    let id = group_of(&control, ANN, &[BOB], "lid").await;
    let groups = client.protocol.groups();
    client.send_to(&jid(&id), "first").await;
    bob.receives("first").await;

    let results = groups
        .add_participants(jid(&id), &[pn(CYD), pn(BOB), pn("6281300110000"), pn("6281300110004")])
        .await
        .unwrap();
    let codes: Vec<_> = results.iter().map(|one| (one.status.as_deref(), one.error.as_deref())).collect();
    assert_eq!(
        codes,
        [(Some("200"), None), (None, Some("409")), (None, Some("404")), (None, Some("403"))],
        "{results:?}"
    );
    assert!(results[3].add_request.is_some(), "who cannot be added can be invited");
    let added = news(&bob, "the newcomer", |action| match action {
        Action::Add { participants, .. } => Some(participants[0].phone_number.clone()),
        _ => None,
    });
    assert_eq!(added.await, Some(pn(CYD)));
    client.send_to(&jid(&id), "with cyd").await;
    assert_eq!(phone_receives(&control, CYD, "with cyd").await["deliveries"], 1);
    assert!(inbox(&control, CYD).await.iter().all(|one| one["text"] != "first"));

    groups.promote_participants(jid(&id), &[pn(BOB)]).await.unwrap();
    news(&bob, "the promotion", |action| matches!(action, Action::Promote { .. }).then_some(())).await;
    assert_eq!(role_of(&control, &id, BOB).await, "admin");
    bob.protocol.groups().demote_participants(jid(&id), &[pn(BOB)]).await.unwrap();
    assert_eq!(role_of(&control, &id, BOB).await, "member");
    let refused = bob.protocol.groups().remove_participants(jid(&id), &[pn(CYD)]).await.unwrap_err();
    assert_eq!(code_of(&refused), Some(401), "{refused}");

    groups.remove_participants(jid(&id), &[pn(BOB)]).await.unwrap();
    news(&bob, "the removal", |action| matches!(action, Action::Remove { .. }).then_some(())).await;
    client.send_to(&jid(&id), "without bob").await;
    phone_receives(&control, CYD, "without bob").await;
    phone_sends(&control, CYD, &id, "cyd to ann").await;
    client.receives("cyd to ann").await;
    assert_eq!((bob.count("without bob"), bob.count("cyd to ann")), (0, 0));
    let path = format!("/sandbox/phones/{BOB}/messages");
    let (status, body) = call(&control, "POST", &path, json!({"to": id, "text": "let me in"})).await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("refused")), "{body}");
    let refused = bob.protocol.groups().get_metadata(&jid(&id)).await.unwrap_err();
    assert_eq!(code_of(&refused), Some(403), "{refused}");

    groups.leave(jid(&id)).await.unwrap();
    assert_eq!(role_of(&control, &id, ANN).await, Value::Null);
    assert_eq!(role_of(&control, &id, CYD).await, "admin", "somebody has to run the group");
}

#[tokio::test(flavor = "multi_thread")]
async fn subject_description_and_settings_change_for_everybody() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let (ann, bob) = tokio::join!(Client::linked(&network, ANN), Client::linked(&network, BOB));
    let id = group_of(&control, ANN, &[BOB], "lid").await;
    let (groups, other) = (ann.protocol.groups(), bob.protocol.groups());
    other.set_subject(jid(&id), GroupSubject::new("Baru").unwrap()).await.unwrap();
    let subject = news(&ann, "the subject", |action| match action {
        Action::Subject { subject, .. } => Some(subject.clone()),
        _ => None,
    });
    assert_eq!(subject.await, "Baru");
    let text = || Some(GroupDescription::new("Rapat tiap Senin").unwrap());
    groups.set_description(jid(&id), text(), PreviousDescription::Absent).await.unwrap();
    let description = news(&bob, "the description", |action| match action {
        Action::Description { description, .. } => Some(description.clone()),
        _ => None,
    });
    assert_eq!(description.await.as_deref(), Some("Rapat tiap Senin"));
    let stale = groups.set_description(jid(&id), text(), PreviousDescription::Id("old")).await;
    assert!(matches!(stale, Err(GroupError::DescriptionConflict)), "{stale:?}");
    groups.set_description(jid(&id), None, PreviousDescription::Resolve).await.unwrap();

    groups.set_locked(jid(&id), true).await.unwrap();
    groups.set_announce(jid(&id), true).await.unwrap();
    groups.set_ephemeral(jid(&id), 86_400).await.unwrap();
    groups
        .set_membership_approval(jid(&id), whatsapp_rust::features::MembershipApprovalMode::On)
        .await
        .unwrap();
    let approval = news(&bob, "the last change", |action| match action {
        Action::MembershipApprovalMode { enabled } => Some(*enabled),
        _ => None,
    });
    assert!(approval.await);
    let meta = other.get_metadata(&jid(&id)).await.unwrap();
    assert!(meta.is_locked && meta.is_announcement && meta.membership_approval);
    assert_eq!(meta.ephemeral.map(|one| one.expiration), Some(Some(86_400)));
    assert_eq!((meta.subject.as_str(), &meta.description), ("Baru", &None));
    let refused = other.set_subject(jid(&id), GroupSubject::new("Nein").unwrap()).await.unwrap_err();
    assert_eq!(code_of(&refused), Some(401), "{refused}");

    let sent = bob.protocol.send_message(jid(&id), conversation("psst")).await.unwrap();
    assert_eq!(bob.acknowledged(&sent.message_id).await, Some(403));
    ann.send_to(&jid(&id), "announced").await;
    bob.receives("announced").await;
    groups.set_announce(jid(&id), false).await.unwrap();
    bob.send_to(&jid(&id), "may I").await;
    ann.receives("may I").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_in_by_link_and_by_permission() {
    let network = network_with(&[ANN, BOB, CYD]).await;
    let control = network.control();
    let (ann, bob) = tokio::join!(Client::linked(&network, ANN), Client::linked(&network, BOB));
    let id = group_of(&control, ANN, &[], "lid").await;
    let (groups, other) = (ann.protocol.groups(), bob.protocol.groups());
    let old = groups.get_invite_link(&jid(&id), false).await.unwrap();
    let new = groups.get_invite_link(&jid(&id), true).await.unwrap();
    assert_ne!(old, new);
    let gone = other.join_with_invite_code(&old).await.unwrap_err();
    assert_eq!(code_of(&gone), Some(410), "{gone}");
    assert_eq!(other.get_invite_info(&new).await.unwrap().subject, "Panitia");
    assert!(matches!(other.join_with_invite_code(&new).await.unwrap(), JoinGroupResult::Joined(_)));
    let reason = news(&ann, "the joiner", |action| match action {
        Action::Add { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(reason.await.as_deref(), Some("invite"));
    let again = other.join_with_invite_code(&new).await.unwrap_err();
    assert_eq!(code_of(&again), Some(409), "{again}");
    let refused = other.get_invite_link(&jid(&id), false).await.unwrap_err();
    assert_eq!(code_of(&refused), Some(401), "{refused}");

    let path = format!("/sandbox/groups/{id}");
    assert_eq!(call(&control, "PATCH", &path, json!({"approval": true})).await.0, 200);
    let (_, joined) = call(&control, "POST", &format!("{path}/join"), json!({"phone": CYD})).await;
    assert_eq!(joined["state"], "waiting");
    news(&ann, "the wish", |action| matches!(action, Action::CreatedMembershipRequests { .. }).then_some(()))
        .await;
    let waiting = groups.get_membership_requests(&jid(&id)).await.unwrap();
    assert_eq!(waiting.len(), 1);
    let results = groups.approve_membership_requests(jid(&id), &[waiting[0].jid.clone()]).await.unwrap();
    assert!(results[0].is_ok(), "{results:?}");
    assert_eq!(role_of(&control, &id, CYD).await, "member");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_away_learns_of_it_all_in_order() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    client.protocol.disconnect().await;
    offline(&control, ANN).await;
    let id = group_of(&control, BOB, &[ANN], "lid").await;
    phone_sends(&control, BOB, &id, "one").await;
    let path = format!("/sandbox/groups/{id}");
    assert_eq!(call(&control, "PATCH", &path, json!({"subject": "Lain"})).await.0, 200);
    phone_sends(&control, BOB, &id, "two").await;
    let again = Client::resume(network.addr(), client.backend.clone()).await;
    again.connected().await;
    news(&again, "the group", |action| matches!(action, Action::Create { .. }).then_some(())).await;
    news(&again, "the subject", |action| matches!(action, Action::Subject { .. }).then_some(())).await;
    again.receives("one").await;
    again.receives("two").await;
    again.send_to(&jid(&id), "back").await;
    phone_receives(&control, BOB, "back").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_keys_are_asked_for_again() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    let id = group_of(&control, BOB, &[ANN], "lid").await;
    phone_sends(&control, BOB, &id, "before").await;
    client.receives("before").await;
    let (_, bob) = call(&control, "GET", &format!("/sandbox/phones/{BOB}"), Value::Null).await;
    let lid: Jid = bob["lid"].as_str().unwrap().parse().unwrap();
    client.protocol.signal().delete_sender_key(&jid(&id), &lid).await.unwrap();
    let wrote = phone_sends(&control, BOB, &id, "can you read this").await;
    assert_eq!(client.receives("can you read this").await, wrote);
    phone_sends(&control, BOB, &id, "and this").await;
    client.receives("and this").await;
    assert_eq!((client.count("can you read this"), client.count("and this")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn mentions_quotes_and_reactions_name_members() {
    let network = network_with(&[ANN, BOB, CYD]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    let id = group_of(&control, ANN, &[BOB, CYD], "lid").await;
    let sent = client.send_to(&jid(&id), "who comes?").await;
    phone_receives(&control, BOB, "who comes?").await;
    let path = format!("/sandbox/phones/{BOB}/messages");
    let wish = json!({"to": id, "text": "ask @cyd", "quote": sent, "mentions": [CYD]});
    assert_eq!(call(&control, "POST", &path, wish).await.0, 201);
    let seen = phone_has(&control, CYD, |one| one["text"] == "ask @cyd").await;
    assert_eq!(
        (&seen["mentions"], &seen["target"], &seen["from"]),
        (&json!([CYD]), &json!(sent), &json!(BOB))
    );
    let (_, ann) = call(&control, "GET", &format!("/sandbox/phones/{ANN}"), Value::Null).await;
    client
        .wait_for("the mention", |event| {
            event.messages().find_map(|one| {
                let text = one.message.extended_text_message.as_option()?;
                let context = text.context_info.as_option()?;
                assert!(context.mentioned_jid[0].ends_with("@lid"), "{context:?}");
                assert_eq!(context.participant.as_deref(), ann["lid"].as_str());
                Some(())
            })
        })
        .await;
    let wish = json!({"to": id, "reaction": {"id": sent, "emoji": "👍"}});
    assert_eq!(call(&control, "POST", &path, wish).await.0, 201);
    client
        .wait_for("the reaction", |event| {
            event.messages().find_map(|one| {
                let key = one.message.reaction_message.as_option()?.key.as_option()?;
                assert_eq!(key.remote_jid.as_deref(), Some(id.as_str()));
                assert_eq!(key.id.as_deref(), Some(sent.as_str()));
                Some(())
            })
        })
        .await;
    let wish = json!({"to": id, "text": "hi", "mentions": ["6281300110000"]});
    let path = format!("/sandbox/phones/{ANN}/messages");
    assert_eq!(call(&control, "POST", &path, wish).await.0, 422, "not on WhatsApp");
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_in_a_group_shows_who() {
    let network = network_with(&[ANN, BOB]).await;
    let client = Client::linked(&network, ANN).await;
    let id = group_of(&network.control(), ANN, &[BOB], "lid").await;
    let path = format!("/sandbox/phones/{BOB}/presence");
    let typed = call(&network.control(), "POST", &path, json!({"to": id, "state": "typing"})).await;
    assert_eq!(typed.0, 200, "{}", typed.1);
    let source = client.wait_for("the state", |event| match event {
        Event::ChatPresence(presence) => Some(presence.source.clone()),
        _ => None,
    });
    let source = source.await;
    assert!(source.chat == jid(&id) && source.sender.is_lid(), "{source:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_can_be_refused_for_a_while() {
    let network = network_with(&[ANN]).await;
    let client = Client::linked(&network, ANN).await;
    fault(&network, json!({"iqError": {"code": 429, "backoff": 7, "xmlns": "w:g2"}, "count": 1})).await;
    let refused = client.protocol.groups().get_participating().await.unwrap_err();
    match &refused {
        GroupError::Iq(IqError::ServerError { code, text, backoff, .. }) => {
            assert_eq!((*code, text.as_str(), *backoff), (429, "rate-overlimit", Some(7)));
        }
        other => panic!("{other}"),
    }
    assert!(client.protocol.groups().get_participating().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_group_is_quick() {
    let network = network_with(&[ANN]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    let others: Vec<String> = (1..256).map(|n| format!("62813001199{n:03}5")).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let id = group_of(&control, ANN, &others, "lid").await;
    client.send_to(&jid(&id), "to everybody").await;
    for phone in [others[0], others[254]] {
        phone_receives(&control, phone, "to everybody").await;
    }
    client.wait_for("all receipts", |event| matches!(event, Event::Receipt(_)).then_some(())).await;
    phone_sends(&control, others[7], &id, "from one").await;
    client.receives("from one").await;
    let (_, stats) = call(&control, "GET", "/sandbox/stats", Value::Null).await;
    assert_eq!(stats["messages"], 2, "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_groups_are_set_seen_and_taken_away() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let (ann, bob) = (Client::linked(&network, ANN).await, Client::linked(&network, BOB).await);
    let wish = json!({"owner": BOB, "subject": "Foto", "participants": [ANN]});
    let (_, made) = call(&control, "POST", "/sandbox/groups", wish).await;
    let id = made["id"].as_str().unwrap();
    let (path, group) = (format!("/sandbox/groups/{id}"), id.parse().unwrap());
    let contacts = ann.protocol.contacts();
    assert!(contacts.get_profile_picture(&group, false).await.unwrap().is_none());

    let set = bob.protocol.groups().set_profile_picture(&group, b"a jpeg".to_vec()).await.unwrap();
    let seen = contacts.get_profile_picture(&group, false).await.unwrap().expect("a picture");
    assert_eq!(seen.id, set.id);
    assert_eq!(call(&control, "GET", &path, Value::Null).await.1["picture"]["id"], set.id);
    ann.wait_for("news of the picture", |event| match event {
        Event::PictureUpdate(update) => (update.jid == group).then_some(()),
        _ => None,
    })
    .await;
    // A locked group is changed by its admins only.
    assert_eq!(call(&control, "PATCH", &path, json!({"locked": true})).await.0, 200);
    assert!(ann.protocol.groups().set_profile_picture(&group, b"mine".to_vec()).await.is_err());
    bob.protocol.groups().remove_profile_picture(&group).await.unwrap();
    assert_eq!(call(&control, "GET", &path, Value::Null).await.1["picture"], Value::Null);
    let (_, view) = call(&control, "PATCH", &path, json!({"picture": "YSBqcGVn"})).await;
    assert_ne!(view["picture"], Value::Null);
    assert_eq!(call(&control, "PATCH", &path, json!({"picture": "?"})).await.0, 400);
}
