// The address book and its tags.
import * as api from '../api/contacts';
import type { Contact, ContactForm, ContactQuery, Saved } from '../api/contacts';
import { ApiError } from '../api/client';
import { PagedList } from './paged.svelte';

class Contacts extends PagedList<Contact, ContactQuery> {
  tags = $state.raw<string[]>([]);
  counts = $state.raw<Record<string, number>>({});

  constructor() {
    super(api.listContacts);
  }

  find(id: number): Contact | undefined {
    return this.list.find((contact) => contact.id === id);
  }

  async loadTags(): Promise<void> {
    try {
      ({ tags: this.tags, counts: this.counts } = await api.listTags());
    } catch (error) {
      // The list beside them says what is wrong; tags only help to narrow it down.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  async save(form: ContactForm): Promise<void> {
    await api.saveContact(form);
    await this.changed();
  }

  async saveAll(forms: ContactForm[]): Promise<Saved> {
    const saved = await api.saveContacts(forms);
    await this.changed();
    return saved;
  }

  async importFrom(deviceId: string): Promise<Saved> {
    const saved = await api.importContacts(deviceId);
    await this.changed();
    return saved;
  }

  async update(contact: Contact, form: ContactForm): Promise<void> {
    await api.updateContact(contact.id, form);
    await this.changed();
  }

  async remove(id: number): Promise<void> {
    await api.deleteContact(id);
    await this.changed();
  }

  private async changed(): Promise<void> {
    await Promise.all([this.reload(), this.loadTags()]);
  }
}

export const contacts = new Contacts();
