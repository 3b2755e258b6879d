// The texts of id/insight.ts in English.
import type { insight as source } from '../id/insight';

export const insight: Record<keyof typeof source, string> = {
  // notifications
  'news.title': 'Notifications',
  'news.lead': 'Connections, new messages and finished jobs.',
  'news.read_all': 'Mark all as read',
  'news.empty': 'No notifications yet',
  'news.empty_lead': 'Here you are told about new messages, lost connections and finished jobs.',
  'news.unread': 'Unread',
  'news.count': '{count} new notification|{count} new notifications',

  // activity
  'activity.title': 'Activity',
  'activity.lead': 'What you did in Kurir, through the API too.',
  'activity.action': 'Action',
  'activity.what': 'What',
  'activity.when': 'When',
  'activity.empty': 'No activity yet',
  'activity.empty_lead': 'Everything that you send or change is noted here.',
  'activity.none_found': 'No activity matches',

  // statistics
  'statistics.title': 'Statistics',
  'statistics.to_device': 'To the device',
  'statistics.stretch': 'Period',
  'statistics.days': 'The last {count} days',
  'statistics.incoming': 'Incoming messages',
  'statistics.outgoing': 'Outgoing messages',
  'statistics.chats': 'Active chats',
  'statistics.answered': 'Answered that day',
  'statistics.per_day': 'Messages per day',
  'statistics.per_hour': 'Messages per hour',
  'statistics.day': 'Day',
  'statistics.hour': 'Hour',
  'statistics.of_day': '{incoming} incoming, {outgoing} outgoing, {chats} active chats',
  'statistics.none': 'No messages in this period yet.',
  'statistics.zone': 'Days and hours on the clocks of Jakarta (WIB).',
  'chart.table': 'See the numbers as a table',

  // history
  'history.title': 'Chat history',
  'history.lead': 'Search all messages for words, or look at the chats of one day.',
  'history.search': 'Search words in messages',
  'history.found': 'Messages found',
  'history.from': 'From',
  'history.to': 'Until',
  'history.none_found': 'No message holds these words',
  'history.none_found_lead': 'All words have to be in the same message. The last one may be only the beginning of a word.',
  'history.on': 'Search further back',
  'history.more': 'Show more',
  'history.you': 'You:',
  'history.day_before': 'The day before',
  'history.day_after': 'The day after',
  'history.chats': 'Chats of the day',
  'history.unread': 'Unread',
  'history.last': 'Last message',
  'history.quiet': 'No chats',
  'history.quiet_lead': 'Nothing was written on {day}.',
  'history.too_many': 'Only the first 1,000 chats are shown.',
};
