// The texts of id/talk.ts in English.
import type { talk as source } from '../id/talk';

export const talk: Record<keyof typeof source, string> = {
  // media
  'media.pending': 'Downloading',
  'media.failed': 'No longer available',
  'media.skipped': 'Not downloaded',
  'media.open': 'Enlarge: {name}',
  'media.download': 'Save',
  'media.play': 'Play',
  'media.pause': 'Pause',
  'media.position': 'Position',
  'media.time_of': '{at} of {length}',
  'media.speed': 'Change the speed',

  // history
  'chat.to_newest': 'To the newest message',
  'chat.not_reached': "That message is no longer in this chat's history.",
  'chat.you': 'You',
  'chat.reactions': 'Reactions: {people}',
  'chat.forwarded': 'Forwarded',
  'chat.edited': 'Edited',
  'chat.deleted': 'This message was deleted',
  'chat.map': 'See on a map',
  'chat.voters': '{count} person voted|{count} people voted',
  'chat.actions': 'Options for this message',
  'chat.react': 'React',
  'chat.reply': 'Reply',
  'chat.copy': 'Copy the text',
  'chat.copied': 'Text copied',
  'chat.edit': 'Edit',
  'chat.delete': 'Delete for everyone',
  'chat.delete_title': 'Delete this message for everyone?',
  'chat.delete_loses': "The message disappears from everybody's chat. Who has read it still knows what it said.",
  'composer.answering': 'Replying to {name}',
  'composer.changing': 'Editing the message',
  'composer.back': 'Cancel',
  'kind.live_location': 'Live location',
  'composer.attach': 'Attach a file',
  'composer.caption': 'Add a caption',
  'composer.people': 'People to mention',
};
