// What stands around the content of a message, and content that is neither text nor file, as the server describes them.
import type { Message } from '../api/types';

export interface Quoted {
  messageId: string;
  from: string | null;
  fromMe: boolean;
  messageType: string;
  text: string | null;
}

export interface Reaction {
  emoji: string;
  from: string | null;
  fromMe: boolean;
}

/** What a message does not have is absent. */
export interface Marks {
  quoted?: Quoted;
  reactions?: Reaction[];
  edited?: boolean;
  deleted?: boolean;
  forwarded?: boolean;
  starred?: boolean;
  viewOnce?: boolean;
}

export interface Place {
  latitude: number;
  longitude: number;
  name?: string;
  address?: string;
  live?: boolean;
}

export interface Card {
  name: string;
  phones: string[];
}

export interface Poll {
  question: string;
  options: { name: string; votes: number }[];
  voters: number;
}

export interface Parts {
  location?: Place;
  contacts?: Card[];
  poll?: Poll;
}

export const marksOf = (message: Message): Marks => message as Marks;
export const partsOf = (message: Message): Parts => message.content as Parts;

/** Marks that a message may lose again; a newer state of it replaces them even when it has none. */
export const NO_MARKS: Marks = { quoted: undefined, reactions: undefined, edited: undefined, deleted: undefined, starred: undefined };

/** How long its author may rewrite a text. */
const REWRITE_MS = 15 * 60_000;

export const mayRewrite = (message: Message, now: number): boolean =>
  message.fromMe &&
  message.messageType === 'conversation' &&
  message.status !== 'pending' &&
  message.status !== 'failed' &&
  now - message.timestamp < REWRITE_MS;
