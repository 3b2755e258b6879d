import type { DeviceStatus } from '../lib/api/types';

/** How a device's state is coloured: good, waiting for someone, broken, or nothing to say. */
export function tone(status: DeviceStatus): 'good' | 'warn' | 'bad' | '' {
  switch (status) {
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
