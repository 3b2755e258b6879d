import { t, type Key } from '../../lib/i18n/index.svelte';

const kinds: Record<string, Key> = {
  imageMessage: 'kind.image',
  videoMessage: 'kind.video',
  audioMessage: 'kind.audio',
  documentMessage: 'kind.document',
  stickerMessage: 'kind.sticker',
  locationMessage: 'kind.location',
  contactMessage: 'kind.contact',
  reactionMessage: 'kind.reaction',
  contactsArrayMessage: 'kind.contact',
  liveLocationMessage: 'kind.live_location',
  pollCreationMessage: 'kind.poll',
  pollCreationMessageV3: 'kind.poll',
  deleted: 'chat.deleted',
};

/** Whether a message of this type is plain text. */
export const isText = (type: string): boolean => type === 'conversation' || type === 'extendedTextMessage';

/** Names what a message is when it is not text. */
export const kindName = (type: string): string => t(kinds[type] ?? 'kind.other');

/** One line standing for a message. */
export const preview = (type: string, text: string | null): string => text || (isText(type) ? '' : kindName(type));
