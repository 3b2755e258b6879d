// A list that the server hands out in pages, with the query that led to it.
import { ApiError } from '../api/client';
import type { Pagination } from '../api/types';
import type { Loading } from './loading';

export interface PageOf<T> {
  rows: T[];
  pagination: Pagination;
}

const FIRST_PAGE: Pagination = { page: 1, limit: 20, total: 0, totalPages: 1 };

export class PagedList<T, Query extends object> {
  list = $state<T[]>([]);
  pagination = $state<Pagination>(FIRST_PAGE);
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);
  private query: Query | null = null;

  constructor(private readonly fetch: (query: Query) => Promise<PageOf<T>>) {}

  /** Loads what a query asks for; the answer to an older query that comes late is dropped. */
  async load(query: Query): Promise<void> {
    this.query = query;
    if (this.loading !== 'first') this.loading = 'again';
    try {
      const page = await this.fetch(query);
      if (query !== this.query) return;
      this.list = page.rows;
      this.pagination = page.pagination;
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (query !== this.query) return;
      this.error = error;
    }
    this.loading = 'done';
  }

  /** Loads the same again, after something has changed. */
  async reload(): Promise<void> {
    if (this.query) await this.load({ ...this.query });
  }

  clear(): void {
    this.list = [];
    this.pagination = FIRST_PAGE;
    this.query = null;
    this.loading = 'first';
    this.error = null;
  }
}
