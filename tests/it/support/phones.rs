//! The simulated phones, through the network's control API.

use super::http::{Api, Reply};
use super::wait::wait_for;
use serde_json::{Value, json};

/// The person who holds the simulated phones.
#[derive(Debug, Clone)]
pub struct Phones(Api);

impl Phones {
    /// Uses the control API at this address, which is Kurir's own or that of a network in another process.
    pub fn at(api: Api) -> Self {
        Self(api)
    }

    /// Makes a phone.
    #[track_caller]
    pub fn add(&self, number: &str) -> Value {
        self.0.post("/sandbox/phones", json!({"phone": number})).expect(201)
    }

    /// Returns a phone with its companions.
    #[track_caller]
    pub fn view(&self, number: &str) -> Value {
        self.0.get(&format!("/sandbox/phones/{number}")).expect(200)
    }

    /// Returns what a phone shows of itself, and whom it blocked.
    #[track_caller]
    pub fn profile(&self, number: &str) -> Value {
        self.0.get(&format!("/sandbox/phones/{number}/profile")).expect(200)
    }

    /// Scans a QR; the answer names the companion.
    #[track_caller]
    pub fn scan(&self, number: &str, qr: &str) -> Value {
        self.0.post(&format!("/sandbox/phones/{number}/scan"), json!({"qr": qr})).expect(200)
    }

    /// Types a pairing code.
    pub fn enter_code(&self, number: &str, code: &str) -> Reply {
        self.0.post(&format!("/sandbox/phones/{number}/enter-code"), json!({"code": code}))
    }

    /// Removes a companion from the phone's side.
    #[track_caller]
    pub fn unlink(&self, number: &str, companion: u64) {
        self.0.delete(&format!("/sandbox/phones/{number}/companions/{companion}")).expect(200);
    }

    /// Gives a phone chats from before anybody was linked.
    #[track_caller]
    pub fn give_history(&self, number: &str, history: Value) -> Value {
        self.0.post(&format!("/sandbox/phones/{number}/history"), history).expect(201)
    }

    /// Makes a channel that a phone runs.
    #[track_caller]
    pub fn make_channel(&self, owner: &str, name: &str) -> Value {
        self.0.post("/sandbox/channels", json!({"owner": owner, "name": name})).expect(201)
    }

    /// Returns a channel with its followers.
    #[track_caller]
    pub fn channel(&self, channel: &str) -> Value {
        self.0.get(&format!("/sandbox/channels/{channel}")).expect(200)
    }

    /// Lets a phone follow a channel.
    #[track_caller]
    pub fn follow_channel(&self, number: &str, channel: &str) {
        self.0.post(&format!("/sandbox/channels/{channel}/followers"), json!({"phone": number})).expect(200);
    }

    /// Lets a phone write and returns the message id.
    #[track_caller]
    pub fn write(&self, number: &str, to: &str, text: &str) -> String {
        let sent =
            self.0.post(&format!("/sandbox/phones/{number}/messages"), json!({"to": to, "text": text}));
        sent.expect(201)["id"].as_str().expect("an id").to_owned()
    }

    /// Writes somebody into the address book of a phone.
    #[track_caller]
    pub fn save_contact(&self, number: &str, other: &str, name: &str) {
        let contacts = json!({"contacts": [{"phone": other, "name": name}]});
        self.0.post(&format!("/sandbox/phones/{number}/contacts"), contacts).expect(200);
    }

    /// Lets a phone make a group and returns its address. `mode` says by which address the network names its people.
    #[track_caller]
    pub fn make_group(&self, owner: &str, others: &[&str], mode: &str) -> String {
        let wish = json!({"owner": owner, "subject": "Panitia", "participants": others, "mode": mode});
        self.0.post("/sandbox/groups", wish).expect(201)["id"].as_str().expect("an id").to_owned()
    }

    /// Returns a group as the network has it.
    #[track_caller]
    pub fn group(&self, group: &str) -> Value {
        self.0.get(&format!("/sandbox/groups/{group}")).expect(200)
    }

