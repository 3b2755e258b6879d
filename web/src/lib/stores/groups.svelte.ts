// The groups of one device, the one that is looked at, and the names of the people in them.
import { ApiError } from '../api/client';
import * as api from '../api/groups';
import type { Group, GroupSummary, Refused } from '../api/groups';
import { formatPhone } from '../text/phone';
import { feed } from './feed.svelte';
import type { Loading } from './loading';

/** Changes that come together are read once. */
const SETTLE_MS = 300;

const userOf = (jid: string): string => jid.split(/[:@]/)[0] ?? jid;

class Groups {
  list = $state.raw<GroupSummary[]>([]);
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  opened = $state.raw<Group | null>(null);
  /** Names by the digits of an address. */
  private names = $state.raw<Record<string, string>>({});
  private deviceId: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  async load(deviceId: string, refresh = false): Promise<void> {
    this.turnTo(deviceId);
    if (this.loading !== 'first') this.loading = 'again';
    try {
      const { groups } = await api.listGroups(deviceId, refresh);
      if (deviceId !== this.deviceId) return;
      this.list = groups.sort((a, b) => a.subject.localeCompare(b.subject));
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (deviceId !== this.deviceId) return;
      this.error = error;
    }
    this.loading = 'done';
  }

  async open(deviceId: string, groupId: string): Promise<void> {
    this.turnTo(deviceId);
    const group = await api.getGroup(deviceId, groupId);
    if (deviceId === this.deviceId) this.opened = group;
  }

  /** Reads the names of the people that the device knows; without them numbers stand in their place. */
  async loadNames(deviceId: string): Promise<void> {
    this.turnTo(deviceId);
    try {
      const { contacts } = await api.listKnownPeople(deviceId);
      const named = contacts.flatMap((person) => {
        const name = person.name || person.verifiedName || person.notify;
        if (!name) return [];
        return [person.id, person.lid].filter((id) => id != null).map((id) => [userOf(id), name] as const);
      });
      if (deviceId === this.deviceId) this.names = Object.fromEntries(named);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  nameOf(jid: string): string | null {
    return this.names[userOf(jid)] ?? null;
  }

  /** What to call a person: the name, else the number, else the hidden id. */
  label(jid: string): string {
    return this.nameOf(jid) ?? (jid.endsWith('@lid') ? `~${userOf(jid)}` : formatPhone(userOf(jid)));
  }

  async create(deviceId: string, subject: string, participants: string[]): Promise<{ groupId: string; failed?: Refused[] }> {
    const made = await api.createGroup(deviceId, subject, participants);
    await this.load(deviceId);
    return made;
  }

  /** Changes the opened group, then reads what became of it. */
  async change<T>(act: (deviceId: string, groupId: string) => Promise<T>): Promise<T | undefined> {
    const { deviceId, opened } = this;
    if (!deviceId || !opened) return undefined;
    const done = await act(deviceId, opened.id);
    await this.refresh();
    return done;
  }

  clear(): void {
    clearTimeout(this.timer);
    this.list = [];
    this.names = {};
    this.opened = null;
    this.deviceId = null;
    this.loading = 'first';
    this.error = null;
  }

  /** Reads again, shortly, what is on screen of a device. */
  soon(deviceId: string): void {
    if (deviceId !== this.deviceId) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), SETTLE_MS);
  }

  /** Reads what is on screen again. */
  again(): void {
    if (this.deviceId) this.soon(this.deviceId);
  }

  private async refresh(): Promise<void> {
    const { deviceId, opened, loading } = this;
    if (!deviceId) return;
    const group = opened && this.open(deviceId, opened.id).catch((error: unknown) => this.lost(error));
    await Promise.all([group, loading === 'first' ? undefined : this.load(deviceId)]);
  }

  /** A group that the account is no longer in cannot be read. */
  private lost(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404) this.opened = null;
  }

  private turnTo(deviceId: string): void {
    if (deviceId === this.deviceId) return;
    this.clear();
    this.deviceId = deviceId;
  }
}

export const groups = new Groups();

feed.listen((event) => {
  if (event.type.startsWith('group.') && 'deviceId' in event) groups.soon(event.deviceId);
});
feed.onGap(() => groups.again());
