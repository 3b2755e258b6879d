// The file of a message as the server describes it, and how large it stands in the chat.
import type { Message } from '../api/types';

/** How far an incoming file is: here, on its way, not fetched on purpose, or lost. */
export type MediaState = 'ready' | 'pending' | 'skipped' | 'failed';

/** What a message's content says about its file; texts have none of it. */
export interface MediaContent {
  caption?: string | null;
  mimetype?: string | null;
  fileName?: string | null;
  /** Where the file is, for a while; see `fileUrl`. */
  url?: string | null;
  size?: number | null;
  width?: number | null;
  height?: number | null;
  seconds?: number | null;
  /** 64 loudness values from 0 to 100, base64. */
  waveform?: string | null;
  /** A small JPEG, base64. */
  thumbnail?: string | null;
  mediaState?: MediaState | null;
}

export const mediaOf = (message: Message): MediaContent => message.content as MediaContent;

const MOST_WIDE = 300;
const MOST_HIGH = 340;
const UNKNOWN = { width: 260, height: 200 };

/** The place that a picture takes: known before it is loaded, so that nothing jumps when it comes. */
export function boxOf(media: MediaContent): { width: number; height: number } {
  const { width, height } = media;
  if (!width || !height) return UNKNOWN;
  const scale = Math.min(1, MOST_WIDE / width, MOST_HIGH / height);
  return { width: Math.max(120, Math.round(width * scale)), height: Math.max(72, Math.round(height * scale)) };
}

export const thumbnailUrl = (media: MediaContent): string | null =>
  media.thumbnail ? `data:image/jpeg;base64,${media.thumbnail}` : null;

/** The bars of a voice note, 0 to 1; even ones when the sender's phone made none. */
export function barsOf(media: MediaContent): number[] {
  const QUIET = 0.12;
  if (!media.waveform) return Array.from({ length: 48 }, () => QUIET);
  try {
    const bytes = Array.from(atob(media.waveform), (letter) => letter.charCodeAt(0));
    return bytes.map((loudness) => Math.max(QUIET, Math.min(1, loudness / 100)));
  } catch {
    return barsOf({});
  }
}

/** Where the file is on this site: links name the public address, and the page may be open under another one. */
export function fileUrl(media: MediaContent): string | null {
  if (!media.url) return null;
  const { pathname, search } = new URL(media.url, location.href);
  return pathname + search;
}
