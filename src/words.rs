//! The catalogue: every sentence that a client of the API may read, one line per code.
//!
//! A line holds the code, the HTTP status that goes with it, the Indonesian and the English text. `{name}` marks a
//! place that the error or outcome fills. Nothing else in the program contains a sentence for clients.

/// The language of an answer. API families speak the language of their contract unless `Accept-Language` asks otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Indonesian, the language of the `multi-device` and account families.
    #[default]
    Id,
    /// English.
    En,
}

impl Lang {
    /// Returns the first language of an `Accept-Language` header that Kurir speaks, if any.
    pub fn from_accept_language(header: &str) -> Option<Self> {
        header.split(',').find_map(|entry| {
            let tag = entry.split(';').next().unwrap_or_default().trim();
            match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "id" | "in" => Some(Self::Id),
                "en" => Some(Self::En),
                _ => None,
            }
        })
    }

    /// Returns the names of the months, January first.
    pub fn months(self) -> &'static [&'static str; 12] {
        match self {
            Self::Id => &MONTHS_ID,
            Self::En => &MONTHS_EN,
        }
    }
}

const MONTHS_ID: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

macro_rules! words {
    ($($code:ident $status:literal $id:literal $en:literal)*) => {
        /// A stable name for everything that Kurir says to a client.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $en] $code,)* }

        impl Code {
            /// Every code, in the order of the catalogue.
            pub const ALL: &'static [Code] = &[$(Code::$code,)*];

            /// Returns the HTTP status that belongs to this code.
            pub const fn status(self) -> u16 {
                match self { $(Code::$code => $status,)* }
            }

            /// Returns the sentence with its places still open.
            pub const fn template(self, lang: Lang) -> &'static str {
                match (self, lang) { $((Code::$code, Lang::Id) => $id, (Code::$code, Lang::En) => $en,)* }
            }

            const fn ident(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }
        }
    };
}

