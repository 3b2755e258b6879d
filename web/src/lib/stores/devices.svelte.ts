// The devices, and for each how far linking has come. One device is the current one: what the header's
// switcher shows and the sending pages use.
import * as api from '../api/devices';
import { ApiError } from '../api/client';
import type { Device, DeviceStatus, LinkStep, LiveEvent } from '../api/types';
import { recall, remember } from '../storage';
import { epoch } from '../text/time';
import { feed } from './feed.svelte';
import { Fresh } from './fresh';
import type { Loading } from './loading';

export interface Code {
  text: string;
  /** Epoch ms; null when the server did not say. */
  expiresAt: number | null;
  /** Epoch ms at which this page learned of it: the start of the countdown. */
  since: number;
}

/** What is known about linking one device right now. */
export interface Linking {
  qr: Code | null;
  pairing: Code | null;
  step: LinkStep | null;
  passkey: boolean;
}

const nothing = (): Linking => ({ qr: null, pairing: null, step: null, passkey: false });

class Devices {
  list = $state<Device[]>([]);
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  linking = $state<Record<string, Linking>>({});
  private chosen = $state(recall('device'));
  private readonly fresh = new Fresh();
  private turn = 0;

  current = $derived(
    this.list.find((device) => device.deviceId === this.chosen) ??
      this.list.find((device) => device.isConnected) ??
      this.list[0] ??
      null,
  );

  find(id: string): Device | undefined {
    return this.list.find((device) => device.deviceId === id);
  }

  choose(id: string): void {
    this.chosen = id;
    remember('device', id);
  }

  linkingOf(id: string): Linking {
    return this.linking[id] ?? nothing();
  }

  async load(): Promise<void> {
    if (this.loading !== 'first') this.loading = 'again';
    const turn = ++this.turn;
    try {
      const { devices } = await this.fresh.read(api.listDevices);
      if (turn !== this.turn) return;
      this.list = devices;
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== this.turn) return;
      this.error = error;
    }
    this.loading = 'done';
  }

  /** Reads again what may have missed events. */
  reload(): void {
    this.fresh.changed();
    void this.load();
  }

  async create(name: string, id: string | undefined): Promise<string> {
    const created = (await api.createDevice(name, id)).data.deviceId;
    await this.load();
    return created;
  }

  async rename(id: string, name: string): Promise<void> {
    await api.renameDevice(id, name);
    this.patch(id, { deviceName: name });
  }

  async remove(id: string): Promise<void> {
    await api.deleteDevice(id);
    this.list = this.list.filter((device) => device.deviceId !== id);
    delete this.linking[id];
  }

  async connect(id: string): Promise<void> {
    this.linking[id] = nothing();
    await api.connectDevice(id);
    await this.refresh(id);
  }

  async disconnect(id: string, logout: boolean): Promise<void> {
    await api.disconnectDevice(id, logout);
    this.linking[id] = nothing();
    await this.refresh(id);
  }

  async wipe(id: string): Promise<void> {
    await api.wipeDevice(id);
    this.linking[id] = nothing();
    await this.refresh(id);
  }

  async requestPairingCode(id: string, phone: string): Promise<void> {
    const { pairingCode, expiresIn } = (await api.requestPairingCode(id, phone)).data;
    const since = Date.now();
    this.update(id, { pairing: { text: pairingCode, expiresAt: since + expiresIn * 1000, since } });
  }

  /** Reads one device anew, and the QR that may be waiting (a page opened late has missed its event). */
  async refresh(id: string): Promise<void> {
    const device = await this.fresh.read(() => api.getDevice(id));
    if (this.find(id)) this.patch(id, device);
    else this.list.push(device);
    if (device.status === 'qr_required' && !this.linkingOf(id).qr) await this.fetchQr(id);
  }

  /** Forgets everything when another person signs in. */
  clear(): void {
    this.list = [];
    this.linking = {};
    this.turn += 1;
    this.loading = 'first';
    this.error = null;
  }

  apply(event: LiveEvent): void {
    switch (event.type) {
      case 'qr-code':
        this.update(event.deviceId, { qr: code(event.qrString, event.expiresAt), step: 'waiting' });
        break;
      case 'pairing-code':
        this.update(event.deviceId, { pairing: code(event.pairingCode, event.expiresAt), step: 'waiting' });
        break;
      case 'passkey-request':
        this.update(event.deviceId, { passkey: true });
        break;
      case 'whatsapp-status':
      case 'device-status':
        this.applyStatus(event);
        break;
      case 'device.created':
      case 'device.updated':
      case 'device.deleted':
        void this.load();
        break;
    }
  }

  private applyStatus(event: Extract<LiveEvent, { type: 'whatsapp-status' | 'device-status' }>): void {
    const { deviceId: id, status, isConnected, phoneNumber } = event;
    this.fresh.changed();
    if (!this.find(id)) {
      void this.load();
      return;
    }
    const { reason, message: statusMessage, bannedUntil } = event;
    this.patch(id, { status, isConnected, phoneNumber, reason, statusMessage, bannedUntil });
    // Credentials come with the first connection and go when the phone unlinks the device.
    if (isConnected || reason === 'logged_out') this.patch(id, { isLinked: isConnected });
    const changes: Partial<Linking> = {};
    if (event.step) changes.step = event.step;
    if (status === 'connected') changes.step = 'connected';
    if (!canShowCodes(status) || changes.step === 'scanned' || changes.step === 'synchronising') {
      Object.assign(changes, { qr: null, pairing: null });
    }
    if (status === 'connected' || !canShowCodes(status)) changes.passkey = false;
    this.update(id, changes);
  }

  private async fetchQr(id: string): Promise<void> {
    try {
      const qr = await api.getQr(id);
      // An event that came meanwhile is newer.
      if (!this.linkingOf(id).qr) this.update(id, { qr: code(qr.qrCode, qr.expiresAt), step: 'waiting' });
    } catch (error) {
      // Between two QRs there is none; the next arrives as an event.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }

  private patch(id: string, changes: Partial<Device>): void {
    const device = this.find(id);
    if (device) Object.assign(device, changes);
  }

  private update(id: string, changes: Partial<Linking>): void {
    this.linking[id] = { ...this.linkingOf(id), ...changes };
  }
}

function code(text: string, expiresAt: string | null): Code {
  return { text, expiresAt: epoch(expiresAt), since: Date.now() };
}

/** Whether a QR or a pairing code may be waiting in this state. */
const canShowCodes = (status: DeviceStatus): boolean =>
  status === 'connecting' || status === 'qr_required' || status === 'pairing';

export const devices = new Devices();

feed.listen((event) => devices.apply(event));
feed.onGap(() => devices.reload());
