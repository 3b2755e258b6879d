//! What an installation may choose about its connections.

/// Choices about connections; the defaults are the documented ones.
///
/// The pause between signs of life is not among them: the protocol library fixes it at 15 to 30 seconds.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a connection may take to show a QR or to open, in milliseconds. 120,000 as documented.
    pub connect_timeout_ms: i64,
    /// How long the network may take to answer a question, in milliseconds. 120,000 as documented; the protocol library
    /// gives up after 75,000 on its own.
    pub query_timeout_ms: i64,
    /// How long a message waits for the network's acknowledgement, in milliseconds. 10,000: a healthy network takes well
    /// under one second.
    pub ack_timeout_ms: i64,
    /// Automatic attempts after a lost connection; none means for ever, with growing pauses.
    pub max_reconnect_attempts: Option<u32>,
    /// Devices that connect at the same time at start. 8: bounds memory and load, and 50 devices are back in seconds, where
    /// the documented pause of 500 ms between devices would alone take 25.
    pub restore_parallel: usize,
    /// One-time keys kept on the server per device. 812, as the official web client does; fewer are conspicuous.
    pub prekeys: usize,
    /// Prints each QR on the terminal. False.
    pub print_qr_terminal: bool,
    /// Asks phones for their whole history when they are linked. False.
    pub full_history: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 120_000,
            query_timeout_ms: 120_000,
            ack_timeout_ms: 10_000,
            max_reconnect_attempts: None,
            restore_parallel: 8,
            prekeys: 812,
            print_qr_terminal: false,
            full_history: false,
        }
    }
}
