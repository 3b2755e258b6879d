import { call, getData } from './client';
import { BASE } from './devices';

export interface Template {
  id: number;
  baseId: string;
  version: number;
  name: string;
  content: string;
  variables: string[];
  category: string | null;
  isActive: boolean;
  usageCount: number;
  /** Comes with Kurir; everybody may use it and nobody change it. */
  builtIn: boolean;
}

export interface TemplateForm {
  name: string;
  content: string;
  category?: string | null;
}

const path = (baseId: string, rest = '') => `${BASE}/templates/${encodeURIComponent(baseId)}${rest}`;

export const listTemplates = () => getData<{ templates: Template[] }>(`${BASE}/templates`);

export const createTemplate = (form: TemplateForm) => call('POST', `${BASE}/templates`, { body: form });

export const updateTemplate = (baseId: string, form: TemplateForm) => call('PUT', path(baseId), { body: form });

export const deleteTemplate = (baseId: string) => call('DELETE', path(baseId));

export const sendTemplate = (
  baseId: string,
  body: { variables: Record<string, string>; deviceId: string; to: string },
  idempotencyKey: string,
) => call<{ message: string; messageId?: string }>('POST', path(baseId, '/use'), { body, idempotencyKey });
