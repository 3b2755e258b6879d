// Jobs as the server lists them, moved by the event stream.
import { ApiError } from '../api/client';
import * as api from '../api/messages';
import type { Job, JobStatus, LiveEvent, Pagination } from '../api/types';
import { feed } from './feed.svelte';
import { Fresh } from './fresh';
import type { Loading } from './loading';

export interface JobQuery {
  status: string;
  page: number;
}

const FIRST: JobQuery = { status: '', page: 1 };

class Jobs {
  list = $state<Job[]>([]);
  pagination = $state<Pagination>({ page: 1, limit: 20, total: 0, totalPages: 1 });
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  /** The job that is open in the side panel, with its results. */
  opened = $state<Job | null>(null);
  private query: JobQuery | null = null;
  private readonly fresh = new Fresh();
  private turn = 0;

  async load(query: JobQuery = this.query ?? FIRST): Promise<void> {
    const turn = ++this.turn;
    this.query = query;
    if (this.loading !== 'first') this.loading = 'again';
    try {
      const page = await this.fresh.read(() => api.listJobs({ ...query, limit: 20 }));
      if (turn !== this.turn) return;
      this.list = page.jobs;
      this.pagination = page.pagination;
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== this.turn) return;
      this.error = error;
    }
    this.loading = 'done';
  }

  /** Reads again what has been asked for, when anything has. */
  refresh(): void {
    this.fresh.changed();
    if (this.query) void this.load();
    if (this.opened) void this.open(this.opened.jobId);
  }

  async open(id: string): Promise<void> {
    this.opened = await this.fresh.read(() => api.getJob(id));
  }

  close(): void {
    this.opened = null;
  }

  cancel = (id: string) => this.steer(api.cancelJob, id);
  pause = (id: string) => this.steer(api.pauseJob, id);
  resume = (id: string) => this.steer(api.resumeJob, id);
  retry = (id: string) => this.steer(api.retryJob, id);

  clear(): void {
    this.list = [];
    this.opened = null;
    this.query = null;
    this.turn += 1;
    this.loading = 'first';
    this.error = null;
  }

  /** Changes the course of a job, then reads what became of it. */
  private async steer(change: (id: string) => Promise<unknown>, id: string): Promise<void> {
    await change(id);
    await Promise.all([this.load(), this.opened?.jobId === id ? this.open(id) : undefined]);
  }

  apply(event: LiveEvent): void {
    if (!event.type.startsWith('job.') || !('jobId' in event) || !('progress' in event)) return;
    this.fresh.changed();
    const listed = this.list.find((job) => job.jobId === event.jobId);
    if (listed) Object.assign(listed, { status: event.status, progress: event.progress });
    else if (this.loading === 'done') void this.load();
    if (this.opened?.jobId !== event.jobId) return;
    const failedBefore = this.opened.progress.errorCount;
    Object.assign(this.opened, { status: event.status, progress: event.progress });
    if (ended(event.status) || event.progress.errorCount > failedBefore) void this.open(event.jobId);
  }
}

/** Whether nothing more will happen to a job in this state. */
export const ended = (status: JobStatus): boolean =>
  status === 'completed' || status === 'failed' || status === 'cancelled';

export const jobs = new Jobs();

feed.listen((event) => jobs.apply(event));
feed.onGap(() => jobs.refresh());
