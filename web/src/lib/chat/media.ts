// How the file of a message stands in the chat.
import type { Content } from '../api/types';

const MOST_WIDE = 300;
const MOST_HIGH = 340;
const UNKNOWN = { width: 260, height: 200 };

/** The place that a picture takes: known before it is loaded, so that nothing jumps when it comes. */
export function boxOf(media: Content): { width: number; height: number } {
  const { width, height } = media;
  if (!width || !height) return UNKNOWN;
  const scale = Math.min(1, MOST_WIDE / width, MOST_HIGH / height);
  return { width: Math.max(120, Math.round(width * scale)), height: Math.max(72, Math.round(height * scale)) };
}

export const thumbnailUrl = (media: Content): string | null =>
  media.thumbnail ? `data:image/jpeg;base64,${media.thumbnail}` : null;

/** The bars of a voice note, 0 to 1; even ones when the sender's phone made none. */
export function barsOf(media: Content): number[] {
  const QUIET = 0.12;
  if (!media.waveform) return Array.from({ length: 48 }, () => QUIET);
  try {
    const bytes = Array.from(atob(media.waveform), (letter) => letter.charCodeAt(0));
    return bytes.map((loudness) => Math.max(QUIET, Math.min(1, loudness / 100)));
  } catch {
    return barsOf({ text: null });
  }
}

/** Where the file is on this site: links name the public address, and the page may be open under another one. */
export function fileUrl(media: Content): string | null {
  if (!media.url) return null;
  const { pathname, search } = new URL(media.url, location.href);
  return pathname + search;
}
