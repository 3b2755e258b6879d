import type { PhoneMessage } from '../../lib/api/phones';
import { t, type Key } from '../../lib/i18n/index.svelte';

const kinds: Record<string, Key> = {
  image: 'kind.image',
  video: 'kind.video',
  audio: 'kind.audio',
  document: 'kind.document',
  sticker: 'kind.sticker',
  location: 'kind.location',
  contact: 'kind.contact',
  reaction: 'kind.reaction',
  revoke: 'kind.revoked',
};

/** What a phone shows for a message: its text, or what kind it is. */
export const phonePreview = (message: PhoneMessage): string =>
  message.text ?? message.caption ?? t(kinds[message.type] ?? 'kind.other');
