// What the server sends. Shapes of answers come from its own description (`npm run types` makes generated.ts
// from docs/openapi.json); only the live events, which OpenAPI cannot describe, are written down here.
// Times come in three forms, see lib/text/time.ts.
import type { DeviceStatus, JobStatus, LinkPreview, MessageStatus, Progress } from './generated';

export type {
  CardView as Card,
  ChatView as ChatSummary,
  ChatsView as ChatPage,
  ConnectView,
  ContentView as Content,
  CreatedDevice,
  CreatedJob,
  CreatedToken,
  DailyView as DayOfChats,
  DailyView2 as DeviceDay,
  DeviceList,
  DeviceStatus,
  DeviceView as Device,
  HistoryView as HistoryPage,
  HitView as Hit,
  ItemView as JobResult,
  JobList,
  JobStatus,
  JobView as Job,
  LinkPreview,
  MediaState,
  MessageStatus,
  MessageView as Message,
  OwnView as OwnStatistics,
  Pagination,
  PostView as Post,
  PostsView,
  PairingView,
  Place,
  PollView as Poll,
  Progress,
  QrView,
  QuoteView as Quoted,
  RangeView as DeviceStatistics,
  ReactionView as Reaction,
  SearchView as HitPage,
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

/** What is set for a chat on all devices of the account. */
export interface ChatChange {
  archived?: boolean;
  pinned?: boolean;
  muted?: boolean;
}

/** The live events the dashboard understands; others are ignored. */
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
      bannedUntil: string | null;
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
      linkPreview?: LinkPreview;
    }
  | {
      type: 'message.media' | 'message.reaction' | 'message.edited' | 'message.deleted' | 'message.vote';
      deviceId: string;
      chatJid: string;
      messageId: string;
    }
  | {
      type: 'chat.presence';
      deviceId: string;
      chatJid: string;
      chatLid: string | null;
      from: string;
      state: 'composing' | 'recording' | 'paused';
    }
  | {
      type: 'contact.presence';
      deviceId: string;
      jid: string;
      lid: string | null;
      presence: 'available' | 'unavailable';
      lastSeen: string | null;
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
  | {
      type: 'status-post.received' | 'status-post.sent' | 'status-post.failed' | 'status-post.deleted';
      deviceId: string;
      messageId: string;
    }
  | { type: 'device.created' | 'device.updated' | 'device.deleted'; deviceId: string };
