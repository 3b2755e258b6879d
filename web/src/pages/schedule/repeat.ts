// How often a planned message comes again, as people choose it and as the server wants it (cron).

export type Repeat = 'once' | 'daily' | 'workdays' | 'weekly' | 'monthly';

export const repeats: Repeat[] = ['once', 'daily', 'workdays', 'weekly', 'monthly'];

/** The cron expression (minute, hour, day of month, month, day of week) of a repetition that starts at a wall-clock time. */
export function cronOf(repeat: Repeat, wall: string): string | undefined {
  const [, year, month, day, hour, minute] = (/^(\d+)-(\d+)-(\d+)T(\d+):(\d+)/.exec(wall) ?? []).map(Number);
  if (year === undefined || month === undefined || repeat === 'once') return undefined;
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  const days = { daily: '* * *', workdays: '* * 1-5', weekly: `* * ${weekday}`, monthly: `${day} * *` };
  return `${minute} ${hour} ${days[repeat]}`;
}

/** The repetition behind a cron expression, or null when it is one that only the API makes. */
export function repeatOf(cron: string | null | undefined): Repeat | null {
  if (!cron) return 'once';
  const [, , day, month, weekday] = cron.trim().split(/\s+/);
  if (month !== '*') return null;
  if (day === '*' && weekday === '*') return 'daily';
  if (day === '*' && weekday === '1-5') return 'workdays';
  if (day === '*' && /^\d$/.test(weekday ?? '')) return 'weekly';
  return weekday === '*' && /^\d+$/.test(day ?? '') ? 'monthly' : null;
}
