// Opus packets as an Ogg file (RFC 3533, RFC 7845), the form in which WhatsApp takes voice notes.
import type { OpusStream } from './webm';

/** Opus counts time in samples of this rate, whatever the recording was made with. */
const SAMPLES_PER_MS = 48;
const PACKETS_PER_PAGE = 50;
const SEGMENT = 255;
const SEGMENTS_MAX = 255;
const HEADER = 27;
const FIRST = 2;
const LAST = 4;
const SERIAL = 1;

export function oggOf({ head, packets }: OpusStream): Blob {
  const pages = [page([head], 0, 0, FIRST), page([tags()], 0, 1, 0)];
  let samples = 0;
  let waiting: Uint8Array[] = [];
  packets.forEach((packet, index) => {
    samples += durationOf(packet);
    waiting.push(packet);
    const isLast = index === packets.length - 1;
    const next = isLast ? 0 : segmentsOf(packets[index + 1]!);
    const isFull = waiting.length === PACKETS_PER_PAGE || count(waiting) + next > SEGMENTS_MAX;
    if (!isLast && !isFull) return;
    pages.push(page(waiting, samples, pages.length, isLast ? LAST : 0));
    waiting = [];
  });
  return new Blob(pages, { type: 'audio/ogg' });
}

const segmentsOf = (packet: Uint8Array): number => Math.floor(packet.length / SEGMENT) + 1;
const count = (packets: Uint8Array[]): number => packets.reduce((sum, packet) => sum + segmentsOf(packet), 0);

/** How long a packet sounds, in samples: its first byte names the length of a frame and how many there are. */
function durationOf(packet: Uint8Array): number {
  const [first = 0, second = 0] = packet;
  const config = first >> 3;
  const frames = [1, 2, 2, second & 63][first & 3] ?? 1;
  return frames * frameMs(config) * SAMPLES_PER_MS;
}

function frameMs(config: number): number {
  if (config < 12) return [10, 20, 40, 60][config & 3] ?? 20;
  if (config < 16) return [10, 20][config & 1] ?? 20;
  return [2.5, 5, 10, 20][config & 3] ?? 20;
}

/** The second packet of every stream: who made it, and no remarks. */
function tags(): Uint8Array {
  const maker = new TextEncoder().encode('Kurir');
  const bytes = new Uint8Array(16 + maker.length);
  bytes.set(new TextEncoder().encode('OpusTags'));
  new DataView(bytes.buffer).setUint32(8, maker.length, true);
  bytes.set(maker, 12);
  return bytes;
}

/** One page of whole packets; `samples` is the time at its end. */
function page(packets: Uint8Array[], samples: number, index: number, flags: number): Uint8Array<ArrayBuffer> {
  const lacing = packets.flatMap(({ length }) => [...Array<number>(Math.floor(length / SEGMENT)).fill(SEGMENT), length % SEGMENT]);
  const size = packets.reduce((sum, { length }) => sum + length, HEADER + lacing.length);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('OggS'));
  bytes[5] = flags;
  view.setBigUint64(6, BigInt(samples), true);
  view.setUint32(14, SERIAL, true);
  view.setUint32(18, index, true);
  bytes[26] = lacing.length;
  bytes.set(lacing, HEADER);
  let at = HEADER + lacing.length;
  for (const packet of packets) {
    bytes.set(packet, at);
    at += packet.length;
  }
  view.setUint32(22, checksum(bytes), true);
  return bytes;
}

/** The checksum of Ogg: CRC-32 with the highest bit first, and nothing turned around. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  }
  return sum >>> 0;
}
