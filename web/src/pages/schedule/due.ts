import type { Schedule } from '../../lib/api/schedules';
import { t } from '../../lib/i18n/index.svelte';
import { inZone, momentOf } from '../../lib/text/zone';
import { repeatOf } from './repeat';

/** Epoch ms at which a planned message is due (next). */
export const dueAt = (schedule: Schedule): number | null =>
  momentOf(schedule.scheduleTime.slice(0, 19).replace(' ', 'T'), schedule.timezone);

/** When a planned message is due, in its own zone, and how often it comes again. */
export function dueText(schedule: Schedule): string {
  const at = dueAt(schedule);
  const when = at === null ? schedule.scheduleTime : inZone(at, schedule.timezone);
  if (!schedule.cron) return when;
  const repeat = repeatOf(schedule.cron);
  return `${when} · ${repeat ? t(`repeat.${repeat}`) : t('repeat.other')}`;
}
