// The message templates of the account; few enough to be held whole.
import { ApiError } from '../api/client';
import * as api from '../api/templates';
import type { Template, TemplateForm } from '../api/templates';
import type { Loading } from './loading';

class Templates {
  list = $state.raw<Template[]>([]);
  loading = $state<Loading>('first');
  error = $state.raw<ApiError | null>(null);

  find(baseId: string): Template | undefined {
    return this.list.find((template) => template.baseId === baseId);
  }

  async load(): Promise<void> {
    try {
      this.list = (await api.listTemplates()).templates;
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
    }
    this.loading = 'done';
  }

  async save(baseId: string | null, form: TemplateForm): Promise<void> {
    await (baseId === null ? api.createTemplate(form) : api.updateTemplate(baseId, form));
    await this.load();
  }

  async remove(baseId: string): Promise<void> {
    await api.deleteTemplate(baseId);
    await this.load();
  }

  clear(): void {
    this.list = [];
    this.loading = 'first';
    this.error = null;
  }
}

export const templates = new Templates();
