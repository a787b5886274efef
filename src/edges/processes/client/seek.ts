/**
 * Finds the owner of a directory, or becomes it: connect to the socket; if nobody listens there, try the lock; if it is taken, wait a
 * moment and begin again. Nobody decides who owns the cache but the lock, which ends with its process. Before: shared-client.
 * After: greeting, or owner/shared-owner.
 */
import { randomInt } from 'node:crypto'
import type { Cache } from '../../../cache/cache.js'
import { journalClock } from '../../../cache/system-clock.js'
import { socketOf } from '../../../durable/storage/owner-file.js'
import { checkDirectory, isOwnSocket } from '../../../durable/storage/socket-path.js'
import { CacheError, CacheLockedError, reasonOf } from '../../../errors.js'
import type { Line } from '../../remote/line.js'
import { checkOwner, clientGreeting, type KeptOptions, type OwnerGreeting } from '../greeting.js'
import { SocketLine } from '../line/socket-line.js'
import { SharedOwner } from '../owner/shared-owner.js'

/** Whether this process may own the cache: at once, if nobody else wants to, or never. */
export type OwnerPreference = 'prefer' | 'may' | 'never'

/** How long one that may own the cache leaves the lock to those that prefer to. */
const YIELD_MS = 200
const WAIT_MS_MIN = 1
const WAIT_MS_MAX = 50

/** A cache that this process has opened. */
export interface Opened {
  readonly cache: Cache
  readonly kept: KeptOptions
  /** Which of its own options do not apply. */
  readonly warning?: CacheError | undefined
}

export interface Seeking {
  /** Absolute. */
  readonly directory: string
  readonly client: string
  readonly preference: OwnerPreference
  /** Opens the cache in this process. `before`: the owner before, as this process knew it. */
  open(before: OwnerGreeting | undefined): Promise<Opened>
}

export type Place =
  | { readonly role: 'client'; readonly line: SocketLine; readonly owner: OwnerGreeting }
  | {
      readonly role: 'owner'
      readonly line: Line
      readonly owner: SharedOwner
      readonly warning: CacheError | undefined
    }

/**
 * @param before The owner that was lost, if there was one.
 * @param untilMs When to give up; `performance.now()`. With Infinity it does not keep the process alive.
 * @throws CacheError `OWNER_UNAVAILABLE` then; what opening the directory throws; `UNSUPPORTED_VERSION`.
 */
export async function seek(
  seeking: Seeking,
  before: OwnerGreeting | undefined,
  untilMs: number,
  signal: AbortSignal,
): Promise<Place> {
  const { directory, client, preference } = seeking
  const yieldsUntilMs = performance.now() + (preference === 'prefer' ? 0 : YIELD_MS)
  const isAwaited = Number.isFinite(untilMs)
  let obstacle: unknown
  for (;;) {
    signal.throwIfAborted()
    checkDirectory(directory)
    const found = await connect(seeking, untilMs, signal)
    if (found !== undefined) return found
    if (preference !== 'never' && performance.now() >= yieldsUntilMs) {
      try {
        const { cache, kept, warning } = await seeking.open(before)
        const owner = await SharedOwner.begin(cache, { directory, ...kept })
        return { role: 'owner', owner, line: owner.connect(client), warning }
      } catch (error) {
        if (!(error instanceof CacheLockedError)) throw error
        obstacle = error
      }
    }
    if (performance.now() >= untilMs) throw unavailable(directory, obstacle)
    await pause(randomInt(WAIT_MS_MIN, WAIT_MS_MAX + 1), isAwaited)
  }
}

function pause(ms: number, keepsAlive: boolean): Promise<void> {
  return new Promise((resolve) => journalClock.setTimeout(resolve, ms, keepsAlive))
}

/** Undefined if nobody answers at the socket. */
async function connect(
  { directory, client }: Seeking,
  untilMs: number,
  signal: AbortSignal,
): Promise<Place | undefined> {
  const path = socketOf(directory)
  if (path === undefined || !isOwnSocket(path)) return undefined
  const line = await SocketLine.connect(path)
  if (line === undefined) return undefined
  line.greet(clientGreeting(client))
  if (Number.isFinite(untilMs)) line.hold(true)
  const greeting = await greetingOn(line, untilMs - performance.now(), signal)
  line.hold(false)
  if (greeting === undefined) {
    line.close()
    return undefined
  }
  try {
    const owner = checkOwner(greeting.message)
    line.greeted()
    return { role: 'client', line, owner }
  } catch (error) {
    line.close()
    throw error
  }
}

/** The first message; undefined if there is none in time. */
function greetingOn(line: SocketLine, forMs: number, signal: AbortSignal): Promise<{ message: unknown } | undefined> {
  return new Promise((resolve) => {
    const end = (found?: { message: unknown }) => {
      journalClock.clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      resolve(found)
    }
    const abort = () => end()
    const timer = Number.isFinite(forMs) ? journalClock.setTimeout(abort, Math.max(1, forMs)) : undefined
    signal.addEventListener('abort', abort)
    line.onClose(abort)
    line.onMessage((message) => {
      line.mute()
      end({ message })
    })
  })
}

function unavailable(directory: string, obstacle: unknown): CacheError {
  const why = obstacle === undefined ? '' : ` (${reasonOf(obstacle).split('. ', 1)})`
  return new CacheError('OWNER_UNAVAILABLE', `No owner of ${directory} could be reached${why}`, { cause: obstacle })
}
