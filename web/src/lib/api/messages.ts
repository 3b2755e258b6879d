import { call, getData } from './client';
import { BASE, devicePath, groupPath } from './devices';
import type { MediaKind } from '../files';
import { upload } from './upload';
import type { ChatChange, ChatPage, CreatedJob, HistoryPage, Job, JobList, SentMessage } from './types';

export const listChats = (deviceId: string, query: { search?: string; limit?: number; before?: string }) =>
  getData<ChatPage>(`${devicePath(deviceId)}/chats`, { query });

/** The chats that are kept on top of the list, however old they are. */
export const listPinned = (deviceId: string) =>
  getData<ChatPage>(`${devicePath(deviceId)}/chats`, { query: { pinned: 'true', limit: 100 } });

export const markChatRead = (deviceId: string, jid: string) =>
  call('POST', `${devicePath(deviceId)}/chats/${encodeURIComponent(jid)}/read`);

/** Sets what is given on all devices of the account; what is absent stays. */
export const setChat = (deviceId: string, jid: string, changes: ChatChange) =>
  call('PUT', `${devicePath(deviceId)}/chats/${encodeURIComponent(jid)}/settings`, { body: changes });

/** With `source: 'whatsapp'` the phone is asked for what the store does not have. */
export const chatHistory = (
  deviceId: string,
  jid: string,
  query: { limit?: number; before?: string; source?: 'whatsapp'; waitSeconds?: number },
) =>
  getData<HistoryPage>(`${devicePath(deviceId)}/chat-history/${encodeURIComponent(jid)}`, {
    query: { source: 'store', ...query },
  });

export const sendMessage = (deviceId: string, to: string, message: string, idempotencyKey: string) =>
  call<SentMessage>('POST', `${devicePath(deviceId)}/send-message`, { body: { to, message }, idempotencyKey });

/** Sends a text to a group; `{m1}`, `{m2}` … in it stand for the people who are mentioned. */
export const sendToGroup = (deviceId: string, groupId: string, message: string, mentions: string[], idempotencyKey: string) =>
  mentions.length === 0
    ? call<SentMessage>('POST', `${devicePath(deviceId)}/send-group-message`, { body: { groupId, message }, idempotencyKey })
    : call<SentMessage>('POST', `${groupPath(deviceId, groupId)}/mention-message`, {
        body: { message, mentions },
        idempotencyKey,
      });

/** What is neither text nor file. */
export type Special =
  | { kind: 'location'; latitude: number; longitude: number; name?: string }
  | { kind: 'contact'; contacts: { name: string; phone: string }[] }
  /** `selectableCount` 0 lets people choose any number of options. */
  | { kind: 'poll'; question: string; options: string[]; selectableCount: number };

export const sendSpecial = (
  deviceId: string,
  to: string,
  { kind, ...content }: Special,
  quotedMessageId: string | undefined,
  idempotencyKey: string,
) =>
  call<SentMessage>('POST', `${devicePath(deviceId)}/send-${kind}`, {
    body: { to, quotedMessageId, ...content },
    idempotencyKey,
  });

export interface OutgoingMedia {
  /** A person or a group. */
  to: string;
  mediaType: MediaKind | 'voice';
  caption: string;
  file: File;
  /** It can be opened once and is gone then. */
  viewOnce: boolean;
}

export function sendMedia(
  deviceId: string,
  { to, mediaType, caption, file, viewOnce }: OutgoingMedia,
  idempotencyKey: string,
  onprogress: (share: number) => void,
) {
  const isGroup = to.endsWith('@g.us');
  const form = new FormData();
  if (!isGroup) form.set('to', to);
  form.set('mediaType', mediaType);
  if (viewOnce) form.set('viewOnce', 'true');
  if (caption) form.set('caption', caption);
  form.set('file', file, file.name);
  const path = isGroup ? groupPath(deviceId, to) : devicePath(deviceId);
  return upload<SentMessage>(`${path}/send-media`, form, { idempotencyKey, onprogress });
}

export interface BulkItem {
  to: string;
  message: string;
}

export const createTextJob = (
  deviceId: string,
  messages: BulkItem[],
  delay: number | undefined,
  idempotencyKey: string,
) =>
  call<CreatedJob>('POST', `${devicePath(deviceId)}/jobs/send-text`, {
    body: { messages, delay },
    idempotencyKey,
  });

export interface MediaItem {
  to: string;
  mediaType: MediaKind;
  caption: string;
  /** Which of the uploaded files, from 0. */
  fileIndex: number;
}

/** Stores a file and sends it to many, each with a caption of its own. */
export function createMediaJob(
  deviceId: string,
  items: MediaItem[],
  file: File,
  delay: number | undefined,
  idempotencyKey: string,
  onprogress: (share: number) => void,
) {
  const form = new FormData();
  form.set('items', JSON.stringify(items));
  if (delay !== undefined) form.set('delay', String(delay));
  form.set('file', file, file.name);
  return upload<CreatedJob>(`${devicePath(deviceId)}/jobs/send-media`, form, { idempotencyKey, onprogress });
}

export const listJobs = (query: { status?: string; deviceId?: string; page?: number; limit?: number }) =>
  getData<JobList>(`${BASE}/jobs`, { query });

export const getJob = (id: string) => getData<Job>(`${BASE}/jobs/${encodeURIComponent(id)}`);

export const cancelJob = (id: string) => call('POST', `${BASE}/jobs/${encodeURIComponent(id)}/cancel`);

export const pauseJob = (id: string) => call('POST', `${BASE}/jobs/${encodeURIComponent(id)}/pause`);

export const resumeJob = (id: string) => call('POST', `${BASE}/jobs/${encodeURIComponent(id)}/resume`);

/** Queues the failed entries of an ended job again. */
export const retryJob = (id: string) => call('POST', `${BASE}/jobs/${encodeURIComponent(id)}/retry`);
