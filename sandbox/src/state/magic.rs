//! Numbers that behave in a special way by their last digits, as payment sandboxes have them.

/// Digits of a phone number that can be on the network.
const DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// What a number does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Sends delivery receipts; reads only when told to.
    Ordinary,
    /// `0001`: never sends any receipt.
    Silent,
    /// `0002`: reads everything at once.
    ReadsAtOnce,
    /// `0003`: sends every text back.
    Echoes,
    /// `0004`: messages to it are refused with error 463.
    Refused,
}

impl Manner {
    /// Returns the manner of a number.
    pub fn of(number: &str) -> Self {
        match number.len().checked_sub(4).and_then(|at| number.get(at..)) {
            Some("0001") => Self::Silent,
            Some("0002") => Self::ReadsAtOnce,
            Some("0003") => Self::Echoes,
            Some("0004") => Self::Refused,
            _ => Self::Ordinary,
        }
    }
}

/// Returns whether a number can be on the network: digits of a plausible length that do not end in `0000`.
pub fn can_exist(number: &str) -> bool {
    DIGITS.contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !number.starts_with('0')
        && !number.ends_with("0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_four_digits_decide() {
        for (number, manner) in [
            ("6281200000001", Manner::Silent),
            ("6281200000002", Manner::ReadsAtOnce),
            ("6281200000003", Manner::Echoes),
            ("6281200000004", Manner::Refused),
            ("6281200000005", Manner::Ordinary),
            ("001", Manner::Ordinary),
        ] {
            assert_eq!(Manner::of(number), manner, "{number}");
        }
    }

    #[test]
    fn some_numbers_are_not_on_the_network() {
        for number in ["6281200000000", "62812", "0812345678", "", "62812a", "1234", "1234567890123456"] {
            assert_eq!(can_exist(number), number == "62812", "{number}");
        }
    }
}
