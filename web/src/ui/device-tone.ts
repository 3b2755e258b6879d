import type { Device } from '../lib/api/types';
import { troubleOf } from '../lib/text/trouble';

/** How a device's state is coloured: good, waiting for someone, broken, or nothing to say. */
export function tone(device: Pick<Device, 'status' | 'isConnected' | 'reason'>): 'good' | 'warn' | 'bad' | '' {
  if (troubleOf(device)) return 'bad';
  switch (device.status) {
    case 'connected':
      return 'good';
    case 'connecting':
    case 'qr_required':
    case 'pairing':
      return 'warn';
    case 'error':
      return 'bad';
    default:
      return '';
  }
}
