// History-API routing for the pages. A path chooses a page; everything that narrows a page down (search,
// filter, opened job) lives in the query, so that a link reproduces the view.
import type { Component } from 'svelte';
import type { Key } from './i18n/index.svelte';

export type Params = Record<string, string>;
/** Pages of addresses without parameters take none, so the properties differ from page to page. */
export type Page = Component<any>;

export interface Route {
  pattern: string;
  title: Key;
  /** Shown to visitors who have not signed in. */
  open?: boolean;
  /** Fills the screen and scrolls inside itself. */
  fill?: boolean;
  load: () => Promise<{ default: Page }>;
}

export const routes: Route[] = [
  { pattern: '/claim', title: 'claim.title', open: true, load: () => import('../pages/Claim.svelte') },
  { pattern: '/auth/login', title: 'login.title', open: true, load: () => import('../pages/Login.svelte') },
  { pattern: '/dashboard', title: 'overview.title', load: () => import('../pages/Overview.svelte') },
  { pattern: '/devices', title: 'devices.title', load: () => import('../pages/Devices.svelte') },
  { pattern: '/devices/:id', title: 'devices.title', load: () => import('../pages/Devices.svelte') },
  { pattern: '/devices/:id/chat', title: 'chat.title', fill: true, load: () => import('../pages/Chat.svelte') },
  { pattern: '/devices/:id/statistics', title: 'statistics.title', load: () => import('../pages/Statistics.svelte') },
  { pattern: '/send-message', title: 'send.title', load: () => import('../pages/SendMessage.svelte') },
  { pattern: '/chat-blast', title: 'bulk.title', load: () => import('../pages/ChatBlast.svelte') },
  { pattern: '/schedule-message', title: 'schedule.title', load: () => import('../pages/Schedule.svelte') },
  { pattern: '/status', title: 'posts.title', load: () => import('../pages/Status.svelte') },
  { pattern: '/groups', title: 'groups.title', load: () => import('../pages/Groups.svelte') },
  { pattern: '/contacts', title: 'contacts.title', load: () => import('../pages/Contacts.svelte') },
  { pattern: '/templates', title: 'templates.title', load: () => import('../pages/Templates.svelte') },
  { pattern: '/chat-history', title: 'history.title', load: () => import('../pages/History.svelte') },
  { pattern: '/notifications', title: 'news.title', load: () => import('../pages/Notifications.svelte') },
  { pattern: '/activity', title: 'activity.title', load: () => import('../pages/Activity.svelte') },
  { pattern: '/jobs', title: 'jobs.title', load: () => import('../pages/Jobs.svelte') },
  { pattern: '/profile', title: 'profile.title', load: () => import('../pages/Profile.svelte') },
  { pattern: '/simulated-phones', title: 'phones.title', load: () => import('../pages/SimulatedPhones.svelte') },
];

class Router {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));
  /** What the page before handed over, for example the numbers of a failed job. */
  state = $state.raw<Record<string, unknown>>(history.state ?? {});

  constructor() {
    addEventListener('popstate', () => this.read());
    document.addEventListener('click', (event) => this.follow(event));
  }

  go(target: string, options: { replace?: boolean; state?: Record<string, unknown> } = {}): void {
    history[options.replace ? 'replaceState' : 'pushState'](options.state ?? {}, '', target);
    const moved = location.pathname !== this.path;
    this.read();
    if (moved) scrollTo(0, 0);
  }

  /** Changes parts of the query in place; `null` or an empty text removes one. */
  setQuery(changes: Record<string, string | null>, replace = true): void {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    const text = query.toString();
    this.go(location.pathname + (text ? `?${text}` : ''), { replace, state: this.state });
  }

  private read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
    this.state = history.state ?? {};
  }

  /** Turns a plain click on a link to one of our pages into a navigation without reload. */
  private follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || link.hash || !match(link.pathname)) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

/** Finds the page of a path and the values of its `:names`. */
export function match(path: string): { route: Route; params: Params } | null {
  const parts = path.replace(/\/+$/, '').split('/');
  for (const route of routes) {
    const params = bind(route.pattern.split('/'), parts);
    if (params) return { route, params };
  }
  return null;
}

function bind(pattern: string[], parts: string[]): Params | null {
  if (pattern.length !== parts.length) return null;
  const params: Params = {};
  for (const [index, name] of pattern.entries()) {
    const part = parts[index] ?? '';
    if (name.startsWith(':')) params[name.slice(1)] = decode(part);
    else if (name !== part) return null;
  }
  return params;
}

/** A hand-typed address may hold a stray percent sign; it then stands for itself. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const router = new Router();
