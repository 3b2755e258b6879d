// The one way to the server: envelope in, data or ApiError out. The session cookie is HttpOnly, so this
// file never sees a token; when the short one has run out it asks once for a new one and repeats the call.

export interface Envelope<T> {
  success: boolean;
  message?: string;
  data: T;
}

/** A refused or failed call. `status` is 0 when no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly detail: string | null = null,
  ) {
    super(message);
  }

  get offline(): boolean {
    return this.status === 0;
  }
}

export interface CallOptions {
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  /** Makes a send safe to repeat: the server answers the same key with the first answer. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** Hooks that the session store sets; the client itself knows neither pages nor languages. */
export const hooks = {
  language: (): string => 'id',
  sessionEnded: (): void => {},
};

const REFRESH = '/api/auth/refresh-token';
/** Calls whose 401 is an answer about what was typed, not about the session. */
const OWN_401 = new Set(['/api/auth/login', '/api/auth/claim', REFRESH]);

export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<Envelope<T>> {
  let response = await send(method, path, options);
  if (response.status === 401 && !OWN_401.has(path)) {
    if (await renew()) response = await send(method, path, options);
    if (response.status === 401) hooks.sessionEnded();
  }
  return read<T>(response);
}

export async function getData<T>(path: string, options: CallOptions = {}): Promise<T> {
  return (await call<T>('GET', path, options)).data;
}

let renewing: Promise<boolean> | null = null;

/** Renews the session cookie; calls that fail together share one attempt, because refresh tokens rotate. */
export function renew(): Promise<boolean> {
  renewing ??= send('POST', REFRESH, { body: {} })
    .then((response) => response.ok, () => false)
    .finally(() => (renewing = null));
  return renewing;
}

async function send(method: string, path: string, options: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': hooks.language() };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.idempotencyKey) headers['Idempotency-Key'] = options.idempotencyKey;
  try {
    return await fetch(path + queryString(options.query), {
      method,
      headers,
      credentials: 'same-origin',
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(0, '', String(cause));
  }
}

/** Reads an answer: the envelope of a success, or the error it stands for. */
export async function read<T>(response: Response): Promise<Envelope<T>> {
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body as Envelope<T>;
  throw new ApiError(response.status, errorText(body), errorDetail(body));
}

/** Families word their refusals differently: `message`, or `error.message` in the simulated network's. */
function errorText(body: unknown): string {
  if (typeof body !== 'object' || body === null) return '';
  const { message, error } = body as { message?: unknown; error?: { message?: unknown } };
  if (typeof message === 'string') return message;
  return typeof error?.message === 'string' ? error.message : '';
}

function errorDetail(body: unknown): string | null {
  const error = (body as { error?: unknown } | null)?.error;
  return typeof error === 'string' ? error : null;
}

function queryString(query: CallOptions['query']): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== '');
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}`;
}
