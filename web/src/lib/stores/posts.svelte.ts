// The status posts of one device, moved by the event stream.
import { ApiError } from '../api/client';
import * as api from '../api/posts';
import type { LiveEvent, Post } from '../api/types';
import { Attempt } from '../attempt';
import { feed } from './feed.svelte';
import { Fresh } from './fresh';
import type { Loading } from './loading';

class Posts {
  list = $state.raw<Post[]>([]);
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  private deviceId: string | null = null;
  private readonly fresh = new Fresh();
  private readonly attempt = new Attempt();
  private turn = 0;

  async load(deviceId: string): Promise<void> {
    if (deviceId !== this.deviceId) this.clear();
    this.deviceId = deviceId;
    const turn = ++this.turn;
    try {
      const { posts } = await this.fresh.read(() => api.listPosts(deviceId));
      if (turn !== this.turn) return;
      this.list = posts;
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== this.turn) return;
      this.error = error;
    }
    this.loading = 'done';
  }

  async create(deviceId: string, message: string, to: string[] | undefined): Promise<void> {
    await this.attempt.run([deviceId, message, to], (key) => api.createPost(deviceId, message, to, key));
    await this.load(deviceId);
  }

  async remove(messageId: string): Promise<void> {
    if (!this.deviceId) return;
    await api.deletePost(this.deviceId, messageId);
    await this.load(this.deviceId);
  }

  reload(): void {
    this.fresh.changed();
    if (this.deviceId) void this.load(this.deviceId);
  }

  clear(): void {
    this.list = [];
    this.turn += 1;
    this.deviceId = null;
    this.loading = 'first';
    this.error = null;
  }

  apply(event: LiveEvent): void {
    if (event.type.startsWith('status-post.') && 'deviceId' in event && event.deviceId === this.deviceId) this.reload();
  }
}

export const posts = new Posts();

feed.listen((event) => posts.apply(event));
feed.onGap(() => posts.reload());
