// What stands around the content of a message.
import type { Message } from '../api/types';

/** Marks that a message may lose again; a newer state of it replaces them even when it has none. */
export const NO_MARKS: Partial<Message> = {
  quoted: undefined,
  reactions: undefined,
  edited: undefined,
  deleted: undefined,
  starred: undefined,
};

/** How long its author may rewrite a text. */
const REWRITE_MS = 15 * 60_000;

export const mayRewrite = (message: Message, now: number): boolean =>
  message.fromMe &&
  message.messageType === 'conversation' &&
  message.status !== 'pending' &&
  message.status !== 'failed' &&
  now - message.timestamp < REWRITE_MS;
