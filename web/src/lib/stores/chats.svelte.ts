// The chat list of one device, moved by the event stream.
import { ApiError } from '../api/client';
import * as api from '../api/messages';
import type { ChatChange, ChatSummary, LiveEvent } from '../api/types';
import { later } from '../message-status';
import { epoch } from '../text/time';
import { feed } from './feed.svelte';
import { Fresh } from './fresh';
import type { Loading } from './loading';

const PAGE = 50;
/** Parts of a history come one after the other and are answered by one reading. */
const SETTLE_MS = 500;

class Chats {
  list = $state<ChatSummary[]>([]);
  /** As phones show them: the pinned ones on top, and the archived ones apart. */
  shown = $derived([
    ...this.list.filter(({ pinned, archived }) => pinned && !archived),
    ...this.list.filter(({ pinned, archived }) => !pinned && !archived),
  ]);
  archived = $derived(this.list.filter(({ archived }) => archived));
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  hasMore = $state(false);
  /** The chat on screen; its messages count as seen. */
  open = $state<string | null>(null);
  private deviceId: string | null = null;
  private search = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private nextBefore: string | null = null;
  private readonly fresh = new Fresh();
  private turn = 0;

  async load(deviceId: string, search: string): Promise<void> {
    if (deviceId !== this.deviceId) this.clear();
    else if (this.loading !== 'first') this.loading = 'again';
    this.deviceId = deviceId;
    this.search = search;
    const turn = ++this.turn;
    try {
      const [page, pinned] = await this.fresh.read(() =>
        Promise.all([api.listChats(deviceId, { search, limit: PAGE }), search ? null : api.listPinned(deviceId)]),
      );
      if (turn !== this.turn) return;
      this.list = page.chats;
      this.add(pinned?.chats ?? []);
      this.see(this.open);
      this.take(page);
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== this.turn) return;
      this.error = error;
    }
    this.loading = 'done';
  }

  async more(): Promise<void> {
    const { deviceId, search, nextBefore } = this;
    if (!deviceId || !nextBefore) return;
    const page = await api.listChats(deviceId, { search, limit: PAGE, before: nextBefore });
    if (deviceId !== this.deviceId || search !== this.search) return;
    this.add(page.chats);
    this.take(page);
  }

  see(jid: string | null): void {
    this.open = jid;
    const chat = this.list.find((chat) => chat.jid === jid);
    if (chat) this.markRead(chat);
  }

  find(jid: string): ChatSummary | undefined {
    return this.list.find((chat) => chat.jid === jid);
  }

  /** Archives, pins or mutes a chat on all devices of the account. */
  async set(jid: string, changes: ChatChange): Promise<void> {
    if (!this.deviceId) return;
    await api.setChat(this.deviceId, jid, changes);
    this.change(jid, changes);
  }

  reload(): void {
    if (this.deviceId) void this.load(this.deviceId, this.search);
  }

  clear(): void {
    clearTimeout(this.timer);
    this.list = [];
    this.turn += 1;
    this.deviceId = null;
    this.loading = 'first';
    this.error = null;
    this.hasMore = false;
  }

  apply(event: LiveEvent): void {
    if ('deviceId' in event && event.deviceId === this.deviceId) this.fresh.changed();
    if (event.type === 'history.progress' && event.deviceId === this.deviceId) this.soon();
    if (event.type === 'chat.updated' && event.deviceId === this.deviceId) this.change(event.chatJid, event);
    if (event.type === 'message.status') this.applyStatus(event);
    if (event.type !== 'message.received' && event.type !== 'message.sent') return;
    if (event.deviceId !== this.deviceId) return;
    const chat = this.list.find((chat) => chat.jid === event.chatJid);
    // A chat that is not listed has a name only the server knows.
    if (!chat) return this.reload();
    // The list was read after the message had come.
    if (chat.lastMessage?.id === event.messageId) return;
    const at = epoch(event.timestamp) ?? Date.now();
    chat.lastMessage = {
      id: event.messageId,
      text: event.message,
      fromMe: event.fromMe,
      timestamp: at,
      messageType: event.messageType,
      status: event.status,
    };
    chat.lastActivity = new Date(at).toISOString();
    if (!event.fromMe) {
      chat.unreadCount += 1;
      chat.name ??= event.pushName;
    }
    if (this.open === chat.jid) this.markRead(chat);
    this.list = [chat, ...this.list.filter((other) => other !== chat)];
  }

  private add(chats: ChatSummary[]): void {
    const known = new Set(this.list.map((chat) => chat.jid));
    this.list.push(...chats.filter((chat) => !known.has(chat.jid)));
  }

  private change(jid: string, { archived, pinned, muted }: ChatChange): void {
    const chat = this.list.find((chat) => chat.jid === jid);
    if (!chat) return;
    chat.archived = archived ?? chat.archived;
    chat.pinned = pinned ?? chat.pinned;
    chat.muted = muted ?? chat.muted;
  }

  private soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.reload(), SETTLE_MS);
  }

  /** Only a chat somebody can see is read; one open in a hidden tab is not. */
  private markRead(chat: ChatSummary): void {
    if (chat.unreadCount === 0 || !this.deviceId || document.hidden) return;
    chat.unreadCount = 0;
    // A mark that fails is made again with the next message or visit.
    void api.markChatRead(this.deviceId, chat.jid).catch(() => undefined);
  }

  private applyStatus(event: Extract<LiveEvent, { type: 'message.status' }>): void {
    const last = this.list.find((chat) => chat.lastMessage?.id === event.messageId)?.lastMessage;
    if (last) last.status = later(last.status, event.status);
  }

  private take(page: { hasMore: boolean; nextBefore: string | number | null }): void {
    this.hasMore = page.hasMore;
    this.nextBefore = page.nextBefore === null ? null : String(page.nextBefore);
  }
}

export const chats = new Chats();

feed.listen((event) => chats.apply(event));
feed.onGap(() => chats.reload());
document.addEventListener('visibilitychange', () => chats.see(chats.open));
