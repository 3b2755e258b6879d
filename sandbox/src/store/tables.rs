//! Every table of the journal. Keys are texts of parts joined by `/`; the number in a table's name is its layout.

use redb::TableDefinition;

macro_rules! tables {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The tables.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Table { $($(#[$doc])* $variant,)* }

        impl Table {
            /// All of them, for opening.
            pub const ALL: &'static [Table] = &[$(Table::$variant,)*];

            /// Returns the name in the file.
            pub fn name(self) -> &'static str {
                match self { $(Table::$variant => $name,)* }
            }
        }
    };
}

tables! {
    /// name -> the network's own keys
    Meta = "meta-1",
    /// number -> account (JSON)
    Accounts = "accounts-1",
    /// number -> what the account shows of itself (JSON)
    Personas = "personas-1",
    /// number/device -> linked companion (JSON)
    Companions = "companions-1",
    /// number/device/key id -> public one-time prekey of a companion
    CompanionPreKeys = "companion-prekeys-1",
    /// number/device/sequence -> stanza that the device has not cleared yet
    Queue = "queue-1",
    /// number/device/message id -> devices that were already served this message of that sender
    Routed = "routed-1",
    /// number/collection/version -> app-state patch
    Patches = "patches-1",
    /// number/other number -> nothing; the two have exchanged messages
    Peers = "peers-1",
    /// number/key id -> one-time prekey pair of a phone
    PhonePreKeys = "phone-prekeys-1",
    /// number/remote device -> Signal session of a phone
    Sessions = "sessions-1",
    /// number/sequence -> entry of the phone's message log (JSON)
    Messages = "messages-1",
    /// number/chat -> what the phone knows of a chat of its past (JSON)
    PastChats = "past-chats-1",
    /// number/chat/sequence -> message of a chat of the past
    PastMessages = "past-messages-1",
    /// group id -> group (JSON)
    Groups = "groups-1",
    /// channel id -> channel without its posts (JSON)
    Channels = "channels-1",
    /// channel id/number -> post of a channel (JSON)
    ChannelPosts = "channel-posts-1",
    /// number/group id/remote device -> sender key that a phone knows
    SenderKeys = "sender-keys-1",
    /// number/group id -> devices that have the phone's own sender key
    KeyHolders = "key-holders-1",
    /// id of a path -> which file it leads to (JSON)
    Media = "media-1",
}

impl Table {
    /// Returns the table's definition for the database.
    pub(super) fn definition(self) -> TableDefinition<'static, &'static str, &'static [u8]> {
        TableDefinition::new(self.name())
    }
}
