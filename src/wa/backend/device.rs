//! The library's own record of the device: its keys and the account it is linked to.

use super::{Backend, kinds};
use async_trait::async_trait;
use wacore::store::Device;
use wacore::store::error::Result;
use wacore::store::traits::DeviceStore;

#[async_trait]
impl DeviceStore for Backend {
    async fn save(&self, device: &Device) -> Result<()> {
        self.write(vec![self.put_json(kinds::DEVICE, b"", device)?]).await
    }

    async fn load(&self) -> Result<Option<Device>> {
        self.get_json(kinds::DEVICE, b"")
    }

    async fn exists(&self) -> Result<bool> {
        Ok(self.get(kinds::DEVICE, b"")?.is_some())
    }

    async fn create(&self) -> Result<i32> {
        let order = self.order.lock().await;
        if self.get(kinds::DEVICE, b"")?.is_none() {
            let fresh = self.put_json(kinds::DEVICE, b"", &Device::new())?;
            self.commit(&order, vec![fresh]).await?;
        }
        Ok(i32::try_from(self.device.0).unwrap_or(i32::MAX))
    }
}
