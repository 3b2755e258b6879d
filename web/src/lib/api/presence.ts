// Being told whether a person is there.
import { call } from './client';
import { devicePath } from './devices';

const path = (deviceId: string, jid: string) =>
  `${devicePath(deviceId)}/chats/${encodeURIComponent(jid)}/presence/subscription`;

/** The state at this moment comes as an event. */
export const follow = (deviceId: string, jid: string) => call('PUT', path(deviceId, jid));

export const unfollow = (deviceId: string, jid: string) => call('DELETE', path(deviceId, jid));
