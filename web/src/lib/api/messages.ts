import { call, getData } from './client';
import { BASE, devicePath, groupPath } from './devices';
import type { ChatPage, CreatedJob, HistoryPage, Job, JobList, SentMessage } from './types';

export const listChats = (deviceId: string, query: { search?: string; limit?: number; before?: string }) =>
  getData<ChatPage>(`${devicePath(deviceId)}/chats`, { query });

export const markChatRead = (deviceId: string, jid: string) =>
  call('POST', `${devicePath(deviceId)}/chats/${encodeURIComponent(jid)}/read`);

export const chatHistory = (deviceId: string, jid: string, query: { limit?: number; before?: string }) =>
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

export const listJobs = (query: { status?: string; deviceId?: string; page?: number; limit?: number }) =>
  getData<JobList>(`${BASE}/jobs`, { query });

export const getJob = (id: string) => getData<Job>(`${BASE}/jobs/${encodeURIComponent(id)}`);

export const cancelJob = (id: string) => call('POST', `${BASE}/jobs/${encodeURIComponent(id)}/cancel`);

export const pauseJob = (id: string) => call('POST', `${BASE}/jobs/${encodeURIComponent(id)}/pause`);

export const resumeJob = (id: string) => call('POST', `${BASE}/jobs/${encodeURIComponent(id)}/resume`);

/** Queues the failed entries of an ended job again. */
export const retryJob = (id: string) => call('POST', `${BASE}/jobs/${encodeURIComponent(id)}/retry`);
