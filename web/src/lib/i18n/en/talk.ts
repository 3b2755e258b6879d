// The texts of id/talk.ts in English.
import type { talk as source } from '../id/talk';

export const talk: Record<keyof typeof source, string> = {
  // history
  'chat.to_newest': 'To the newest message',
  'chat.not_reached': "That message is no longer in this chat's history.",
  'composer.people': 'People to mention',
};
