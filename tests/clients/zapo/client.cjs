// An independent WhatsApp client (zapo-js) for the integration tests, driven over standard input and output.
// Usage: node --experimental-websocket client.cjs WS_URL NOISE_ROOT_HEX
// Writes one JSON object a line: {qr}, {paired: jid}, {connected: true}, {disconnected: reason},
// {message: {from, chat, id, text, mentions, poll, media}}, {receipt: {from, id, type}}, {sent: {id, to}}, {joined: true}, {error}.
// Reads one JSON object a line: {"send": {"to": number or group, "text": text}},
// {"send": {"to", "media": {"type", "mimetype", "base64", "caption"}}}, {"join": invite code}, {"disconnect": true},
// {"connect": true}, {"exit": true}.
'use strict'

const http = require('node:http')
const https = require('node:https')
const readline = require('node:readline')
const { WaClient, createStore } = require('zapo-js')

const [url, root] = process.argv.slice(2)
if (!url || !root) {
    console.error('usage: node --experimental-websocket client.cjs WS_URL NOISE_ROOT_HEX')
    process.exit(2)
}

// The client knows its media hosts by name only and speaks TLS with them; the simulated network does not.
https.request = (url, options, done) => {
    const plain = new URL(url)
    if (!['127.0.0.1', 'localhost'].includes(plain.hostname)) throw new Error(`${plain.hostname} is not this machine`)
    plain.protocol = 'http:'
    return http.request(plain, options, done)
}

const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n')
const fail = (error) => tell({ error: String(error?.message ?? error) })

// Quiet but for what went wrong; standard output belongs to the protocol with the test.
const logger = { level: 'warn', child: () => logger }
for (const level of ['trace', 'debug', 'info']) logger[level] = () => {}
for (const level of ['warn', 'error']) {
    logger[level] = (text, context) => console.error(level, text, context ? JSON.stringify(context).slice(0, 300) : '')
}

let credentials = null
const auth = {
    load: async () => credentials,
    save: async (next) => { credentials = next },
    clear: async () => { credentials = null; tell({ cleared: true }) },
}
const store = createStore({
    backends: { kept: { stores: { auth: () => auth }, caches: {} } },
    providers: {
        auth: 'kept', signal: 'memory', senderKey: 'memory', appState: 'memory',
        messages: 'memory', threads: 'memory', contacts: 'memory',
    },
})

const client = new WaClient({
    store,
    sessionId: 'default',
    chatSocketUrls: [url],
    connectTimeoutMs: 5000,
    history: { enabled: true },
    testHooks: { noiseRootCa: { publicKey: new Uint8Array(Buffer.from(root, 'hex')), serial: 0 } },
}, logger)

const KINDS = { image: 'imageMessage', video: 'videoMessage', audio: 'audioMessage', document: 'documentMessage', sticker: 'stickerMessage' }

const textOf = (message) => message?.conversation ?? message?.extendedTextMessage?.text ?? null

const pollOf = (message) => {
    const poll = message?.pollCreationMessageV3 ?? message?.pollCreationMessageV2 ?? message?.pollCreationMessage
    return poll ? { question: poll.name, options: poll.options.map((option) => option.optionName) } : null
}

/** Fetches and decrypts the file of a message. */
const mediaOf = async (message) => {
    const [type, part] = Object.entries(KINDS).map(([type, name]) => [type, message?.[name]]).find(([, part]) => part) ?? []
    if (!type) return null
    const bytes = await client.mediaTransfer.downloadAndDecrypt({
        url: part.url, directPath: part.directPath, mediaType: part.ptt ? 'ptt' : type,
        mediaKey: part.mediaKey, fileSha256: part.fileSha256, fileEncSha256: part.fileEncSha256,
    })
    return {
        type, mimetype: part.mimetype, caption: part.caption ?? null, seconds: part.seconds ?? null,
        thumbnail: (part.jpegThumbnail?.length ?? 0) > 0, base64: Buffer.from(bytes).toString('base64'),
    }
}

const show = async (event) => {
    const message = event.message?.documentWithCaptionMessage?.message ?? event.message
    const [text, poll, media] = [textOf(message), pollOf(message), await mediaOf(message)]
    if (text === null && !poll && !media) return
    const mentions = message?.extendedTextMessage?.contextInfo?.mentionedJid ?? []
    tell({ message: { from: event.senderJid ?? event.chatJid, chat: event.chatJid, id: event.stanzaId, text, mentions, poll, media } })
}

client.on('auth_qr', ({ qr }) => tell({ qr }))
client.on('auth_paired', ({ credentials: paired }) => tell({ paired: paired.meJid ?? true }))
// The connection also opens for pairing; only the network's welcome means that the client is logged in.
client.on('connection_success', () => tell({ connected: true }))
client.on('connection', (event) => {
    if (event.status === 'close') tell({ disconnected: event.reason ?? 'unknown' })
})
client.on('message', (event) => { show(event).catch(fail) })
client.on('message_receipt', (event) => tell({ receipt: { from: event.chatJid, id: event.stanzaId, type: event.stanzaType ?? 'delivered' } }))
client.on('client_error', ({ error }) => fail(error))

const send = async ({ to, text, media }) => {
    const chat = to.includes('@') ? to : `${to}@s.whatsapp.net`
    const file = media && { type: media.type, mimetype: media.mimetype, caption: media.caption, media: new Uint8Array(Buffer.from(media.base64, 'base64')) }
    const sent = await client.sendMessage(chat, file ?? text)
    tell({ sent: { id: sent.id, to } })
}

const obey = async (command) => {
    if (command.send) return send(command.send)
    if (command.join) return client.group.joinGroupViaInvite(command.join).then(() => tell({ joined: true }))
    if (command.disconnect) return client.disconnect()
    if (command.connect) return client.connect()
    if (command.exit) process.exit(0)
    throw new Error(`unknown command ${JSON.stringify(command)}`)
}

const input = readline.createInterface({ input: process.stdin })
input.on('line', (line) => {
    if (line.trim() === '') return
    Promise.resolve().then(() => obey(JSON.parse(line))).catch(fail)
})
input.on('close', () => process.exit(0))

client.connect().catch(fail)
