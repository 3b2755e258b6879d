// Files that people pick, paste or drop: what they are sent as, and whether the server will take them.
import { t } from './i18n/index.svelte';
import { fileSize } from './text/size';

/** Largest file of a message, in bytes. */
export const FILE_MAX = 16 * 1024 * 1024;

/** What the server takes, for the file picker. */
export const ACCEPTED =
  'image/jpeg,image/png,image/gif,video/mp4,video/avi,video/x-msvideo,audio/ogg,audio/mpeg,audio/mp4,audio/aac,application/pdf,application/msword,.doc,.avi,.m4a';

export type MediaKind = 'image' | 'video' | 'audio' | 'document';

const PICTURES = ['image/jpeg', 'image/png'];
const FILMS = ['video/mp4', 'video/avi', 'video/x-msvideo'];
const SOUNDS = ['audio/ogg', 'audio/mpeg', 'audio/mp3', 'audio/mp4', 'audio/x-m4a', 'audio/aac'];
const PAPERS = ['application/pdf', 'application/msword', 'image/gif'];

/** How a file shows on the phone; a GIF goes as a document, because phones do not move it as a picture. */
export function kindOf(file: File): MediaKind {
  if (PICTURES.includes(file.type)) return 'image';
  if (SOUNDS.includes(file.type)) return 'audio';
  return FILMS.includes(file.type) ? 'video' : 'document';
}

/** Says why a file cannot be sent, or null. */
export function fileProblem(file: File): string | null {
  if (file.size > FILE_MAX) return t('file.too_large', { name: file.name, most: fileSize(FILE_MAX) });
  if (file.size === 0) return t('file.empty', { name: file.name });
  if (![...PICTURES, ...FILMS, ...SOUNDS, ...PAPERS].includes(file.type)) return t('file.wrong_type', { name: file.name });
  return null;
}