words! {
    // General
    Ok                      200 "Berhasil" "OK"
    Internal                500 "Terjadi kesalahan pada server" "Something went wrong on the server"
    Unavailable             503 "Layanan sedang berhenti, coba lagi sebentar" "The service is stopping, try again shortly"
    RouteNotFound           404 "Alamat tidak ditemukan" "No such path"
    MethodNotAllowed        405 "Metode tidak diizinkan" "Method not allowed"
    BadJson                 400 "Isi permintaan bukan JSON yang valid" "The request body is not valid JSON"
    BadBody                 400 "Isi permintaan tidak dapat dibaca" "The request body could not be read"
    BadQuery                400 "Parameter {field} tidak valid" "Parameter {field} is not valid"
    FieldInvalid            400 "{field} tidak valid" "{field} is not valid"
    FieldRequired           400 "{field} wajib diisi" "{field} is required"
    BodyTooLarge            413 "Isi permintaan terlalu besar" "The request body is too large"
    UnsupportedMediaType    415 "Tipe isi permintaan tidak didukung" "The content type of the request is not supported"
    TooManyRequests         429 "Terlalu banyak permintaan" "Too many requests"
    IdempotencyMismatch     409 "Idempotency-Key sudah dipakai untuk permintaan lain" "This Idempotency-Key was used for a different request"
    IdempotencyKeyInvalid   400 "Idempotency-Key harus 1 sampai 255 karakter" "Idempotency-Key must have 1 to 255 characters"

    // Access
    TokenInvalid            401 "Token tidak valid atau kedaluwarsa" "Token is not valid or has expired"
    AdminOnly               403 "Admin only" "Admin only"
    Unauthorized            403 "Unauthorized" "Unauthorized"
    OriginRefused           403 "Permintaan dari situs lain ditolak" "Requests from another site are refused"
    NotYourDevice           403 "Anda tidak punya akses ke device ini" "You have no access to this device"
    NotClaimed              401 "Kurir belum diklaim: buka tautan klaim yang dicetak saat start" "Kurir is not claimed yet: open the claim link printed at start"

    // Accounts
    Registered              201 "Registrasi berhasil" "Registration succeeded"
    LoggedIn                200 "Login berhasil" "Logged in"
    LoggedOut               200 "Logout berhasil" "Logged out"
    TokenRefreshed          200 "Token diperbarui" "Token refreshed"
    ProfileUpdated          200 "Profil berhasil diperbarui" "Profile updated"
    PhotoUpdated            200 "Foto profil berhasil diperbarui" "Profile photo updated"
    PasswordChanged         200 "Password berhasil diubah" "Password changed"
    Claimed                 201 "Kurir berhasil diklaim" "Kurir is claimed"
    AlreadyClaimed          409 "Kurir sudah diklaim" "Kurir is already claimed"
    ClaimInvalid            401 "Tautan klaim tidak valid atau kedaluwarsa: mulai ulang Kurir untuk tautan baru" "The claim link is not valid or has expired: restart Kurir for a new one"
    RegistrationClosed      403 "Registrasi ditutup" "Registration is closed"
    CredentialsWrong        401 "Email atau password salah" "Wrong email or password"
    AccountLocked           403 "Akun dikunci" "The account is locked"
    UserExists              400 "Username atau email sudah digunakan" "Username or email is already in use"
    UserNotFound            404 "User tidak ditemukan" "User not found"
    UsernameInvalid         400 "Username harus 3 sampai 50 karakter (huruf, angka, titik, garis bawah, tanda hubung)" "Username must have 3 to 50 characters (letters, digits, dot, underscore, hyphen)"
    EmailInvalid            400 "Format email tidak valid" "The email address is not valid"
    PasswordInvalid         400 "Password harus 8 sampai 128 karakter" "Password must have 8 to 128 characters"
    PasswordWrong           400 "Password saat ini salah" "The current password is wrong"
    FullNameInvalid         400 "Nama lengkap maksimal 100 karakter" "Full name may have at most 100 characters"
    LanguageInvalid         400 "Bahasa harus id atau en" "Language must be id or en"
    PhotoInvalid            400 "Foto harus JPEG, PNG, GIF atau WebP, maksimal 5MB" "The photo must be JPEG, PNG, GIF or WebP, at most 5 MB"
    TokenCreated            201 "Token dibuat, simpan sekarang karena tidak ditampilkan lagi" "Token created, keep it now because it is not shown again"
    TokenUpdated            200 "Token diperbarui" "Token updated"
    TokenDeleted            200 "Token dihapus" "Token deleted"
    TokenNotFound           404 "Token tidak ditemukan" "Token not found"
    TokenNameInvalid        400 "Nama token harus 1 sampai 100 karakter" "The token name must have 1 to 100 characters"
    TokenExpiryInvalid      400 "expiresInDays harus 1 sampai 3650" "expiresInDays must be 1 to 3650"

    // Devices
    DeviceCreated           201 "Device berhasil dibuat" "Device created"
    DeviceUpdated           200 "Device berhasil diperbarui" "Device updated"
    DeviceDeleted           200 "Device {device} berhasil dihapus" "Device {device} deleted"
    DeviceConnecting        200 "Device {device} berhasil dikoneksikan" "Device {device} is being connected"
    DeviceDisconnected      200 "Device {device} berhasil diputuskan" "Device {device} disconnected"
    DeviceWiped             200 "Koneksi dibatalkan dan data session dihapus" "Connection cancelled and session data deleted"
    DeviceNotFound          404 "Device tidak ditemukan" "Device not found"
    DeviceExists            400 "Device dengan ID {device} sudah ada" "A device with ID {device} exists already"
    DeviceIdRequired        400 "deviceId wajib diisi" "deviceId is required"
    DeviceIdInvalid         400 "Format deviceId tidak valid" "The format of deviceId is not valid"
    DeviceNameInvalid       400 "deviceName harus 1 sampai 100 karakter" "deviceName must have 1 to 100 characters"
    DeviceNotConnected      400 "WhatsApp tidak terhubung" "WhatsApp is not connected"
    DeviceConnectFailed     500 "Koneksi ke WhatsApp gagal" "Connecting to WhatsApp failed"
    DeviceRegistered        400 "Device sudah tertaut, hapus session lebih dulu" "The device is linked already, wipe its session first"
    QrNotAvailable          404 "QR Code tidak tersedia" "QR code is not available"
    QrFormatInvalid         400 "format harus png atau svg" "format must be png or svg"
    QrText                  200 "Scan QR Code ini dengan WhatsApp untuk terhubung" "Scan this QR code with WhatsApp to connect"
    QrImage                 200 "QR Code sebagai image" "QR code as an image"
    PairingCodeCreated      200 "Pairing code berhasil dibuat" "Pairing code created"
    PairingCodeRefused      500 "WhatsApp menolak membuat pairing code" "WhatsApp refused to create a pairing code"
    PasskeyNotAwaited       400 "WhatsApp tidak meminta passkey untuk device ini" "WhatsApp does not ask for a passkey on this device"
    PasskeyAccepted         200 "Jawaban passkey diteruskan ke WhatsApp" "The passkey answer was passed on to WhatsApp"

    // Why a device is not connected
    LinkLoggedOut           200 "Device dilepas dari ponsel. Tautkan lagi dengan QR atau pairing code" "The device was unlinked from the phone. Link it again with a QR or pairing code"
    LinkReplaced            200 "Koneksi lain memakai session ini. Pastikan hanya satu program memakai session, lalu hubungkan lagi" "Another connection uses this session. Make sure only one program uses it, then connect again"
    LinkBanned              200 "WhatsApp memblokir nomor ini sementara sampai {until} WIB. Kurangi pengiriman dan tunggu" "WhatsApp has blocked this number temporarily until {until} (Jakarta time). Send less and wait"
    LinkBannedUnknown       200 "WhatsApp memblokir nomor ini sementara. Kurangi pengiriman dan tunggu" "WhatsApp has blocked this number temporarily. Send less and wait"
    LinkOutdated            200 "Versi klien ditolak WhatsApp. Perbarui Kurir" "WhatsApp refused the client version. Update Kurir"
    LinkRefused             200 "WhatsApp menolak koneksi (kode {code})" "WhatsApp refused the connection (code {code})"
    LinkLost                200 "Koneksi terputus, mencoba lagi otomatis" "The connection was lost, reconnecting automatically"
    LinkUnreachable         200 "WhatsApp tidak dapat dihubungi. Periksa koneksi internet" "WhatsApp cannot be reached. Check the internet connection"
    LinkGaveUp              200 "Koneksi gagal berulang kali dan dihentikan. Hubungkan lagi" "The connection failed again and again and was stopped. Connect again"
    LinkQrExpired           200 "QR tidak dipindai. Hubungkan lagi untuk QR baru" "The QR was not scanned. Connect again for a new one"
    LinkPairFailed          200 "Penautan gagal. Coba lagi dengan QR baru" "Linking failed. Try again with a new QR"
    LinkCrashed             200 "Koneksi berhenti karena kesalahan internal dan dimulai ulang" "The connection stopped on an internal error and is being restarted"

    // Sending
    MessageSent             200 "Pesan berhasil dikirim" "Message sent"
    MessageAccepted         202 "Pesan diterima dan sedang dikirim" "The message was accepted and is being sent"
    BulkSent                200 "Bulk kirim selesai. {ok} berhasil, {failed} gagal" "Bulk send finished. {ok} succeeded, {failed} failed"
    RecipientAndTextRequired 400 "Nomor tujuan dan pesan wajib diisi" "Recipient and message are required"
    PhoneInvalid            400 "Format nomor telepon tidak valid" "The format of the phone number is not valid"
    NotOnWhatsApp           400 "Nomor tidak terdaftar di WhatsApp" "The number is not registered on WhatsApp"
    TextTooLong             400 "Pesan maksimal 4096 karakter" "A message may have at most 4096 characters"
    DelayInvalid            400 "delay harus angka 0 sampai 3600 detik" "delay must be a number from 0 to 3600 seconds"
    BulkEmpty               400 "messages wajib berisi minimal satu pesan" "messages must hold at least one message"
    BulkTooLarge            400 "Maksimal {max} pesan per permintaan, gunakan jobs/send-text untuk jumlah lebih besar" "At most {max} messages per request, use jobs/send-text for more"
    JobTooLarge             400 "Maksimal {max} pesan per job" "At most {max} messages per job"
    SendFailed              500 "Pesan gagal dikirim" "The message could not be sent"
    SendRefused             500 "WhatsApp menolak pesan (kode {code})" "WhatsApp refused the message (code {code})"
    SendRestricted          500 "WhatsApp membatasi pesan ke kontak baru untuk nomor ini (kode 463)" "WhatsApp restricts messages to new contacts for this number (code 463)"
    SendTimedOut            500 "WhatsApp tidak menjawab pada waktunya" "WhatsApp did not answer in time"
    SendGaveUp              500 "Device tidak terhubung terlalu lama" "The device was disconnected for too long"
    SendCancelled           400 "Pengiriman dibatalkan" "Sending was cancelled"

    // Status posts
    StatusAudienceEmpty     400 "Status tidak punya penerima: simpan kontak di ponsel atau isi to" "The status has no audience: save contacts on the phone or fill in to"
    StatusMediaKind         400 "Status hanya menerima image atau video" "A status takes image or video only"
    StatusPostNotFound      404 "Status tidak ditemukan" "Status post not found"

    // Channels
    ChannelCreated          201 "Saluran berhasil dibuat" "Channel created"
    ChannelFollowed         200 "Saluran berhasil diikuti" "Following the channel"
    ChannelUnfollowed       200 "Berhenti mengikuti saluran" "Following the channel no more"
    ChannelNotFound         404 "Saluran tidak ditemukan" "Channel not found"
    ChannelIdInvalid        400 "Format channelId tidak valid" "The format of channelId is not valid"
    ChannelLinkInvalid      400 "Tautan saluran tidak valid" "The channel link is not valid"
    ChannelNameInvalid      400 "Nama saluran wajib diisi, maksimal 100 karakter" "The channel needs a name of at most 100 characters"
    ChannelNotOwned         403 "Hanya pengelola saluran yang dapat mengirim ke saluran ini" "Only those who run the channel can post in it"
    ChannelNotFollowed      400 "Saluran ini belum diikuti" "The channel is not followed"
    ChannelOwnedNotLeft     400 "Pemilik tidak dapat berhenti mengikuti salurannya sendiri" "The owner of a channel cannot stop following it"
    ChannelRefused          400 "WhatsApp menolak permintaan saluran (kode {code})" "WhatsApp refused the channel request (code {code})"

    // Messages beyond text
    RecipientRequired       400 "Nomor tujuan wajib diisi" "The recipient is required"
    LocationRequired        400 "latitude dan longitude wajib diisi" "latitude and longitude are required"
    ContactsRequired        400 "contacts wajib berisi minimal satu kontak dengan name dan phone, atau vcard" "contacts needs at least one contact with name and phone, or vcard"
    PollRequired            400 "question dan options wajib diisi" "question and options are required"
    ReactionInvalid         400 "emoji harus satu emoji" "emoji must be one emoji"
    MessageNotFound         404 "Pesan tidak ditemukan" "Message not found"
    MessageNotSent          400 "Pesan belum terkirim" "The message was not sent yet"
    MessageDeleted          400 "Pesan sudah dihapus" "The message was deleted"
    MessageNotOwn           400 "Hanya pesan dari device ini yang dapat diubah atau dihapus" "Only messages of this device can be changed or deleted"
    MessageNotEditable      400 "Pesan jenis ini tidak dapat diubah" "This kind of message cannot be changed"
    MessageNotPoll          400 "Pesan ini bukan polling" "This message is not a poll"
    MessageFileMissing      404 "File pesan tidak ada di sini dan tidak dapat diambil lagi" "The file of the message is not here and could not be fetched again"
    MessageNotForwardable   400 "Pesan sekali lihat tidak dapat diteruskan" "A view-once message cannot be forwarded"
    EditTooLate             400 "Pesan hanya dapat diubah dalam 15 menit" "A message can be changed within 15 minutes only"
    PinTimeInvalid          400 "seconds harus 86400, 604800 atau 2592000" "seconds must be 86400, 604800 or 2592000"
    TimerInvalid            400 "expiresInSeconds harus 0, 86400, 604800 atau 7776000" "expiresInSeconds must be 0, 86400, 604800 or 7776000"
    TimerOfGroup            400 "Pesan sementara grup diatur dengan ephemeralSeconds di pengaturan grup" "Disappearing messages of a group are set by ephemeralSeconds in the group's settings"
    ChatUpdated             200 "Chat berhasil diperbarui" "Chat updated"
    ChatChangeRequired      400 "Minimal satu pengaturan chat wajib diisi" "At least one setting of the chat is required"
    NumbersRequired         400 "numbers wajib berisi 1 sampai {max} nomor" "numbers needs 1 to {max} numbers"
    PresenceNeedsName       400 "Akun WhatsApp belum punya nama: beri nama dengan PUT profile" "The WhatsApp account has no name yet: give it one with PUT profile"
    PersonBlocked           200 "Kontak berhasil diblokir" "Contact blocked"
    PersonUnblocked         200 "Blokir kontak berhasil dibuka" "Contact unblocked"
    AccountUpdated          200 "Akun WhatsApp berhasil diperbarui" "WhatsApp account updated"
    AccountRefused          500 "WhatsApp menolak permintaan (kode {code})" "WhatsApp refused the request (code {code})"
    AccountPictureInvalid   400 "Foto profil harus JPEG dalam base64, maksimal 2MB" "The profile picture must be a JPEG in base64, at most 2 MB"
    ProfileChangeRequired   400 "name atau about wajib diisi" "name or about is required"
    PrivacyChangeRequired   400 "Minimal satu pengaturan privasi wajib diisi" "At least one privacy setting is required"
    PrivacyInvalid          400 "Nilai privasi tidak dikenal untuk pengaturan ini" "This privacy setting does not take that value"
    CardNameRequired        400 "Nama kontak wajib diisi" "The name of the contact is required"

    // Groups
    GroupCreated            201 "Grup berhasil dibuat" "Group created"
    GroupMessageSent        200 "Pesan grup berhasil dikirim" "Group message sent"
    BulkAccepted            202 "Bulk diterima dan masih dikirim. {ok} berhasil, {failed} gagal sejauh ini" "The bulk was accepted and is still being sent. {ok} succeeded, {failed} failed so far"
    GroupBulkSent           200 "Bulk kirim pesan grup selesai. {ok} berhasil, {failed} gagal" "Bulk send to groups finished. {ok} succeeded, {failed} failed"
    GroupMentionSent        200 "Pesan mention grup berhasil dikirim" "Group mention sent"
    MembersAdded            200 "Participants berhasil diundang" "Participants invited"
    MemberRemoved           200 "Participant berhasil dihapus" "Participant removed"
    AdminsAdded             200 "Admin berhasil ditambahkan" "Admin added"
    AdminRemoved            200 "Admin berhasil dihapus" "Admin removed"
    GroupUpdated            200 "Grup berhasil diperbarui" "Group updated"
    GroupLeft               200 "Grup berhasil ditinggalkan" "Left the group"
    GroupJoined             200 "Berhasil bergabung ke grup" "Joined the group"
    GroupJoinPending        202 "Permintaan bergabung dikirim, menunggu persetujuan admin" "Asked to join, an admin has to approve"
    GroupInviteReset        200 "Tautan undangan grup diperbarui" "The group's invite link was reset"
    RequestsApproved        200 "Permintaan bergabung disetujui" "Requests to join approved"
    RequestsRejected        200 "Permintaan bergabung ditolak" "Requests to join rejected"
    GroupHistoryFromStore   200 "Chat history grup berhasil diambil dari store" "Group chat history read from the store"
    GroupNotFound           404 "Grup tidak ditemukan" "Group not found"
    GroupIdInvalid          400 "Format groupId tidak valid" "The format of groupId is not valid"
    GroupAndTextRequired    400 "groupId dan pesan wajib diisi" "groupId and message are required"
    GroupTextRequired       400 "Pesan wajib diisi" "message is required"
    MentionsRequired        400 "mentions wajib berisi minimal satu nomor" "mentions must hold at least one number"
    GroupSubjectInvalid     400 "subject harus 1 sampai 100 karakter" "subject must have 1 to 100 characters"
    GroupDescriptionInvalid 400 "description maksimal 2048 karakter" "description may have at most 2048 characters"
    MembersRequired         400 "participants wajib berisi minimal satu nomor" "participants must hold at least one number"
    MembersTooMany          400 "Maksimal {max} nomor per permintaan" "At most {max} numbers per request"
    GroupItemsEmpty         400 "items wajib berisi minimal satu pesan" "items must hold at least one message"
    GroupItemsTooMany       400 "Maksimal {max} pesan per permintaan" "At most {max} messages per request"
    GroupSettingsEmpty      400 "Tidak ada pengaturan yang diubah" "There is no setting to change"
    EphemeralInvalid        400 "ephemeralSeconds harus 0, 86400, 604800 atau 7776000" "ephemeralSeconds must be 0, 86400, 604800 or 7776000"
    GroupPictureInvalid     400 "Foto grup harus JPEG dalam base64, maksimal 2MB" "The group picture must be a JPEG in base64, at most 2 MB"
    NotGroupAdmin           400 "Device bukan admin grup" "The device is not an admin of the group"
    MemberNotFound          404 "Participant tidak ada di grup" "The participant is not in the group"
    GroupFull               400 "Grup sudah penuh" "The group is full"
    InviteInvalid           400 "Tautan undangan tidak valid atau sudah direset" "The invite link is not valid or was reset"
    GroupRefused            400 "WhatsApp menolak permintaan grup (kode {code})" "WhatsApp refused the group request (code {code})"
    GroupTooManyRequests    429 "WhatsApp membatasi permintaan grup, coba lagi sebentar" "WhatsApp limits group requests, try again shortly"
    MemberRefusedPrivacy    400 "Privasi participant tidak mengizinkan, kirim tautan undangan" "The participant's privacy settings do not allow it, send an invite link"
    MemberLeftRecently      400 "Participant baru saja keluar dari grup" "The participant left the group recently"
    MemberAlreadyIn         400 "Participant sudah ada di grup" "The participant is in the group already"
    MemberRefused           400 "Participant ditolak WhatsApp (kode {code})" "WhatsApp refused the participant (code {code})"
    MemberNotAdded          400 "Participant tidak dapat ditambahkan" "The participant could not be added"
    // Media
    MediaSent               200 "Media berhasil dikirim" "Media sent"
    MediaSentToGroup        200 "Media berhasil dikirim ke grup" "Media sent to the group"
    MediaAccepted           202 "Media diterima dan sedang dikirim" "The media was accepted and is being sent"
    MediaBulkSent           200 "Bulk kirim media selesai. {ok} berhasil, {failed} gagal" "Bulk media send finished. {ok} succeeded, {failed} failed"
    MediaGroupBulkSent      200 "Bulk kirim media grup selesai. {ok} berhasil, {failed} gagal" "Bulk media send to groups finished. {ok} succeeded, {failed} failed"
    MediaJobCreated         202 "Job pengiriman media (kontak) dibuat" "Media job (contacts) created"
    MediaGroupJobCreated    202 "Job pengiriman media (grup) dibuat" "Media job (groups) created"
    MediaRecipientRequired  400 "Nomor tujuan wajib diisi" "Recipient is required"
    MediaTypeRequired       400 "mediaType wajib diisi" "mediaType is required"
    MediaTypeInvalid        400 "mediaType tidak valid" "mediaType is not valid"
    MediaSourceRequired     400 "File, base64 atau url wajib diisi" "A file, base64 or url is required"
    MediaBase64Invalid      400 "base64 tidak valid" "base64 is not valid"
    MediaTooLarge           400 "Ukuran file maksimal 16MB" "A file may have at most 16 MB"
    MediaEmpty              400 "File kosong" "The file is empty"
    ViewOnceUnsupported     400 "viewOnce hanya untuk image, video, audio, dan voice" "viewOnce is for image, video, audio and voice only"
    MediaTypeUnsupported    400 "Tipe file tidak didukung" "The type of the file is not supported"
    MediaTypeLies           400 "Isi file tidak sesuai dengan tipenya" "The content of the file is not what its type says"
    MediaUrlRefused         400 "Alamat url tidak diizinkan" "The address of the url may not be called"
    MediaUrlFailed          400 "File dari url tidak dapat diambil" "The file could not be fetched from the url"
    MediaUploadUnknown      400 "File unggahan {field} tidak ada" "There is no uploaded file {field}"
    MediaItemsEmpty         400 "items wajib berisi minimal satu media" "items must hold at least one file"
    MediaItemsTooMany       400 "Maksimal {max} media per permintaan, gunakan jobs/send-media untuk jumlah lebih besar" "At most {max} files per request, use jobs/send-media for more"
    MediaJobTooLarge        400 "Maksimal {max} media per job" "At most {max} files per job"
    MediaGone               500 "File sudah tidak tersimpan" "The file is no longer stored"
    MediaLinkInvalid        404 "Tautan media tidak valid atau kedaluwarsa" "The link to the media is not valid or has expired"
    CaptionTooLong          400 "Caption maksimal 4096 karakter" "A caption may have at most 4096 characters"

    // Jobs
    JobCreated              202 "Job pengiriman teks dibuat" "Text job created"
    JobCancelled            200 "Job dibatalkan" "Job cancelled"
    JobNotFound             404 "Job tidak ditemukan" "Job not found"
    JobEnded                400 "Job sudah selesai" "The job has ended already"
    JobPaused               200 "Job dijeda" "Job paused"
    JobResumed              200 "Job dilanjutkan" "Job resumed"
    JobRetried              200 "Job diantrekan lagi" "Job queued again"
    JobUpdated              200 "Job diperbarui" "Job updated"
    JobIsPaused             400 "Job sudah dijeda" "The job is paused already"
    JobNotPaused            400 "Job tidak sedang dijeda" "The job is not paused"
    JobNotEnded             400 "Job belum selesai" "The job has not ended yet"
    JobNothingToRetry       400 "Tidak ada pesan yang dapat dikirim ulang" "There is no message that could be sent again"

    // Schedules
    MessageScheduled        200 "Pesan berhasil dijadwalkan" "Message scheduled"
    ScheduleCancelled       200 "Pesan terjadwal dibatalkan" "Scheduled message cancelled"
    SchedulePaused          200 "Pesan terjadwal dijeda" "Scheduled message paused"
    ScheduleResumed         200 "Pesan terjadwal dilanjutkan" "Scheduled message resumed"
    ScheduleUpdated         200 "Pesan terjadwal diperbarui" "Scheduled message updated"
    ScheduleNotFound        404 "Pesan terjadwal tidak ditemukan" "Scheduled message not found"
    ScheduleEnded           400 "Pesan terjadwal sudah selesai" "The scheduled message has ended already"
    ScheduleNotPaused       400 "Pesan terjadwal tidak sedang dijeda" "The scheduled message is not paused"
    ScheduleIsPaused        400 "Pesan terjadwal sudah dijeda" "The scheduled message is paused already"
    ScheduleBeingSent       400 "Pesan terjadwal sedang dikirim" "The scheduled message is being sent"
    ScheduleMissed          500 "Waktu jadwal terlewat lebih dari batas toleransi" "The scheduled time was missed by more than is made up for"
    ScheduleNeverRuns       400 "Jadwal tidak pernah berjalan" "The schedule never runs"
    ScheduleCountInvalid    400 "count harus 1 sampai 100000" "count must be 1 to 100000"
    ScheduleTooMany         400 "Maksimal {max} pesan terjadwal" "At most {max} scheduled messages"
    CronInvalid             400 "Ekspresi cron tidak valid" "The cron expression is not valid"
    ScheduleTimePast        400 "Waktu jadwal sudah lewat" "The scheduled time has passed already"
    TimezoneUnknown         400 "Zona waktu tidak dikenal" "The time zone is not known"

    // Chats
    HistoryFromPhone        200 "Chat history berhasil diambil langsung dari WhatsApp" "Chat history taken from WhatsApp"
    GroupHistoryFromPhone   200 "Chat history grup berhasil diambil langsung dari WhatsApp" "Group chat history taken from WhatsApp"
    HistoryFromStore        200 "Chat history berhasil diambil dari store" "Chat history read from the store"
    DailyChatList           200 "Daftar chat harian berhasil diambil langsung dari WhatsApp" "Daily chat list taken from WhatsApp"
    DateRequired            400 "Parameter {field} wajib diisi dengan format YYYY-MM-DD" "Parameter {field} is required in the form YYYY-MM-DD"
    DateRangeInvalid        400 "Rentang tanggal harus 1 sampai {max} hari" "The range of dates must have 1 to {max} days"
    MessageUnknown          400 "Pesan {field} tidak dikenal" "Message {field} is not known"

    // Address book
    ContactSaved            201 "Kontak berhasil disimpan" "Contact saved"
    ContactsSaved           201 "{saved} kontak disimpan, {updated} diperbarui" "{saved} contacts saved, {updated} updated"
    ContactUpdated          200 "Kontak berhasil diperbarui" "Contact updated"
    ContactDeleted          200 "Kontak berhasil dihapus" "Contact deleted"
    ContactsTagged          200 "Tag {count} kontak diperbarui" "Tags of {count} contacts updated"
    ContactsDeleted         200 "{count} kontak dihapus" "{count} contacts deleted"
    ContactNotFound         404 "Kontak tidak ditemukan" "Contact not found"
    ContactExists           400 "Nomor ini sudah ada di kontak" "This number is in the contacts already"
    ContactNameInvalid      400 "Nama kontak harus 1 sampai 100 karakter" "The name of a contact must have 1 to 100 characters"
    ContactsTooMany         400 "Maksimal {max} kontak per permintaan" "At most {max} contacts per request"
    TagsInvalid             400 "Maksimal 20 tag, masing-masing 1 sampai 30 karakter" "At most 20 tags of 1 to 30 characters each"

    // Allowed numbers
    AllowedNumberSaved      201 "Nomor diizinkan disimpan" "Allowed number saved"
    AllowedNumberUpdated    200 "Status nomor diizinkan diperbarui" "Status of the allowed number updated"
    AllowedNumberDeleted    200 "Nomor diizinkan dihapus" "Allowed number deleted"
    AllowedNumberNotFound   404 "Nomor diizinkan tidak ditemukan" "Allowed number not found"
    MessageWithheld         400 "Isi pesan ini tidak disimpan" "The content of this message was not kept"

    // Templates
    TemplateCreated         201 "Template berhasil dibuat" "Template created"
    TemplateUpdated         200 "Template berhasil diperbarui" "Template updated"
    TemplateDeleted         200 "Template berhasil dihapus" "Template deleted"
    TemplateRendered        200 "Template berhasil dipakai" "Template used"
    TemplateNotFound        404 "Template tidak ditemukan" "Template not found"
    TemplateExists          400 "Nama template sudah dipakai" "The template name is in use already"
    TemplateBuiltIn         400 "Template bawaan tidak dapat diubah atau dihapus" "A built-in template cannot be changed or deleted"
    TemplateInactive        400 "Template tidak aktif" "The template is not active"
    TemplateNameInvalid     400 "Nama template harus 1 sampai 100 karakter" "The template name must have 1 to 100 characters"
    TemplateContentInvalid  400 "Isi template harus 1 sampai 4096 karakter" "The template text must have 1 to 4096 characters"
    TemplateVariablesMissing 400 "Variabel wajib diisi: {names}" "Missing variables: {names}"

    // Notifications
    NotificationsRead       200 "{count} notifikasi ditandai sudah dibaca" "{count} notifications marked as read"
    NewsConnected           200 "Device {device} terhubung ke WhatsApp" "Device {device} is connected to WhatsApp"
    NewsDisconnected        200 "Device {device}: {reason}" "Device {device}: {reason}"
    NewsMessages            200 "{count} pesan baru dari {name}" "{count} new messages from {name}"
    NewsJobCompleted        200 "Job selesai: {ok} berhasil, {failed} gagal" "Job finished: {ok} succeeded, {failed} failed"
    NewsJobFailed           200 "Job gagal: {failed} pesan tidak terkirim" "Job failed: {failed} messages were not sent"
    NewsJobCancelled        200 "Job dibatalkan: {ok} berhasil, {failed} gagal" "Job cancelled: {ok} succeeded, {failed} failed"
}

