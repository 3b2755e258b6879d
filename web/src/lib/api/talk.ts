// What people do with messages of a chat.
import { call } from './client';
import { devicePath } from './devices';
import type { SentMessage } from './types';

const path = (deviceId: string, jid: string, messageId: string) =>
  `${devicePath(deviceId)}/chats/${encodeURIComponent(jid)}/messages/${encodeURIComponent(messageId)}`;

export const reply = (deviceId: string, jid: string, messageId: string, message: string, idempotencyKey: string) =>
  call<SentMessage>('POST', `${path(deviceId, jid, messageId)}/reply`, { body: { message }, idempotencyKey });

/** Reacts to a message; an empty emoji takes the reaction back. */
export const react = (deviceId: string, jid: string, messageId: string, emoji: string) =>
  call('POST', `${path(deviceId, jid, messageId)}/reaction`, { body: { emoji } });

export const rewrite = (deviceId: string, jid: string, messageId: string, message: string) =>
  call('PUT', path(deviceId, jid, messageId), { body: { message } });

/** Sends the content of a message on to another chat. */
export const forward = (deviceId: string, jid: string, messageId: string, to: string, idempotencyKey: string) =>
  call<SentMessage>('POST', `${path(deviceId, jid, messageId)}/forward`, { body: { to }, idempotencyKey });

/** Marks a message on all devices of the account, or takes the mark away. */
export const star = (deviceId: string, jid: string, messageId: string, starred: boolean) =>
  call('PUT', `${path(deviceId, jid, messageId)}/star`, { body: { starred } });

/** Deletes a message for everyone. */
export const deleteMessage = (deviceId: string, jid: string, messageId: string) =>
  call('DELETE', path(deviceId, jid, messageId));
