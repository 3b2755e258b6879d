// Messages that are planned, moved by the event stream.
import * as api from '../api/schedules';
import type { NewSchedule, Schedule, ScheduleQuery } from '../api/schedules';
import { Attempt } from '../attempt';
import { feed } from './feed.svelte';
import { PagedList } from './paged.svelte';

class Schedules extends PagedList<Schedule, ScheduleQuery> {
  private readonly attempt = new Attempt();

  constructor() {
    super(api.listSchedules);
  }

  find(id: string): Schedule | undefined {
    return this.list.find((one) => one.scheduledMessageId === id);
  }

  async create(deviceId: string, schedule: NewSchedule): Promise<void> {
    await this.attempt.run([deviceId, schedule], (key) => api.createSchedule(deviceId, schedule, key));
    await this.reload();
  }

  cancel = (id: string) => this.steer(api.cancelSchedule, id);
  pause = (id: string) => this.steer(api.pauseSchedule, id);
  resume = (id: string) => this.steer(api.resumeSchedule, id);

  private async steer(change: (id: string) => Promise<unknown>, id: string): Promise<void> {
    await change(id);
    await this.reload();
  }
}

export const schedules = new Schedules();

feed.listen((event) => {
  if (event.type.startsWith('scheduled.')) void schedules.reload();
});
feed.onGap(() => void schedules.reload());
