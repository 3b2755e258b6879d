// Calls that carry files. They go through XMLHttpRequest, because fetch cannot tell how much has left.
import { ApiError, hooks, read, renew, type Envelope } from './client';

export interface UploadOptions {
  idempotencyKey?: string;
  /** Told with the share that has left, 0 to 1. */
  onprogress?: (share: number) => void;
  signal?: AbortSignal;
}

/** Posts a form; like `call`, it renews an ended session once and repeats. */
export async function upload<T>(path: string, form: FormData, options: UploadOptions = {}): Promise<Envelope<T>> {
  let response = await post(path, form, options);
  if (response.status === 401) {
    if (await renew()) response = await post(path, form, options);
    if (response.status === 401) hooks.sessionEnded();
  }
  return read<T>(response);
}

function post(path: string, form: FormData, options: UploadOptions): Promise<Response> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Accept-Language', hooks.language());
    if (options.idempotencyKey) request.setRequestHeader('Idempotency-Key', options.idempotencyKey);
    request.upload.onprogress = ({ loaded, total }) => options.onprogress?.(total === 0 ? 1 : loaded / total);
    request.onload = () => done(new Response(request.responseText, { status: request.status }));
    request.onerror = () => fail(new ApiError(0, '', 'the upload broke off'));
    request.onabort = () => fail(new DOMException('the upload was given up', 'AbortError'));
    options.signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(form);
  });
}
