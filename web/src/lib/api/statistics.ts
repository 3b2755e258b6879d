import { getData } from './client';
import { devicePath } from './devices';

export interface Figures {
  incomingMessages: number;
  outgoingMessages: number;
  /** Chats in which something was written. */
  activeChats: number;
  /** Percentage of incoming messages that were followed by an answer on the same day. */
  responseRate: number;
}

export interface DayFigures extends Figures {
  /** `YYYY-MM-DD` on the clocks of Asia/Jakarta. */
  date: string;
}

export interface DeviceStatistics {
  statistics: DayFigures[];
  summary: Figures;
}

export interface HourFigures {
  /** 0 to 23, on the clocks of Asia/Jakarta. */
  hour: number;
  incomingMessages: number;
  outgoingMessages: number;
}

export type DeviceDay = DayFigures & { hourly: HourFigures[] };

/** What the caller has and did. */
export interface OwnStatistics {
  devices: { total: number; connected: number };
  messages: { sent: number; received: number; failed: number; today: { sent: number; received: number } };
}

export const deviceStatistics = (deviceId: string, startDate: string, endDate: string) =>
  getData<DeviceStatistics>(`${devicePath(deviceId)}/statistics`, { query: { startDate, endDate } });

export const deviceDay = (deviceId: string, date: string) =>
  getData<DeviceDay>(`${devicePath(deviceId)}/statistics/daily`, { query: { date } });

export const ownStatistics = () => getData<OwnStatistics>('/api/whatsapp-multi-device/user/statistics');
