// The entries of the navigation, in the order in which people need them.
import type { Key } from '../lib/i18n/index.svelte';
import { devices } from '../lib/stores/devices.svelte';
import { session } from '../lib/stores/session.svelte';
import type { IconName } from '../ui/icons';

export interface Entry {
  href: string;
  title: Key;
  /** Name under the icon of the narrow bottom bar, where the title does not fit. */
  short?: Key;
  icon: IconName;
}

/** The chat belongs to a device; without one the way leads to making one. */
const chat = (): Entry => ({
  href: devices.current ? `/devices/${encodeURIComponent(devices.current.deviceId)}/chat` : '/devices',
  title: 'chat.title',
  icon: 'chat',
});

/** Groups are for administrators, as the server has it. */
const groupsPage: Entry = { href: '/groups', title: 'groups.title', icon: 'group' };

export const mainPages = (): Entry[] => [
  { href: '/dashboard', title: 'overview.title', short: 'overview.short', icon: 'overview' },
  { href: '/devices', title: 'devices.title', icon: 'devices' },
  chat(),
  { href: '/send-message', title: 'send.title', short: 'send.short', icon: 'send' },
  { href: '/chat-blast', title: 'bulk.title', icon: 'bulk' },
  { href: '/schedule-message', title: 'schedule.title', icon: 'clock' },
  { href: '/jobs', title: 'jobs.title', icon: 'jobs' },
  { href: '/status', title: 'posts.title', icon: 'status' },
  { href: '/chat-history', title: 'history.title', icon: 'history' },
  { href: '/contacts', title: 'contacts.title', icon: 'people' },
  { href: '/templates', title: 'templates.title', icon: 'template' },
  ...(session.isAdmin ? [groupsPage] : []),
  { href: '/activity', title: 'activity.title', icon: 'activity' },
];

export const phonesPage: Entry = { href: '/simulated-phones', title: 'phones.title', icon: 'phone' };
export const profilePage: Entry = { href: '/profile', title: 'profile.title', icon: 'profile' };

/** Whether the entry stands for the page on screen. A device's chat is not the list of devices. */
export function isCurrent(entry: Entry, path: string): boolean {
  if (entry.title === 'chat.title') return path.endsWith('/chat');
  if (entry.href === '/devices') return path.startsWith('/devices') && !path.endsWith('/chat');
  return path === entry.href;
}
