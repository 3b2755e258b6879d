import { getData } from './client';
import { BASE, devicePath } from './devices';
import type { DayOfChats, HitPage } from './types';

export interface SearchQuery {
  q: string;
  /** Days on the clocks of Asia/Jakarta, or empty. */
  startDate: string;
  endDate: string;
  before?: string;
}

/** Finds messages by their words, on one device or on all own ones. */
export const searchMessages = (deviceId: string, query: SearchQuery) =>
  getData<HitPage>(`${deviceId ? devicePath(deviceId) : BASE}/messages/search`, { query: { ...query } });

export const chatsOfDay = (deviceId: string, date: string) =>
  getData<DayOfChats>(`${devicePath(deviceId)}/daily-chat-list`, {
    query: { date, includeGroups: 'true', limit: 1000 },
  });
