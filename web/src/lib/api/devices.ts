import { call, getData } from './client';
import type { ConnectView, CreatedDevice, Device, DeviceList, PairingView, QrView } from './types';

export const BASE = '/api/whatsapp-multi-device';
export const devicePath = (id: string) => `${BASE}/devices/${encodeURIComponent(id)}`;

export const groupPath = (deviceId: string, groupId: string) =>
  `${devicePath(deviceId)}/groups/${encodeURIComponent(groupId)}`;

export const listDevices = () => getData<DeviceList>(`${BASE}/devices`);

export const getDevice = (id: string) => getData<Device>(devicePath(id));

export const createDevice = (deviceName: string, deviceId?: string) =>
  call<CreatedDevice>('POST', `${BASE}/devices`, { body: { deviceName, deviceId } });

export const renameDevice = (id: string, deviceName: string) =>
  call('PUT', devicePath(id), { body: { deviceName } });

export const deleteDevice = (id: string) => call('DELETE', devicePath(id));

export const connectDevice = (id: string) =>
  call<ConnectView>('POST', `${devicePath(id)}/connect`);

/** Logs out of WhatsApp, or only closes the connection when `logout` is false. */
export const disconnectDevice = (id: string, logout: boolean) =>
  call('DELETE', `${devicePath(id)}/disconnect`, { query: { logout: String(logout) } });

export const wipeDevice = (id: string) => call('POST', `${devicePath(id)}/cancel-and-wipe`);

export const getQr = (id: string) => getData<QrView>(`${devicePath(id)}/qr`);

/** Address of the newest QR as SVG; `version` only keeps the browser from showing the one before. */
export const qrImage = (id: string, version: string) =>
  `${devicePath(id)}/qr-image?format=svg&v=${encodeURIComponent(version)}`;

export const requestPairingCode = (id: string, phone: string) =>
  call<PairingView>('POST', `${devicePath(id)}/pairing-code`, { body: { phone } });
