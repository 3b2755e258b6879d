//! The contacts that a linked account knows.

use super::Gateway;
use crate::error::Result;
use crate::model::device::Device;
use crate::model::device_contact::DeviceContact;
use crate::store::device_contacts;

impl Gateway {
    /// Returns the contacts of a device. `search` keeps those whose names or number contain it, without case.
    pub async fn device_contacts(
        &self,
        device: &Device,
        search: Option<String>,
    ) -> Result<Vec<DeviceContact>> {
        let no = device.no;
        let mut contacts = self.store().scan(move |view| device_contacts::all(view, no)).await?;
        if let Some(text) = search.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty()) {
            contacts.retain(|contact| contains(contact, &text));
        }
        Ok(contacts)
    }
}

fn contains(contact: &DeviceContact, text: &str) -> bool {
    let names = [&contact.name, &contact.notify, &contact.verified_name];
    contact.jid.user().contains(text)
        || names.into_iter().flatten().any(|name| name.to_lowercase().contains(text))
}
