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
};
