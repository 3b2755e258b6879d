import type { DeviceStatus, JobStatus, Pagination } from './types';
import { call, getData } from './client';
import { BASE } from './devices';

export interface Notification {
  id: number;
  type: 'connection' | 'message' | 'job';
  /** A sentence in the reader's language. */
  message: string;
  deviceId: string;
  read: boolean;
  createdAt: string;
  status?: DeviceStatus | JobStatus;
  chatJid?: string;
  preview?: string;
  count?: number;
  jobId?: string;
}

export interface NotificationPage {
  notifications: Notification[];
  unreadCount: number;
  pagination: Pagination;
}

export const listNotifications = (query: { page?: number; limit?: number }) =>
  getData<NotificationPage>('/api/notifications', { query });

/** Marks some as read, or all when none are named. */
export const readNotifications = (ids?: number[]) => call('POST', '/api/notifications/read', { body: { ids } });

/** Something that the reader did. */
export interface Activity {
  id: number;
  /** What, such as `devices.connect`. */
  action: string;
  deviceId: string | null;
  /** The sentence it was answered with, in the reader's language. */
  message: string | null;
  details: Record<string, unknown>;
  createdAt: string;
}

export interface ActivityQuery {
  action: string;
  deviceId: string;
  page: number;
}

export async function listActivity(query: ActivityQuery) {
  const data = await getData<{ activity: Activity[]; usage: Record<string, number>; pagination: Pagination }>(
    `${BASE}/activity`,
    { query: { ...query, limit: 50 } },
  );
  return { rows: data.activity, pagination: data.pagination, usage: data.usage };
}
