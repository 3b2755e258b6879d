// What to tell a person about a failed call: the server's own sentence when it has one, else what to do.
import { ApiError } from '../api/client';
import { t } from '../i18n/index.svelte';

/** Anything but a failed call is a defect of ours and is thrown on. */
export function problemText(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  if (error.offline) return t('problem.offline');
  if (error.status === 429) return error.message || t('problem.too_many');
  if (error.status === 403) return error.message || t('problem.forbidden');
  return error.message || t('problem.unknown', { status: error.status });
}
