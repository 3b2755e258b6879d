// A voice note while it is spoken into the microphone.
import { oggOf } from './ogg';
import { opusOf } from './webm';

/** Recordings that become a voice note: Ogg as it is, WebM in another wrapping of the same sound. */
const FORMS = ['audio/ogg;codecs=opus', 'audio/webm;codecs=opus'];
const BITS_PER_SECOND = 24_000;

function form(): string | undefined {
  if (typeof MediaRecorder === 'undefined') return undefined;
  return FORMS.find((type) => MediaRecorder.isTypeSupported(type));
}

/** Whether this browser can record what can be sent; microphones are for secure addresses only. */
export const canRecord = (): boolean => navigator.mediaDevices !== undefined && form() !== undefined;

export class Recording {
  /** Epoch ms of the beginning; null while nothing is recorded. */
  since = $state<number | null>(null);
  private recorder: MediaRecorder | null = null;
  private parts: Blob[] = [];
  private turn = 0;

  /** Asks for the microphone and begins; fails when it is denied. */
  async start(): Promise<void> {
    const turn = ++this.turn;
    const sound = await navigator.mediaDevices.getUserMedia({ audio: true });
    // Whoever asked has gone while the browser waited for the permission.
    if (turn !== this.turn) return release(sound);
    const recorder = new MediaRecorder(sound, { mimeType: form(), audioBitsPerSecond: BITS_PER_SECOND });
    // Its own list: what a discarded one still hands over goes nowhere.
    const parts: Blob[] = (this.parts = []);
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.start();
    this.recorder = recorder;
    this.since = Date.now();
  }

  /** Ends the recording and returns it as a file; null when nothing was heard. */
  async finish(): Promise<File | null> {
    const type = this.recorder?.mimeType ?? '';
    await this.stop();
    const recorded = new Blob(this.parts, { type });
    const ogg = type.includes('webm') ? await unwrap(recorded) : recorded;
    return ogg && ogg.size > 0 ? new File([ogg], 'voice.ogg', { type: 'audio/ogg' }) : null;
  }

  /** Ends the recording and lets the microphone go. */
  async stop(): Promise<void> {
    const { recorder } = this;
    this.turn += 1;
    this.recorder = null;
    this.since = null;
    if (!recorder) return;
    // A microphone that was pulled out has ended it already.
    if (recorder.state !== 'inactive') {
      const stopped = new Promise((done) => (recorder.onstop = done));
      recorder.stop();
      await stopped;
    }
    release(recorder.stream);
  }
}

const release = (sound: MediaStream): void => sound.getTracks().forEach((track) => track.stop());

async function unwrap(webm: Blob): Promise<Blob | null> {
  const stream = opusOf(new Uint8Array(await webm.arrayBuffer()));
  return stream && oggOf(stream);
}
