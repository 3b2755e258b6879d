// Texts in Indonesian for activity, statistics, notifications.
export const insight = {
  // notifications
  'news.title': 'Pemberitahuan',
  'news.lead': 'Sambungan perangkat, pesan baru, dan pekerjaan yang selesai.',
  'news.read_all': 'Tandai semua dibaca',
  'news.empty': 'Belum ada pemberitahuan',
  'news.empty_lead': 'Di sini Anda diberi tahu bila ada pesan baru, perangkat terputus, atau pekerjaan selesai.',
  'news.unread': 'Belum dibaca',
  'news.count': '{count} pemberitahuan baru',

  // activity
  'activity.title': 'Aktivitas',
  'activity.lead': 'Apa yang Anda lakukan di Kurir, juga lewat API.',
  'activity.action': 'Tindakan',
  'activity.what': 'Apa',
  'activity.when': 'Kapan',
  'activity.empty': 'Belum ada aktivitas',
  'activity.empty_lead': 'Setiap pengiriman dan perubahan yang Anda lakukan tercatat di sini.',
  'activity.none_found': 'Tidak ada aktivitas yang cocok',
} as const;
