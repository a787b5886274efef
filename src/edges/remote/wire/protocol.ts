/**
 * The messages between a client and an owner, and the path of a request:
 *
 *   client.set(…) ─► client/remote-client ─► client/encode-call   checks the arguments, takes the values as they are now
 *                                         ─► client/requests      the batch of this tick; at most a few are under way
 *                 ═══ line ═══► owner/session ─► owner/batch-answers ─► owner/operations ─► cache/cache.ts: one turn
 *                 ◄═══ line ═══ owner/outbox                      the answers of the batch, durable first if they must be
 *   its promise ◄─ client/answers ◄─ client/requests
 *
 * (Streams: owner/served-streams to client/remote-streams. Loaders: owner/served-loads and client/remote-loads. Values and
 * errors: wire/wire-value, wire/wire-error. The lines themselves, and synchronous clients, are not here: see edges/threads.)
 *
 * Both ends come from the same package, so nothing here is stable across versions; the greeting names the version and a
 * client of another one is refused.
 *
 *   client ─► owner   [firstId, code, argument, argument, code, argument, …]   one batch: what one tick asked
 *   owner ─► client   [part, part, …]                                          what one tick answered
 *                     [ANSWERS, firstId, result, result, …]                    a batch, whole and in order
 *                     [LATER, id, result]                                      what was answered `[LATER_TAG]` at first
 *                     [EVENTS, subscription, event, …] [END, subscription, error?]
 *                     [LOAD, id]                                               run the loader of that getOrSet
 *                     [ABORT, id]                                              nobody waits for what that loader returns
 *                     [GREETING, version, who]  [CLOSED, error]
 *
 * Flat arrays of strings and numbers, because those are cloned fastest. The requests of a batch are numbered from `firstId`
 * on, so a request carries no number; an operation has a fixed number of arguments, so a request carries no length. Where the
 * first argument is that of the request before (one key, used again and again), SAME stands for it: a number costs a fraction of
 * a text. Where the whole request is the same (a counter), AGAIN counts the repetitions; each is still a request, a turn and an
 * answer of its own.
 */

export const PROTOCOL_VERSION = 3

// The parts of what an owner sends.
export const ANSWERS = 0
export const LATER = 1
export const EVENTS = 2
export const END = 3
export const LOAD = 4
export const GREETING = 5
export const CLOSED = 6
export const ABORT = 7

export type Part = readonly [number, ...unknown[]]

// Limits. A client keeps to the first four, so that a flood waits in the thread or process that makes it.
/** Requests in one batch: half a millisecond of the owner's time. */
export const BATCH_REQUESTS_MAX = 1_024
/** Bytes of keys and values after which a batch is closed. */
export const BATCH_BYTES_MAX = 1024 * 1024
/** Batches sent and not yet answered. */
export const BATCHES_MAX = 4
/** Calls under way that take longer than a turn, such as `getOrSet` and `flush`. */
export const LONG_CALLS_MAX = 16_384

/** Events sent to one subscription and not yet delivered: beyond either limit the subscription ends with an error. */
export const EVENTS_MAX = 100_000
export const EVENT_BYTES_MAX = 64 * 1024 * 1024
/** Events that are sent without waiting for the end of the tick. */
export const EVENTS_AT_ONCE = 1_000

export type StreamKind = 'changes' | 'expirations' | 'evictions' | 'watch' | 'stats' | 'lifecycle'
