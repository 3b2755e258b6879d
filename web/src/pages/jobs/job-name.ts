import type { Job } from '../../lib/api/types';
import { t } from '../../lib/i18n/index.svelte';

/** Names a job by what it sends and to how many. */
export function jobName(job: Job): string {
  const count = job.progress.total;
  return job.type.startsWith('send-media') ? t('jobs.media_job', { count }) : t('jobs.text_job', { count });
}
