// A claimed Kurir with one device that a simulated phone has linked, made over the API: where daily work begins.
import { until } from './browser.mjs';
import { ask } from './checks.mjs';

export const BASE = '/api/whatsapp-multi-device';
export const SHOP = { phone: '6281211112222', name: 'Toko Melati' };
export const OWNER = { username: 'melati', email: 'melati@contoh.id', password: 'bunga-mawar-20', fullName: 'Melati Sari' };

/** Claims, creates the phones of `others`, links a device of the shop and returns its id. */
export async function linkedShop(context, kurir, others) {
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  await api('POST', '/api/auth/claim', { token: kurir.claimToken, ...OWNER });
  for (const phone of [SHOP, ...others]) await api('POST', '/sandbox/phones', phone);
  const { deviceId } = (await api('POST', `${BASE}/devices`, { deviceName: SHOP.name })).data;
  await link(context, kurir, deviceId, SHOP.phone);
  return deviceId;
}

/** Connects a device and lets a phone scan its code. */
export async function link(context, kurir, deviceId, phone) {
  const api = (method, path, data) => ask(context, kurir.base, method, path, data);
  const { qr } = (await api('POST', `${BASE}/devices/${deviceId}/connect`, {})).data;
  await api('POST', `/sandbox/phones/${phone}/scan`, { qr });
  const connected = async () => (await api('GET', `${BASE}/devices/${deviceId}`)).data.isConnected;
  await until('the device to be connected', connected, 60_000);
}
