// One open chat: its history, what arrives live, and what is being sent from here.
import { ApiError } from '../api/client';
import * as api from '../api/messages';
import type { Special } from '../api/messages';
import * as talk from '../api/talk';
import type { LiveEvent, Message, MessageStatus, SentMessage } from '../api/types';
import { Attempt } from '../attempt';
import { NO_MARKS } from '../chat/marks';
import { Stretch } from '../chat/window.svelte';
import { kindOf } from '../files';
import { later } from '../message-status';
import { randomKey } from '../random';
import { epoch } from '../text/time';
import { feed } from './feed.svelte';
import type { Loading } from './loading';

const PAGE = 50;
/** A search for an old message takes larger steps back. */
const LONG_PAGE = 100;
/** Events of messages whose content is only in the history are answered by one reading. */
const SETTLE_MS = 200;

/** How long the phone may take to answer, in seconds. */
const PHONE_WAIT_S = 30;

/** Events after which a message of the history is another one. */
const CHANGES = new Set<LiveEvent['type']>([
  'message.media',
  'message.reaction',
  'message.edited',
  'message.deleted',
  'message.vote',
]);

/** What somebody is about to send. */
export interface Draft {
  text: string;
  file: File | null;
  /** The file is a voice note that was recorded here. */
  isVoice?: boolean;
  /** The file can be opened once. */
  viewOnce?: boolean;
  /** Addresses of the people that the text speaks of, in groups; `{m1}` of the text stands for the first. */
  mentions: string[];
  /** The message that it answers. */
  answers?: Message;
}

/** What the next text is for, when it is not simply a new message. */
export interface Purpose {
  act: 'answer' | 'change';
  message: Message;
}

/** A message of ours that the server has not answered for yet, or has refused. */
export interface Outgoing extends Draft {
  key: string;
  at: number;
  problem: string | null;
  /** How much of its file has left, 0 to 1. */
  share: number | null;
}

export class Conversation {
  readonly history = new Stretch<Message>();
  outgoing = $state<Outgoing[]>([]);
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  hasMore = $state(false);
  loadingOlder = $state(false);
  purpose = $state.raw<Purpose | null>(null);
  private readonly stops: (() => void)[];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly special = new Attempt();
  /** Readings that were begun, and the newest of them that has come. */
  private asked = 0;
  private shown = 0;

  constructor(
    readonly deviceId: string,
    readonly jid: string,
  ) {
    this.stops = [feed.listen((event) => this.apply(event)), feed.onGap(() => void this.load())];
  }

  get isGroup(): boolean {
    return this.jid.endsWith('@g.us');
  }

  close(): void {
    clearTimeout(this.timer);
    this.stops.forEach((stop) => stop());
  }

  async load(): Promise<void> {
    const turn = ++this.asked;
    try {
      const page = await api.chatHistory(this.deviceId, this.jid, { limit: PAGE });
      // An older answer that comes late would take marks back that a newer one has brought.
      if (turn < this.shown) return;
      this.shown = turn;
      page.messages.forEach((message) => this.put(message));
      // Beyond the first page only reading upwards tells how far the history goes.
      if (this.history.all.length <= page.messages.length) this.hasMore = page.hasMore;
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A chat nobody has written in yet has no history; that is empty, not failed.
      this.error = error.status === 404 ? null : error;
    }
    this.loading = 'done';
  }

  /**
   * Fetches what is older, unless it is loaded already, and returns the change that shows it: whoever shows it may then
   * hold the reader's place at that very moment.
   */
  async older(): Promise<() => void> {
    return this.history.start > 0 ? () => this.history.older() : this.fetchOlder(PAGE);
  }

  /** Asks the phone for what is older than everything stored; returns the change that shows it, or null when it had nothing. */
  async askPhone(): Promise<(() => void) | null> {
    const oldest = this.history.all[0];
    if (!oldest) return null;
    const page = await api.chatHistory(this.deviceId, this.jid, {
      limit: LONG_PAGE,
      before: oldest.id,
      source: 'whatsapp',
      waitSeconds: PHONE_WAIT_S,
    });
    if (page.messages.length === 0) return null;
    this.hasMore = true;
    return this.fetchOlder(PAGE);
  }

  /** Brings the stretch around a message into the page; false when the history has no such message. */
  async reach(id: string): Promise<boolean> {
    for (;;) {
      const index = this.history.all.findIndex((message) => message.id === id);
      if (index >= 0) {
        this.history.around(index);
        return true;
      }
      if (!this.hasMore) return false;
      (await this.fetchOlder(LONG_PAGE))();
    }
  }

  /** Sends a message. It shows at once as waiting, and stays with its reason when the server refuses it. */
  async send(draft: Draft, wording: (error: ApiError) => string): Promise<void> {
    const key = randomKey();
    this.history.newest();
    this.outgoing.push({ ...draft, key, at: Date.now(), problem: null, share: draft.file ? 0 : null });
    await this.attempt(key, wording);
  }

  /** Sends what is neither text nor file; it answers the message that an answer was begun for. */
  async sendSpecial(content: Special): Promise<void> {
    const answers = this.purpose?.act === 'answer' ? this.purpose.message.id : undefined;
    await this.special.run([content, answers], (key) => api.sendSpecial(this.deviceId, this.jid, content, answers, key));
    this.purpose = null;
    this.history.newest();
    await this.load();
  }

