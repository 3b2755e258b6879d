import type { Pagination } from './types';
import { call, getData } from './client';
import { BASE } from './devices';

export interface Contact {
  id: number;
  userId: number;
  name: string;
  /** Digits with country code. */
  phoneNumber: string;
  jid: string;
  tags: string[];
  createdAt: string;
  updatedAt: string;
}

export interface ContactQuery {
  search: string;
  tag: string;
  page: number;
  limit?: number;
}

export interface ContactForm {
  name: string;
  phoneNumber: string;
  tags?: string[];
}

/** How many were new and how many were known and brought up to date. */
export interface Saved {
  saved: number;
  updated: number;
}

const path = (id: number) => `${BASE}/contacts/${id}`;

export async function listContacts(query: ContactQuery) {
  const data = await getData<{ contacts: Contact[]; pagination: Pagination }>(`${BASE}/contacts`, {
    query: { limit: 50, ...query },
  });
  return { rows: data.contacts, pagination: data.pagination };
}

export const saveContact = (form: ContactForm) => call<Saved>('POST', `${BASE}/contacts`, { body: form });

export const saveContacts = async (contacts: ContactForm[]) =>
  (await call<Saved>('POST', `${BASE}/contacts`, { body: { contacts } })).data;

/** Copies the contacts that a device knows into the address book. */
export const importContacts = async (deviceId: string) =>
  (await call<Saved>('POST', `${BASE}/contacts`, { body: { deviceId, sync: true } })).data;

export const updateContact = (id: number, form: ContactForm) => call('PUT', path(id), { body: form });

export const deleteContact = (id: number) => call('DELETE', path(id));

/** Every tag, and how many contacts carry it. */
export const listTags = () => getData<{ tags: string[]; counts: Record<string, number> }>(`${BASE}/tags`);
