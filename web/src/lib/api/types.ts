// What the server sends. Times come in three forms (see lib/text/time.ts): local text, ISO text, epoch ms.

export type Language = 'id' | 'en';

export interface User {
  id: number;
  username: string;
  email: string;
  role: 'admin' | 'user';
  fullName?: string | null;
  language?: Language | null;
  createdAt?: string;
  lastLogin?: string | null;
}

export interface SessionInfo {
  authenticated: boolean;
  claimed: boolean;
  sandbox: boolean;
  registrationOpen: boolean;
  version: string;
  user?: User | null;
}

export interface Token {
  id: number | string;
  name: string;
  prefix: string;
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
}

export type DeviceStatus =
  | 'created'
  | 'disconnected'
  | 'connecting'
  | 'qr_required'
  | 'pairing'
  | 'connected'
  | 'cancelled'
  | 'error';

export interface Device {
  deviceId: string;
  deviceName: string;
  status: DeviceStatus;
  isConnected: boolean;
  phoneNumber: string | null;
  createdAt: string;
  lastActivity: string | null;
  connectionAttempts: number;
  /** The phone has linked it: it connects without a QR. */
  isLinked: boolean;
  /** Why it is not connected, as a code and as a sentence that says what to do. */
  reason: string | null;
  statusMessage: string | null;
}

export interface DeviceStats {
  total: number;
  connected: number;
  disconnected: number;
  withPhoneNumber: number;
  createdToday: number;
}

/** How far linking has come; the order of the steps on the link screen. */
export type LinkStep = 'waiting' | 'scanned' | 'synchronising' | 'connected';

export type MessageStatus = 'pending' | 'sent' | 'delivered' | 'read' | 'failed';

export interface ChatSummary {
  jid: string;
  name: string | null;
  phoneNumber: string | null;
  unreadCount: number;
  lastActivity: string | null;
  lastMessage: {
    id: string;
    text: string | null;
    fromMe: boolean;
    timestamp: number;
    messageType: string;
    status: MessageStatus | null;
  } | null;
}

export interface ChatPage {
  chats: ChatSummary[];
  hasMore: boolean;
  nextBefore: string | number | null;
}

export interface MessageContent {
  text?: string | null;
  caption?: string | null;
  mimetype?: string | null;
  fileName?: string | null;
  url?: string | null;
}

export interface Message {
  id: string;
  from: string;
  fromMe: boolean;
  messageType: string;
  content: MessageContent;
  timestamp: number;
  status: MessageStatus | null;
  error: string | null;
}

export interface HistoryPage {
  jid: string;
  messages: Message[];
  total: number;
  hasMore: boolean;
}

export interface SentMessage {
  deviceId: string;
  messageId: string;
  timestamp: string;
  to: string;
  status: MessageStatus;
}

export type JobStatus = 'queued' | 'processing' | 'paused' | 'completed' | 'failed' | 'cancelled';

export interface JobProgress {
  total: number;
  currentIndex: number;
  successCount: number;
  errorCount: number;
  completed: number;
  failed: number;
  pending: number;
}

export interface JobResult {
  to?: string;
  groupId?: string;
  status: 'success' | 'error' | string;
  messageId?: string;
  timestamp?: string;
  error?: string;
}

export interface Job {
  id: string;
  jobId: string;
  type: string;
  deviceId: string;
  status: JobStatus;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  progress: JobProgress;
  results?: JobResult[];
}

export interface Pagination {
  page: number;
  limit: number;
  total: number;
  totalPages: number;
}

/** The live events the dashboard understands; others are ignored. */
export type LiveEvent =
  | { type: 'connected' }
  | { type: 'token-expired' }
  | { type: 'qr-code'; deviceId: string; qr: string; qrString: string; expiresAt: string }
  | { type: 'pairing-code'; deviceId: string; pairingCode: string; expiresAt: string }
  | {
      type: 'whatsapp-status' | 'device-status';
      deviceId: string;
      status: DeviceStatus;
      isConnected: boolean;
      phoneNumber: string | null;
      step?: LinkStep | null;
      reason?: string | null;
      message?: string | null;
    }
  | { type: 'passkey-request'; deviceId: string }
  | {
      type: 'message.received' | 'message.sent';
      deviceId: string;
      chatJid: string;
      from: string;
      fromMe: boolean;
      message: string | null;
      messageId: string;
      messageType: string;
      status: MessageStatus;
      timestamp: string | number;
      jobId: string | null;
    }
  | {
      type: 'message.status';
      deviceId: string;
      messageId: string;
      chatJid?: string;
      status: MessageStatus;
    }
  | {
      type: 'job.progress' | 'job.completed' | 'job.failed' | 'job.cancelled' | 'job.paused' | 'job.resumed';
      jobId: string;
      deviceId: string;
      status: JobStatus;
      progress: JobProgress;
    }
  | { type: 'device.created' | 'device.updated' | 'device.deleted'; deviceId: string };