    /// Lets a phone do something in a group: `POST` below its path.
    #[track_caller]
    pub fn in_group(&self, group: &str, what: &str, body: Value) -> Value {
        self.0.post(&format!("/sandbox/groups/{group}/{what}"), body).expect(200)
    }

    /// Changes what a group is called or what is set for it.
    #[track_caller]
    pub fn edit_group(&self, group: &str, body: Value) {
        self.0.call("PATCH", &format!("/sandbox/groups/{group}")).json(&body).send().expect(200);
    }

    /// Lets a phone write something else than a plain text and returns the message id.
    #[track_caller]
    pub fn write_as(&self, number: &str, body: Value) -> String {
        let sent = self.0.post(&format!("/sandbox/phones/{number}/messages"), body);
        sent.expect(201)["id"].as_str().expect("an id").to_owned()
    }

    /// Returns what a phone received once it is this many messages; fails when it is more.
    #[track_caller]
    pub fn wait_received(&self, number: &str, count: usize) -> Vec<Value> {
        let received = wait_for(&format!("{count} messages at {number}"), || {
            let received = self.received(number);
            (received.len() >= count).then_some(received)
        });
        assert_eq!(received.len(), count, "{received:?}");
        received
    }

    /// Returns what a phone sent and received, oldest first. A number that nobody wrote to yet has nothing.
    #[track_caller]
    pub fn messages(&self, number: &str) -> Vec<Value> {
        let reply = self.0.get(&format!("/sandbox/phones/{number}/messages"));
        match reply.status {
            404 => Vec::new(),
            _ => reply.expect(200).as_array().expect("a list").clone(),
        }
    }

    /// Returns what a phone received, oldest first.
    #[track_caller]
    pub fn received(&self, number: &str) -> Vec<Value> {
        let mut messages = self.messages(number);
        messages.retain(|message| message["fromMe"] == false);
        messages
    }

    /// Waits until a phone has this text and returns the message.
    #[track_caller]
    pub fn wait_text(&self, number: &str, text: &str) -> Value {
        wait_for(&format!("`{text}` on phone {number}"), || {
            self.messages(number).into_iter().find(|message| message["text"] == text)
        })
    }

    /// Lets a phone send a file and returns the message id.
    #[track_caller]
    pub fn send_media(&self, number: &str, to: &str, media: Value) -> String {
        self.write_as(number, json!({"to": to, "media": media}))
    }

    /// Waits until a phone has the message with this id and returns it.
    #[track_caller]
    pub fn wait_message(&self, number: &str, id: &str) -> Value {
        wait_for(&format!("message {id} on phone {number}"), || {
            self.messages(number).into_iter().find(|message| message["id"] == id)
        })
    }

    /// Returns the file of a message, as the phone has it.
    #[track_caller]
    pub fn media(&self, number: &str, id: &str) -> Vec<u8> {
        let reply = self.0.get(&format!("/sandbox/phones/{number}/messages/{id}/media"));
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.body
    }

    /// Shows a phone as typing in a chat, or as there or away.
    #[track_caller]
    pub fn show(&self, number: &str, state: Value) {
        self.0.post(&format!("/sandbox/phones/{number}/presence"), state).expect(200);
    }

    /// Sends a receipt of a phone for a message that it received.
    #[track_caller]
    pub fn receipt(&self, number: &str, id: &str, kind: &str) {
        self.0
            .post(&format!("/sandbox/phones/{number}/receipts"), json!({"id": id, "type": kind}))
            .expect(200);
    }

    /// Sets a fault; returns how many open connections it hit.
    #[track_caller]
    pub fn fault(&self, rule: Value) -> u64 {
        self.0.put("/sandbox/faults", rule).expect(200)["connectionsHit"].as_u64().unwrap_or_default()
    }

    /// Removes all faults.
    #[track_caller]
    pub fn no_faults(&self) {
        self.0.delete("/sandbox/faults").expect(200);
    }

    /// Returns the network's counters.
    #[track_caller]
    pub fn stats(&self) -> Value {
        self.0.get("/sandbox/stats").expect(200)
    }

    /// Returns what the network says about itself.
    #[track_caller]
    pub fn describe(&self) -> Value {
        self.0.get("/sandbox").expect(200)
    }
}
