import type { MessageStatus } from './api/types';

const ORDER: MessageStatus[] = ['pending', 'sent', 'delivered', 'read'];

/** Receipts may arrive in any order; a message never goes back from read to delivered. */
export function later(known: MessageStatus, told: MessageStatus): MessageStatus {
  if (told === 'failed' || known === 'failed') return told;
  return ORDER.indexOf(told) >= ORDER.indexOf(known) ? told : known;
}
