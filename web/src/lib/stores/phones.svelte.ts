// The simulated phones, moved by the simulated network's own event stream.
import { ApiError } from '../api/client';
import * as api from '../api/phones';
import type { Phone, PhoneMessage } from '../api/phones';
import { recall, remember } from '../storage';
import type { Loading } from './loading';

export interface PhoneChat {
  id: string;
  messages: PhoneMessage[];
}

/** Events that come together are answered by one reading. */
const SETTLE_MS = 150;

class Phones {
  list = $state<Phone[]>([]);
  messages = $state<PhoneMessage[]>([]);
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  private chosen = $state(recall('phone'));
  private making = false;
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  current = $derived(this.list.find((phone) => phone.phone === this.chosen) ?? this.list[0] ?? null);

  /** The chats of the current phone, the one with the newest message first. */
  chats = $derived.by(() => groupByChat(this.messages));

  async choose(phone: string): Promise<void> {
    this.chosen = phone;
    remember('phone', phone);
    this.messages = [];
    await this.loadMessages();
  }

  start(): void {
    void this.load();
    this.source = new EventSource('/sandbox/events');
    this.source.onmessage = () => this.soon();
    this.source.onopen = () => this.soon();
  }

  stop(): void {
    this.source?.close();
    this.source = null;
    clearTimeout(this.timer);
  }

  async load(): Promise<void> {
    try {
      const list = await api.listPhones();
      // Half of what somebody asked for is not shown.
      if (this.making) return;
      this.list = list;
      await this.loadMessages();
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
    }
    this.loading = 'done';
  }

  /** Makes phones, shows them all at once and chooses the last. */
  async create(...made: { phone: string; name: string }[]): Promise<void> {
    this.making = true;
    try {
      for (const { phone, name } of made) this.chosen = (await api.createPhone(phone, name)).phone;
    } finally {
      this.making = false;
      await this.load();
    }
    if (this.chosen) await this.choose(this.chosen);
  }

  async send(to: string, text: string): Promise<void> {
    if (!this.current) return;
    await api.sendAsPhone(this.current.phone, to, text);
    await this.loadMessages();
  }

  /** The name of the phone with this number, when it is one of ours. */
  nameOf(number: string): string | null {
    return this.list.find((phone) => phone.phone === number)?.name ?? null;
  }

  private async loadMessages(): Promise<void> {
    const phone = this.current?.phone;
    if (!phone) return;
    const messages = await api.listPhoneMessages(phone);
    if (phone === this.current?.phone) this.messages = messages;
  }

  private soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), SETTLE_MS);
  }
}

function groupByChat(messages: PhoneMessage[]): PhoneChat[] {
  const chats = new Map<string, PhoneMessage[]>();
  for (const message of messages) {
    const chat = chats.get(message.chat);
    if (chat) chat.push(message);
    else chats.set(message.chat, [message]);
  }
  const newest = (chat: PhoneChat) => chat.messages.at(-1)?.timestamp ?? 0;
  return Array.from(chats, ([id, messages]) => ({ id, messages })).sort((a, b) => newest(b) - newest(a));
}

export const phones = new Phones();
