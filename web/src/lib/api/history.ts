import { getData } from './client';
import { BASE, devicePath } from './devices';
import type { Message } from './types';

/** A message that was found, and where it stands. */
export type Hit = Message & { deviceId: string; jid: string; chatName: string | null };

export interface HitPage {
  messages: Hit[];
  hasMore: boolean;
  nextBefore: string | null;
}

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

/** What happened in one chat on one day. */
export interface ChatOfDay {
  jid: string;
  name: string | null;
  phoneNumber: string | null;
  incomingMessages: number;
  outgoingMessages: number;
  unreadMessages: number;
  lastActivity: string;
  responseRate: number;
}

export interface DayOfChats {
  contacts: ChatOfDay[];
  summary: {
    totalContacts: number;
    totalIncomingMessages: number;
    totalOutgoingMessages: number;
    totalUnreadMessages: number;
    averageResponseRate: number;
  };
  pagination: { hasMore: boolean };
}

export const chatsOfDay = (deviceId: string, date: string) =>
  getData<DayOfChats>(`${devicePath(deviceId)}/daily-chat-list`, {
    query: { date, includeGroups: 'true', limit: 1000 },
  });
