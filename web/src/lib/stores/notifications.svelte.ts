// What the reader is to be told, and how much of it is new; the bell in the header shows the number.
import { ApiError } from '../api/client';
import * as api from '../api/insight';
import type { Notification } from '../api/insight';
import { feed } from './feed.svelte';
import { PagedList } from './paged.svelte';

/** News that come together are asked for once. */
const SETTLE_MS = 400;

class Notifications extends PagedList<Notification, { page: number }> {
  unread = $state(0);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super(async (query) => {
      const page = await api.listNotifications(query);
      this.unread = page.unreadCount;
      return { rows: page.notifications, pagination: page.pagination };
    });
  }

  /** Reads how much is new, without the list. */
  async count(): Promise<void> {
    try {
      this.unread = (await api.listNotifications({ limit: 1 })).unreadCount;
    } catch (error) {
      // The bell stays as it is; pages say what is wrong.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  async read(ids?: number[]): Promise<void> {
    await api.readNotifications(ids);
    await this.refresh();
  }

  /** Reads the number, and the list when it is on screen, once the news have settled. */
  soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), SETTLE_MS);
  }

  override clear(): void {
    clearTimeout(this.timer);
    super.clear();
    this.unread = 0;
  }

  private async refresh(): Promise<void> {
    if (this.loading === 'first') await this.count();
    else await this.reload();
  }
}

export const notifications = new Notifications();

const TELLING = new Set(['message.received', 'job.completed', 'job.failed', 'job.cancelled', 'whatsapp-status']);

feed.listen((event) => {
  if (TELLING.has(event.type)) notifications.soon();
});
feed.onGap(() => notifications.soon());
