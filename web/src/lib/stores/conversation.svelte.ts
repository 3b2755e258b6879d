// One open chat: its history, what arrives live, and what is being sent from here.
import { ApiError } from '../api/client';
import * as api from '../api/messages';
import type { LiveEvent, Message, MessageStatus, SentMessage } from '../api/types';
import { later } from '../message-status';
import { randomKey } from '../random';
import { epoch } from '../text/time';
import { feed } from './feed.svelte';
import type { Loading } from './loading';

const PAGE = 50;

/** A message of ours that the server has not answered for yet, or has refused. */
export interface Outgoing {
  key: string;
  text: string;
  at: number;
  problem: string | null;
}

export class Conversation {
  /** Oldest first. */
  messages = $state<Message[]>([]);
  outgoing = $state<Outgoing[]>([]);
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  hasMore = $state(false);
  loadingOlder = $state(false);
  private readonly stops: (() => void)[];

  constructor(
    readonly deviceId: string,
    readonly jid: string,
  ) {
    this.stops = [feed.listen((event) => this.apply(event)), feed.onGap(() => void this.load())];
  }

  close(): void {
    this.stops.forEach((stop) => stop());
  }

  async load(): Promise<void> {
    try {
      const page = await api.chatHistory(this.deviceId, this.jid, { limit: PAGE });
      page.messages.forEach((message) => this.put(message));
      if (this.loading === 'first') this.hasMore = page.hasMore;
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A chat nobody has written in yet has no history; that is empty, not failed.
      this.error = error.status === 404 ? null : error;
    }
    this.loading = 'done';
  }

  async loadOlder(): Promise<void> {
    const oldest = this.messages[0];
    if (!oldest || this.loadingOlder || !this.hasMore) return;
    this.loadingOlder = true;
    try {
      const page = await api.chatHistory(this.deviceId, this.jid, { limit: PAGE, before: oldest.id });
      page.messages.forEach((message) => this.put(message));
      this.hasMore = page.hasMore;
    } finally {
      this.loadingOlder = false;
    }
  }

  /** Sends a text. It shows at once as waiting, and stays with its reason when the server refuses it. */
  async send(text: string, wording: (error: ApiError) => string): Promise<void> {
    const key = randomKey();
    this.outgoing.push({ key, text, at: Date.now(), problem: null });
    await this.attempt(key, wording);
  }

  /** Tries a refused text again under the same key, so that it cannot go out twice. */
  async attempt(key: string, wording: (error: ApiError) => string): Promise<void> {
    const item = this.outgoing.find((item) => item.key === key);
    if (!item) return;
    item.problem = null;
    try {
      const { data } = await api.sendMessage(this.deviceId, this.jid, item.text, key);
      this.settle(item, data);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      item.problem = wording(error);
    }
  }

  discard(key: string): void {
    this.outgoing = this.outgoing.filter((item) => item.key !== key);
  }

  private settle(item: Outgoing, sent: SentMessage): void {
    this.discard(item.key);
    if (this.messages.some((message) => message.id === sent.messageId)) return;
    this.put({
      id: sent.messageId,
      from: null,
      fromMe: true,
      messageType: 'conversation',
      content: { text: item.text },
      timestamp: epoch(sent.timestamp) ?? item.at,
      // A message that WhatsApp has not taken yet is stored and goes out by itself.
      status: sent.status === 'pending' ? 'pending' : 'sent',
      pushName: null,
      error: null,
    });
  }

  private apply(event: LiveEvent): void {
    if (!('deviceId' in event) || event.deviceId !== this.deviceId) return;
    if (event.type === 'message.status') this.mark(event.messageId, event.status);
    if (event.type !== 'message.received' && event.type !== 'message.sent') return;
    if (event.chatJid !== this.jid) return;
    const timestamp = epoch(event.timestamp) ?? Date.now();
    if (event.type === 'message.sent') this.dropTwin(event.message);
    this.put({
      id: event.messageId,
      from: event.from,
      fromMe: event.fromMe,
      messageType: event.messageType,
      content: { text: event.message },
      timestamp,
      status: event.status,
      pushName: event.pushName,
      error: null,
    });
  }

  /** The event of a sent message may overtake the answer to the call; then the waiting bubble makes way. */
  private dropTwin(text: string | null): void {
    const twin = this.outgoing.find((item) => item.problem === null && item.text === text);
    if (twin) this.discard(twin.key);
  }

  private mark(id: string, status: MessageStatus): void {
    const message = this.messages.find((message) => message.id === id);
    if (!message) return;
    message.status = later(message.status, status);
    // Why it failed is only in the history.
    if (status === 'failed') void this.load();
  }

  private put(message: Message): void {
    const known = this.messages.find((other) => other.id === message.id);
    if (known) {
      Object.assign(known, message, { status: later(known.status, message.status) });
      return;
    }
    const after = this.messages.findLastIndex((other) => other.timestamp <= message.timestamp);
    this.messages.splice(after + 1, 0, message);
  }
}
