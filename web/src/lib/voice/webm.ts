// The sound out of a WebM recording, as browsers without Ogg make it: the header of its Opus stream and the packets.

export interface OpusStream {
  /** The `OpusHead` of the stream. */
  head: Uint8Array;
  packets: Uint8Array[];
}

const CODEC_PRIVATE = 0x63a2;
const SIMPLE_BLOCK = 0xa3;
const BLOCK = 0xa1;
/** Elements that only hold others: segment, tracks, track, cluster, group of a block. Their sizes may be left open. */
const HOLDERS = new Set([0x18538067, 0x1654ae6b, 0xae, 0x1f43b675, 0xa0]);

/** Returns null when there is no Opus in it. */
export function opusOf(webm: Uint8Array): OpusStream | null {
  let head: Uint8Array | null = null;
  const packets: Uint8Array[] = [];
  let at = 0;
  while (at < webm.length) {
    const id = number(webm, at, true);
    const size = number(webm, at + id.length, false);
    at += id.length + size.length;
    if (HOLDERS.has(id.value)) continue;
    const content = webm.subarray(at, at + size.value);
    if (id.value === CODEC_PRIVATE) head = content;
    if (id.value === SIMPLE_BLOCK || id.value === BLOCK) packets.push(frameOf(content));
    at += size.value;
  }
  const isOpus = head !== null && new TextDecoder().decode(head.subarray(0, 8)) === 'OpusHead';
  return isOpus && head && packets.length > 0 ? { head, packets } : null;
}

/** A number whose first byte tells its length by its leading zeros; ids keep the bit that says so. */
function number(bytes: Uint8Array, at: number, isId: boolean): { value: number; length: number } {
  const first = bytes[at] ?? 0;
  const length = Math.min(8, Math.clz32(first) - 23);
  let value = isId ? first : first & (0xff >> length);
  for (let index = 1; index < length; index += 1) value = value * 256 + (bytes[at + index] ?? 0);
  return { value, length };
}

/** What stands behind the number of the track, the time (two bytes) and the flags; recorders put one frame in a block. */
const frameOf = (block: Uint8Array): Uint8Array => block.subarray(number(block, 0, false).length + 3);
