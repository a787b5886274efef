/**
 * What travels over a port, and where it passes by:
 *
 *   client.set(…) ─► client/thread-client ─► client/requests   checks, and takes the values as they are now
 *                                        ─► client/line        this tick's batch; a few batches on the way
 *                 ═══ port ═══► owner/served-port ─► owner/operations ─► cache/cache.ts: one turn
 *                 ◄═══ port ═══ owner/served-port              the batch's answers, when they are durable if they must be
 *   its promise ◄─ client/line ◄─ client/answers
 *
 * (A synchronous client: client/sync-client and sync-line, owner/served-memory. Streams: owner/served-streams to
 * client/remote-streams. Loaders: owner/served-loads. Values and errors on the way: wire/wire-value, wire/wire-error.)
 *
 * Both ends come from the same package, so nothing here is kept stable across versions; the
 * greeting names the version and a client of another one is refused.
 *
 *   client ─► owner   [firstId, op, argument, argument, op, argument, …]      one batch: what one tick asked
 *                     0                                                        "look into the shared memory" (sync-packet.ts)
 *   owner ─► client   [part, part, …]                                          what one tick answered
 *                     [ANSWERS, firstId, result, result, …]                    a batch, whole and in order
 *                     [LATER, id, result]                                      what was answered `[LATER_TAG]` at first
 *                     [EVENTS, subscription, event, …] [END, subscription, error?]
 *                     [LOAD, id]                                               run the loader of that getOrSet
 *                     [GREETING, version, threadId]  [CLOSED, error]
 *
 * Flat arrays of strings and numbers, because that is what structured cloning is fastest at. The requests of a batch are
 * numbered from `firstId` on, so no request carries a number; an operation has a fixed number of arguments, so no request
 * carries a length. Where the first argument is the same as that of the request before (one key, used again and again), SAME
 * stands for it: a number costs a fraction of a text. Where all of it is the same (a counter), AGAIN counts how often; each is a
 * request, a turn and an answer of its own all the same.
 */
import { METHOD_NAMES, METHODS, type Method, type MethodName, type MethodsWith } from '../../../cache/methods.js'

export const PROTOCOL_VERSION = 3

/** Stands for the first argument of the request before; 0 is none by itself. */
export const SAME = 0
/** In the place of an operation: the request before, as many times more as the next element says. */
export const AGAIN = -1

/** The methods that a client asks the owner for; the others it does to itself. */
export type RemoteMethod = Exclude<MethodName, MethodsWith<{ isLocal: true }>>

export const REMOTE_METHODS = METHOD_NAMES.filter(
  (name): name is RemoteMethod => (METHODS[name] as Method).isLocal !== true,
)

/**
 * The options of a method that travel: those that are functions do not. (Of arguments that are functions something else
 * goes in their place: of transact's the list of its steps, of a loader the id of the getOrSet in whose loader it is asked for.)
 */
export function optionsOf({ options = [] }: Method): readonly string[] {
  return options.filter((option) => option !== 'onProgress')
}

/** The operations that are no methods, with their arguments. */
const OTHERS = {
  /** A `set` and an `increment` without options: what is asked most has nothing to say in vain. */
  put: ['key', 'value'],
  add: ['key', 'by'],
  hello: [],
  share: [],
  /** the memory of a synchronous client */
  sync: ['memory'],
  subscribe: ['subscription', 'kind', 'pattern'],
  unsubscribe: ['subscription'],
  /** one more message of events has been delivered to its subscribers */
  acknowledge: ['subscription'],
  /** what the loader of a getOrSet gave, or failed with */
  loaded: ['request', 'value'],
  notLoaded: ['request', 'error'],
  bye: [],
} as const

export type OperationName = RemoteMethod | keyof typeof OTHERS

/** The order gives the codes. */
export const OPERATION_NAMES: readonly OperationName[] = [
  ...REMOTE_METHODS,
  ...(Object.keys(OTHERS) as (keyof typeof OTHERS)[]),
]

/** The code of each operation. */
export const OP = Object.fromEntries(OPERATION_NAMES.map((name, code) => [name, code])) as Readonly<
  Record<OperationName, number>
>

/** By code: how many arguments follow it. Of a method: its arguments, then its options, given or not. */
export const ARITIES: readonly number[] = [
  ...REMOTE_METHODS.map((name) => METHODS[name].takes.length + optionsOf(METHODS[name]).length),
  ...Object.values(OTHERS).map((names) => names.length),
]

// The parts of what an owner sends.
export const ANSWERS = 0
export const LATER = 1
export const EVENTS = 2
export const END = 3
export const LOAD = 4
export const GREETING = 5
export const CLOSED = 6

export type Part = readonly [number, ...unknown[]]

/** The one message that is no array: a synchronous client has put its request into the memory it shares. */
export const LOOK = 0

// Limits. A client keeps to the first three, so that a flood waits in the worker that makes it.
/** Requests that travel together at most: half a millisecond of the owner's time. */
export const BATCH_REQUESTS_MAX = 1_024
/** Bytes of keys and values after which a batch is closed. */
export const BATCH_BYTES_MAX = 1024 * 1024
/** Batches on the way or being worked on, for one port. */
export const BATCHES_MAX = 4
/** `getOrSet`, `flush`, `compact`, `save` and `load` that one client may have under way; the next ones wait in the worker. */
export const LONG_CALLS_MAX = 16_384

/** Events sent to one subscription and not yet delivered there: past either limit the subscription is ended with an error. */
export const EVENTS_MAX = 100_000
export const EVENT_BYTES_MAX = 64 * 1024 * 1024
/** Events that are sent without waiting for the end of the tick. */
export const EVENTS_AT_ONCE = 1_000

export const STREAM_KINDS = ['changes', 'expirations', 'evictions', 'watch', 'stats', 'lifecycle'] as const
export type StreamKind = (typeof STREAM_KINDS)[number]
