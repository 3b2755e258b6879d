//! Which devices already got which message of one sending device. A client that lost an acknowledgement sends the
//! same id again, freshly encrypted; whoever was served before must not see it twice.

use std::collections::{HashMap, VecDeque};

/// Ids remembered per sending device; older resends would be delivered again.
const IDS_MAX: usize = 20_000;

/// A device anywhere on the network, by number and device id.
pub type Target = (String, u16);

/// The memory of one sending device.
#[derive(Default)]
pub struct Routed {
    served: HashMap<String, Vec<Target>>,
    order: VecDeque<String>,
}

impl Routed {
    /// Returns whether the id came before.
    pub fn knows(&self, id: &str) -> bool {
        self.served.contains_key(id)
    }

    /// Returns whether a device was served under this id.
    pub fn has_served(&self, id: &str, target: &Target) -> bool {
        self.served.get(id).is_some_and(|served| served.contains(target))
    }

    /// Remembers that devices were served and returns the id that was forgotten for it, if any.
    pub fn serve(&mut self, id: &str, targets: impl IntoIterator<Item = Target>) -> Option<String> {
        if !self.served.contains_key(id) {
            self.order.push_back(id.to_owned());
        }
        self.served.entry(id.to_owned()).or_default().extend(targets);
        if self.order.len() <= IDS_MAX {
            return None;
        }
        let forgotten = self.order.pop_front()?;
        self.served.remove(&forgotten);
        Some(forgotten)
    }

    /// Lets a device be served again, because it asked for a retry. Returns whether anything changed.
    pub fn reopen(&mut self, id: &str, target: &Target) -> bool {
        let Some(served) = self.served.get_mut(id) else { return false };
        let before = served.len();
        served.retain(|known| known != target);
        served.len() < before
    }

    /// Writes the devices served under an id for the store.
    pub fn row(&self, id: &str) -> Vec<u8> {
        let served = self.served.get(id).map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<String> = served.iter().map(|(number, device)| format!("{number}:{device}")).collect();
        texts.join(",").into_bytes()
    }

    /// Reads a stored id back.
    pub fn restore(&mut self, id: &str, row: &[u8]) {
        let text = String::from_utf8_lossy(row);
        let targets = text.split(',').filter_map(|part| {
            let (number, device) = part.split_once(':')?;
            Some((number.to_owned(), device.parse().ok()?))
        });
        self.serve(id, targets.collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(device: u16) -> Target {
        ("6281".to_owned(), device)
    }

    #[test]
    fn a_device_is_served_once_unless_it_asks_again() {
        let mut routed = Routed::default();
        assert!(!routed.knows("A"));
        routed.serve("A", [target(0), target(1)]);
        assert!(routed.has_served("A", &target(1)) && !routed.has_served("A", &target(2)));
        assert!(routed.reopen("A", &target(1)));
        assert!(!routed.has_served("A", &target(1)) && routed.knows("A"));
    }

    #[test]
    fn rows_survive_the_store() {
        let mut routed = Routed::default();
        routed.serve("A", [target(0), target(7)]);
        let mut again = Routed::default();
        again.restore("A", &routed.row("A"));
        assert!(again.has_served("A", &target(7)) && again.has_served("A", &target(0)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut routed = Routed::default();
        let forgotten: Vec<_> = (0..IDS_MAX + 2).filter_map(|n| routed.serve(&n.to_string(), [])).collect();
        assert_eq!(forgotten, vec!["0", "1"]);
    }
}
