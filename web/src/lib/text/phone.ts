// Phone numbers as people type, paste and read them. The server decides in the end; this only helps while typing.

/** Digits with country code (`6281234567890`) of a number as typed, or null when it cannot be one. */
export function normalise(typed: string): string | null {
  const digits = typed.replace(/[\s().\-\u00ad\u2010-\u2015]/g, '');
  if (!/^\+?\d+$/.test(digits)) return null;
  const bare = digits.replace(/^\+/, '');
  const full = bare.startsWith('0') ? `62${bare.slice(1)}` : bare;
  return full.length >= 8 && full.length <= 15 ? full : null;
}

/** Whether the server's pattern for Indonesian numbers accepts these normalised digits. */
export const isIndonesian = (digits: string): boolean => /^62\d{9,13}$/.test(digits);

/** Groups a number as people write it: `+62 812-3456-7890`. */
export function formatPhone(digits: string): string {
  const indonesian = /^62(\d{3})(\d{3,4})(\d{3,6})$/.exec(digits);
  if (indonesian) return `+62 ${indonesian.slice(1).join('-')}`;
  const american = /^1(\d{3})(\d{3})(\d{4})$/.exec(digits);
  if (american) return `+1 ${american.slice(1).join('-')}`;
  return /^\d+$/.test(digits) ? `+${digits}` : digits;
}

/** The number inside a user's JID, or null for groups and hidden users. */
export function phoneOfJid(jid: string): string | null {
  return /^(\d+)(?::\d+)?@s\.whatsapp\.net$/.exec(jid)?.[1] ?? null;
}

/** What to call a chat: its name, else its number, else the JID. */
export function chatName(chat: { jid: string; name?: string | null; phoneNumber?: string | null }): string {
  if (chat.name) return chat.name;
  const phone = chat.phoneNumber ?? phoneOfJid(chat.jid);
  return phone ? formatPhone(phone) : chat.jid;
}

/** What to call the recipient of a job or schedule: its number as people write it, else its address. */
export const recipientName = (to: string): string =>
  to.endsWith('@g.us') || to.endsWith('@lid') ? to : formatPhone(to.split('@')[0] ?? to);
