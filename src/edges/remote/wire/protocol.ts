/**
 * The messages between a client and an owner, and the path of a request:
 *
 *   client.set(…) ─► client/remote-client ─► client/encode-call   checks the arguments, encodes the values
 *                                         ─► client/requests      the batch of this tick; at most a few are in flight
 *                 ═══ line ═══► owner/session ─► owner/batch-answers ─► owner/operations ─► cache/cache.ts: one turn
 *                 ◄═══ line ═══ owner/sender                      the answers of the batch, once durable if required
 *   its promise ◄─ client/answers ◄─ client/requests
 *
 * (Streams: owner/served-streams to client/remote-streams. Loaders: owner/served-loads and client/remote-loads. Values and
 * errors: wire/wire-value, wire/wire-error. The lines themselves, and synchronous clients, are not here: see edges/threads.)
 *
 * Both ends come from the same package, so nothing here is stable across versions; the greeting names the version and a
 * client with another version is refused.
 *
 *   client ─► owner   [firstId, code, argument, argument, code, argument, …]   one batch: the requests of one tick
 *   owner ─► client   [part, part, …]                                          the answers of one tick
 *                     [ANSWERS, firstId, result, result, …]                    of a whole batch, in order
 *                     [LATER, id, result]                                      of a request first answered with `[LATER_TAG]`
 *                     [EVENTS, subscription, event, …] [END, subscription, error?]
 *                     [LOAD, id, keys, [key, stale value, key, …], lease]      run the loader that this request passed
 *                     [ABORT, id, error]                                       the result of that loader is no longer wanted
 *                     [GREETING, version, who]  [CLOSED, error]
 *
 * Flat arrays of strings and numbers, because those are cloned fastest. The requests of a batch are numbered from
 * `firstId`, so a request carries no number; an operation has a fixed number of arguments, so a request carries no length. If the
 * first argument equals that of the previous request (one key, used repeatedly), SAME stands for it: a number is far cheaper
 * than a string. If the whole request is the same (a counter), AGAIN counts the repetitions; each is still a request, a turn
 * and an answer of its own.
 */

export const PROTOCOL_VERSION = 5

// The kinds of parts in an owner's message.
export const ANSWERS = 0
export const LATER = 1
export const EVENTS = 2
export const END = 3
export const LOAD = 4
export const GREETING = 5

/** The first message of an owner. `who` identifies it. */
export const greetingFrom = (who: unknown) => [[GREETING, PROTOCOL_VERSION, who]]
export const CLOSED = 6
export const ABORT = 7

export type Part = readonly [number, ...unknown[]]

// Limits. A client keeps to the first four, so that a flood waits in the thread or process that makes it.
/** Requests in one batch: half a millisecond of work for the owner. */
export const BATCH_REQUESTS_MAX = 1_024
/** Bytes of keys and values after which a batch is closed. */
export const BATCH_BYTES_MAX = 1024 * 1024
/** Batches sent and not yet answered. */
export const BATCHES_MAX = 4
/** Pending calls that take longer than a turn, such as `getOrSet` and `flush`. */
export const LONG_CALLS_MAX = 16_384

/** Events sent to one subscription and not yet delivered: beyond either limit the subscription ends with an error. */
export const EVENTS_MAX = 100_000
export const EVENT_BYTES_MAX = 64 * 1024 * 1024
/** When this many events are pending, they are sent without waiting for the end of the tick. */
export const EVENTS_AT_ONCE = 1_000

/**
 * After how long an owner forgets a client that is gone, with the answers that were kept for it. A client asks again for at most half
 * of that, so what it asks is never something whose answer was forgotten.
 */
export const FORGET_MS = 600_000
export const ASK_AGAIN_MS = FORGET_MS / 2

export type StreamKind = 'changes' | 'expirations' | 'evictions' | 'removals' | 'watch' | 'stats' | 'lifecycle'