  /** Tries a refused message again under the same key, so that it cannot go out twice. */
  async attempt(key: string, wording: (error: ApiError) => string): Promise<void> {
    const item = this.outgoing.find((item) => item.key === key);
    if (!item) return;
    item.problem = null;
    try {
      this.settle(item, await this.post(item));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      item.problem = wording(error);
    }
  }

  /** The next text answers a message. */
  answer(message: Message): void {
    this.purpose = { act: 'answer', message };
  }

  /** The next text takes the place of one of ours. */
  change(message: Message): void {
    this.purpose = { act: 'change', message };
  }

  async rewrite(message: Message, text: string): Promise<void> {
    await talk.rewrite(this.deviceId, this.jid, message.id, text);
    await this.load();
  }

  async react(message: Message, emoji: string): Promise<void> {
    await talk.react(this.deviceId, this.jid, message.id, emoji);
    await this.load();
  }

  /** Sends a message on; the key keeps a repeated attempt from sending it twice. */
  async forward(message: Message, to: string, key: string): Promise<void> {
    await talk.forward(this.deviceId, this.jid, message.id, to, key);
  }

  async star(message: Message, starred: boolean): Promise<void> {
    await talk.star(this.deviceId, this.jid, message.id, starred);
    await this.load();
  }

  async remove(message: Message): Promise<void> {
    await talk.deleteMessage(this.deviceId, this.jid, message.id);
    await this.load();
  }

  discard(key: string): void {
    this.outgoing = this.outgoing.filter((item) => item.key !== key);
  }

  private async post(item: Outgoing): Promise<SentMessage> {
    const { deviceId, jid, isGroup } = this;
    if (item.file) {
      const media = { to: jid, mediaType: item.isVoice ? ('voice' as const) : kindOf(item.file), caption: item.text, file: item.file, viewOnce: item.viewOnce ?? false };
      const onprogress = (share: number) => (item.share = share);
      return (await api.sendMedia(deviceId, media, item.key, onprogress)).data;
    }
    if (item.answers) return (await talk.reply(deviceId, jid, item.answers.id, item.text, item.key)).data;
    if (!isGroup) return (await api.sendMessage(deviceId, jid, item.text, item.key)).data;
    return (await api.sendToGroup(deviceId, jid, item.text, item.mentions, item.key)).data;
  }

  private async fetchOlder(limit: number): Promise<() => void> {
    const oldest = this.history.all[0];
    if (!oldest || !this.hasMore) return () => {};
    this.loadingOlder = true;
    try {
      const page = await api.chatHistory(this.deviceId, this.jid, { limit, before: oldest.id });
      return () => {
        const known = new Set(this.history.all.map((message) => message.id));
        this.history.prepend(page.messages.filter((message) => !known.has(message.id)).reverse());
        this.hasMore = page.hasMore;
      };
    } finally {
      this.loadingOlder = false;
    }
  }

  private settle(item: Outgoing, sent: SentMessage): void {
    this.discard(item.key);
    // What a file became (size, thumbnail, address), what is answered and how mentions read is only in the history.
    if (item.file || item.answers || item.mentions.length > 0) return void this.load();
    if (this.history.all.some((message) => message.id === sent.messageId)) return;
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
    } as Message);
  }

  private apply(event: LiveEvent): void {
    if (!('deviceId' in event) || event.deviceId !== this.deviceId) return;
    if (event.type === 'message.status') this.mark(event.messageId, event.status);
    if (event.type === 'history.progress' && event.kind !== 'onDemand') this.soon();
    if (CHANGES.has(event.type) && 'chatJid' in event && event.chatJid === this.jid) this.soon();
    if (event.type !== 'message.received' && event.type !== 'message.sent') return;
    if (event.chatJid !== this.jid) return;
    if (event.type === 'message.sent') this.dropTwin(event.message);
    if (event.messageType !== 'conversation' || event.linkPreview || this.isGroup) return this.soon();
    this.put({
      id: event.messageId,
      from: event.from,
      fromMe: event.fromMe,
      messageType: event.messageType,
      content: { text: event.message },
      timestamp: epoch(event.timestamp) ?? Date.now(),
      status: event.status,
      pushName: event.pushName,
      error: null,
    } as Message);
  }

  private soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), SETTLE_MS);
  }

  /** The event of a sent text may overtake the answer to the call; then the waiting bubble makes way. */
  private dropTwin(text: string | null): void {
    const twin = this.outgoing.find((item) => item.problem === null && !item.file && item.text === text);
    if (twin) this.discard(twin.key);
  }

  private mark(id: string, status: MessageStatus): void {
    const message = this.history.all.find((message) => message.id === id);
    if (!message) return;
    message.status = later(message.status, status);
    // Why it failed is only in the history.
    if (status === 'failed') void this.load();
  }

  private put(message: Message): void {
    const { all } = this.history;
    const known = all.find((other) => other.id === message.id);
    if (known) {
      Object.assign(known, NO_MARKS, message, { status: later(known.status, message.status) });
      return;
    }
    const after = all.findLastIndex((other) => other.timestamp <= message.timestamp);
    this.history.insert(after + 1, message);
  }
}
