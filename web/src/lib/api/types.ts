// What the server sends. Shapes of answers come from its own description (`npm run types` makes generated.ts
// from docs/openapi.json); only the live events, which OpenAPI cannot describe, are written down here.
// Times come in three forms, see lib/text/time.ts.
import type { DeviceStatus, JobStatus, MessageStatus, Progress } from './generated';

export type {
  ChatView as ChatSummary,
  ChatsView as ChatPage,
  ConnectView,
  CreatedDevice,
  CreatedJob,
  CreatedToken,
  DeviceList,
  DeviceStatus,
  DeviceView as Device,
  HistoryView as HistoryPage,
  ItemView as JobResult,
  JobList,
  JobStatus,
  JobView as Job,
  MessageStatus,
  MessageView as Message,
  Pagination,
  PairingView,
  Progress,
  QrView,
  SentView as SentMessage,
  SessionView as SessionInfo,
  TokenList,
  TokenView as Token,
  UserData,
  UserView as User,
} from './generated';

export type Language = 'id' | 'en';

/** How far linking has come; the order of the steps on the link screen. */
export type LinkStep = 'waiting' | 'scanned' | 'synchronising' | 'connected';

/** The live events the dashboard understands; others are ignored. */
/** What is set for a chat on all devices of the account. */
export interface ChatChange {
  archived?: boolean;
  pinned?: boolean;
  muted?: boolean;
}

export type LiveEvent =
  | { type: 'connected' }
  | { type: 'token-expired' }
  | { type: 'qr-code'; deviceId: string; qrString: string; expiresAt: string }
  | { type: 'pairing-code'; deviceId: string; pairingCode: string; expiresAt: string }
  | {
      type: 'whatsapp-status' | 'device-status';
      deviceId: string;
      status: DeviceStatus;
      isConnected: boolean;
      phoneNumber: string | null;
      step: LinkStep | null;
      reason: string | null;
      message: string | null;
    }
  | { type: 'passkey-request'; deviceId: string }
  | {
      type: 'message.received' | 'message.sent';
      deviceId: string;
      chatJid: string;
      from: string | null;
      fromMe: boolean;
      pushName: string | null;
      message: string | null;
      messageId: string;
      messageType: string;
      status: MessageStatus;
      timestamp: string;
      jobId: string | null;
    }
  | {
      type: 'message.media' | 'message.reaction' | 'message.edited' | 'message.deleted' | 'message.vote';
      deviceId: string;
      chatJid: string;
      messageId: string;
    }
  | { type: 'message.status'; deviceId: string; messageId: string; chatJid: string; status: MessageStatus }
  | {
      type: 'job.progress' | 'job.completed' | 'job.failed' | 'job.cancelled' | 'job.paused' | 'job.resumed';
      jobId: string;
      deviceId: string;
      status: JobStatus;
      progress: Progress;
    }
  | ({ type: 'chat.updated'; deviceId: string; chatJid: string } & ChatChange)
  | {
      type: 'history.progress';
      deviceId: string;
      kind: string;
      progress: number | null;
      chats: number;
      messages: number;
    }
  | { type: 'scheduled.sent' | 'scheduled.failed'; scheduledMessageId: string; deviceId: string }
  | { type: 'group.participants' | 'group.updated' | 'group.joined' | 'group.deleted'; deviceId: string; groupId: string }
  | { type: 'device.created' | 'device.updated' | 'device.deleted'; deviceId: string };
