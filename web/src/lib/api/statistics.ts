import { getData } from './client';
import { BASE, devicePath } from './devices';
import type { DeviceDay, DeviceStatistics, OwnStatistics } from './types';

export const deviceStatistics = (deviceId: string, startDate: string, endDate: string) =>
  getData<DeviceStatistics>(`${devicePath(deviceId)}/statistics`, { query: { startDate, endDate } });

export const deviceDay = (deviceId: string, date: string) =>
  getData<DeviceDay>(`${devicePath(deviceId)}/statistics/daily`, { query: { date } });

/** What the caller has and did. */
export const ownStatistics = () => getData<OwnStatistics>(`${BASE}/user/statistics`);
