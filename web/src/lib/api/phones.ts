// The control API of the simulated network (sandbox builds, administrators). Its answers carry no envelope.
import { call } from './client';
import type { MessageStatus } from './types';

export interface Companion {
  device: number;
  jid: string;
  platform: string | null;
  online: boolean;
}

export interface Phone {
  phone: string;
  jid: string;
  name: string | null;
  companions: Companion[];
}

export interface PhoneMessage {
  id: string;
  /** Number of the other side. */
  chat: string;
  from: string;
  fromMe: boolean;
  type: string;
  text: string | null;
  caption: string | null;
  timestamp: number;
  deliveries: number;
  status: MessageStatus | 'played';
}

/** A rule of misbehaviour; sandbox/README.md lists what each member does. */
export interface Fault {
  phone?: string;
  device?: number;
  count?: number;
  lostAck?: boolean;
  delayedAckMs?: number;
  refuse?: number;
  dropConnection?: boolean;
  streamError?: number;
  pauseMs?: number;
}

const path = (phone: string, rest: string) => `/sandbox/phones/${encodeURIComponent(phone)}/${rest}`;

async function plain<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await call<never>(method, path, { body })) as T;
}

export const listPhones = () => plain<Phone[]>('GET', '/sandbox/phones');

export const createPhone = (phone: string, name: string) =>
  plain<Phone>('POST', '/sandbox/phones', { phone, name: name || undefined });

export const scan = (phone: string, qr: string) =>
  plain<{ deviceJid: string }>('POST', path(phone, 'scan'), { qr });

export const enterCode = (phone: string, code: string) =>
  plain<{ deviceJid: string }>('POST', path(phone, 'enter-code'), { code });

export const unlink = (phone: string, device: number) =>
  plain<unknown>('DELETE', path(phone, `companions/${device}`));

export const listPhoneMessages = (phone: string) => plain<PhoneMessage[]>('GET', path(phone, 'messages'));

export const sendAsPhone = (phone: string, to: string, text: string) =>
  plain<{ id: string }>('POST', path(phone, 'messages'), { to, text });

export const markRead = (phone: string, id: string) =>
  plain<unknown>('POST', path(phone, 'receipts'), { id, type: 'read' });

export const listFaults = () => plain<{ active: Fault[] }>('GET', '/sandbox/faults');

export const setFault = (fault: Fault) => plain<{ active: Fault[] }>('PUT', '/sandbox/faults', fault);

export const clearFaults = () => plain<{ active: Fault[] }>('DELETE', '/sandbox/faults');
