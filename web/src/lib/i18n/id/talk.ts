// Texts in Indonesian for what stands in a chat: media, quotes, reactions, search.
export const talk = {
  // history
  'chat.to_newest': 'Ke pesan terbaru',
  'chat.not_reached': 'Pesan itu tidak ada lagi di riwayat chat ini.',
  'composer.people': 'Orang yang bisa disebut',
} as const;
