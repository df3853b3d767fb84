import { ApiError } from "./errors.js";

/** The time, which tests replace. */
export interface Clock {
  /** Returns the time in milliseconds. */
  now(): number;
  /** Resolves after some milliseconds, and rejects with the signal's reason if it is aborted. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

/** The real time. */
export const CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

const ATTEMPTS = 5;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
/** API Gateway answers within 29 seconds, so a longer request has lost its connection. */
const ATTEMPT_MS = 35_000;

/** Options of the functions that repeat a failed request. */
export interface RetryOptions {
  /** Stops the request and its retries. */
  signal?: AbortSignal | undefined;
  /** How often the request is sent at most. */
  attempts?: number | undefined;
}

/**
 * Returns the result of `call`. Repeats it after errors that may pass: a lost connection, 429 and 5xx.
 * The waits double, have a random part, and are at least as long as the response's `Retry-After`.
 */
export async function retrying<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { signal, attempts = ATTEMPTS }: RetryOptions,
  clock: Clock,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(attemptSignal(signal));
    } catch (error) {
      if (!(error instanceof ApiError && error.transient) || attempt >= attempts) throw error;
      await clock.sleep(Math.max(error.retryAfterMs ?? 0, waitMs(attempt)), signal);
    }
  }
}

/** Returns a signal that ends one attempt if the caller aborts or if the connection is lost without a sign. */
export function attemptSignal(signal: AbortSignal | undefined): AbortSignal {
  const limit = AbortSignal.timeout(ATTEMPT_MS);
  return signal ? AbortSignal.any([signal, limit]) : limit;
}

function waitMs(attempt: number): number {
  const longest = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
  return longest * (0.5 + Math.random() / 2);
}
