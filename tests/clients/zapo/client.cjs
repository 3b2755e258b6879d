// An independent WhatsApp client (zapo-js) for the integration tests, driven over standard input and output.
// Usage: node --experimental-websocket client.cjs WS_URL NOISE_ROOT_HEX
// Writes one JSON object a line: {qr}, {paired: jid}, {connected: true}, {disconnected: reason},
// {message: {from, text, id}}, {receipt: {from, id, type}}, {sent: {id, to}}, {error}.
// Reads one JSON object a line: {"send": {"to": number, "text": text}}, {"disconnect": true}, {"connect": true}, {"exit": true}.
'use strict'

const readline = require('node:readline')
const { WaClient, createStore } = require('zapo-js')

const [url, root] = process.argv.slice(2)
if (!url || !root) {
    console.error('usage: node --experimental-websocket client.cjs WS_URL NOISE_ROOT_HEX')
    process.exit(2)
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

const textOf = (message) => message?.conversation ?? message?.extendedTextMessage?.text ?? null

client.on('auth_qr', ({ qr }) => tell({ qr }))
client.on('auth_paired', ({ credentials: paired }) => tell({ paired: paired.meJid ?? true }))
// The connection also opens for pairing; only the network's welcome means that the client is logged in.
client.on('connection_success', () => tell({ connected: true }))
client.on('connection', (event) => {
    if (event.status === 'close') tell({ disconnected: event.reason ?? 'unknown' })
})
client.on('message', (event) => {
    const text = textOf(event.message)
    if (text === null) return
    tell({ message: { from: event.senderJid ?? event.chatJid, text, id: event.stanzaId } })
})
client.on('message_receipt', (event) => tell({ receipt: { from: event.chatJid, id: event.stanzaId, type: event.stanzaType ?? 'delivered' } }))
client.on('client_error', ({ error }) => fail(error))

const send = async ({ to, text }) => {
    const sent = await client.sendMessage(`${to}@s.whatsapp.net`, text)
    tell({ sent: { id: sent.id, to } })
}

const obey = async (command) => {
    if (command.send) return send(command.send)
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