impl Code {
    /// Returns the code in the form of machine-readable error codes, such as `device_not_found`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for (at, letter) in self.ident().chars().enumerate() {
            if letter.is_ascii_uppercase() && at > 0 {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// Returns the code with this name, if there is one: the opposite of [`Code::name`].
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// Returns the sentence with `args` put into their places.
    pub fn text(self, lang: Lang, args: &[(&'static str, String)]) -> String {
        self.filled(lang, args.iter().map(|(place, value)| (*place, value.as_str())))
    }

    /// Returns the sentence with values put into places whose names are not known before they are read.
    pub fn filled<'a>(self, lang: Lang, args: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        let place = |text: String, (name, value): (&str, &str)| text.replace(&format!("{{{name}}}"), value);
        args.fold(self.template(lang).to_owned(), place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeSet, HashSet};

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn every_code_has_two_texts_with_the_same_places() {
        let mut names = HashSet::new();
        for code in Code::ALL {
            let (id, en) = (code.template(Lang::Id), code.template(Lang::En));
            assert!(!id.is_empty() && !en.is_empty(), "{code:?}");
            assert_eq!(places(id), places(en), "{code:?}");
            assert!(names.insert(code.name()), "{code:?} twice");
            assert!((200..600).contains(&code.status()), "{code:?}");
        }
    }

    #[test]
    fn a_text_takes_its_arguments() {
        let text = Code::DeviceDeleted.text(Lang::Id, &[("device", "device-001".into())]);
        assert_eq!(text, "Device device-001 berhasil dihapus");
        assert_eq!(Code::DeviceNotFound.name(), "device_not_found");
    }

    #[test]
    fn accept_language_picks_the_first_known_language() {
        assert_eq!(Lang::from_accept_language("en-GB,en;q=0.9"), Some(Lang::En));
        assert_eq!(Lang::from_accept_language("fr, id;q=0.8, en;q=0.7"), Some(Lang::Id));
        assert_eq!(Lang::from_accept_language("*"), None);
    }

    /// The page that lists the catalogue; `KURIR_WRITE_DOCS=1 cargo test words` writes it anew.
    #[test]
    fn every_code_stands_in_the_documentation() {
        let row = |code: &Code| {
            let (id, en) = (code.template(Lang::Id), code.template(Lang::En));
            format!("| `{}` | {} | {id} | {en} |\n", code.name(), code.status())
        };
        let page = format!(
            "# Messages of the API\n\nEvery sentence that an answer may hold, from `src/words.rs`.\n\n\
             | code | status | Indonesian | English |\n|---|---|---|---|\n{}",
            Code::ALL.iter().map(row).collect::<String>()
        );
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/MESSAGES.md");
        if std::env::var_os("KURIR_WRITE_DOCS").is_some() {
            std::fs::write(path, &page).expect("written");
        }
        let written = std::fs::read_to_string(path).expect("the page");
        assert_eq!(written, page, "run KURIR_WRITE_DOCS=1 cargo test words");
    }
}
