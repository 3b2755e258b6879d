import { t, type Key } from '../../lib/i18n/index.svelte';

const subjects: [RegExp, Key][] = [
  [/^jobs?\b/, 'jobs.title'],
  [/schedule/, 'schedule.title'],
  [/template/, 'templates.title'],
  [/contact|tags/, 'contacts.title'],
  [/group/, 'groups.title'],
  [/send|message|media/, 'send.title'],
  [/^auth|token|profile|password/, 'profile.title'],
  [/device|connect|pairing|wipe/, 'devices.title'],
];

/** Names an action of the log by the page it belongs to, followed by the server's own word for it. */
export function actionName(action: string): string {
  const subject = subjects.find(([pattern]) => pattern.test(action))?.[1];
  return subject ? `${t(subject)} · ${action}` : action;
}
