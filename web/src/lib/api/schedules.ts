import type { Pagination } from './types';
import { call, getData } from './client';
import { BASE, devicePath } from './devices';

export type ScheduleStatus = 'pending' | 'paused' | 'sent' | 'failed' | 'cancelled';

export interface Schedule {
  scheduledMessageId: string;
  deviceId: string;
  to: string;
  /** The text, or the caption of a file. */
  message: string | null;
  /** Wall-clock time in `timezone` of the next run, or of the last one. */
  scheduleTime: string;
  timezone: string;
  status: ScheduleStatus;
  errorMessage: string | null;
  createdAt: string;
  sentAt: string | null;
  /** When it comes again, as a cron expression; null when it goes out once. */
  cron: string | null;
  /** Runs that were made. */
  runs: number;
}

export interface NewSchedule {
  to: string;
  message: string;
  scheduleTime?: string;
  timezone: string;
  cron?: string;
}

export interface ScheduleQuery {
  status: string;
  page: number;
}

export async function listSchedules(query: ScheduleQuery) {
  const data = await getData<{ scheduledMessages: Schedule[]; pagination: Pagination }>(
    `${BASE}/scheduled-messages`,
    { query: { ...query, limit: 20 } },
  );
  return { rows: data.scheduledMessages, pagination: data.pagination };
}

export const createSchedule = (deviceId: string, schedule: NewSchedule, idempotencyKey: string) =>
  call<{ scheduledMessageId: string; delaySeconds: number }>('POST', `${devicePath(deviceId)}/schedule-message`, {
    body: schedule,
    idempotencyKey,
  });

const steer = (verb: string) => (id: string) =>
  call('POST', `${BASE}/scheduled-messages/${encodeURIComponent(id)}/${verb}`);

export const cancelSchedule = steer('cancel');
export const pauseSchedule = steer('pause');
export const resumeSchedule = steer('resume');
