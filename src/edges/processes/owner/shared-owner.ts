/**
 * The process that owns the cache, as the others see it: a socket, and a session for each of them. It also asks itself over a
 * line, so that its program need not know which process owns the cache. Before: client/seek. After: edges/remote/owner.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { type Cache, innerOf } from '../../../cache/cache.js'
import type { Door } from '../../../cache/door/door.js'
import { journalClock } from '../../../cache/system-clock.js'
import { outsideRequests } from '../../../durable/outside-requests.js'
import { queueTask } from '../../../durable/storage/event-loop.js'
import { writeSocket } from '../../../durable/storage/owner-file.js'
import { bind, removeSocket } from '../../../durable/storage/socket-path.js'
import { CacheClosedError, type CacheError } from '../../../errors.js'
import { LocalLine } from '../../remote/line/local-line.js'
import type { Line } from '../../remote/line.js'
import { DurableAnswers } from '../../remote/owner/durable-answers.js'
import { KeptAnswers } from '../../remote/owner/kept-answers.js'
import { Session } from '../../remote/owner/session.js'
import { WriteGate } from '../../remote/owner/write-gate.js'
import { FORGET_MS } from '../../remote/wire/protocol.js'
import { isClient, type KeptOptions, ownerGreeting } from '../greeting.js'
import { SocketLine } from '../line/socket-line.js'
import { RecentChanges } from './recent-changes.js'

const HEARTBEAT_MS = 1_000
/** How long a connection may take to greet. */
const GREETING_MS = 10_000

export interface OwnerOptions extends KeptOptions {
  readonly directory: string
}

export class SharedOwner {
  readonly cache: Cache
  readonly #door: Door
  readonly #options: OwnerOptions
  readonly #gate: WriteGate
  readonly #durableAnswers: DurableAnswers
  readonly #recent: RecentChanges
  readonly #server: Server
  readonly #lines = new Set<SocketLine>()
  /** By client. */
  readonly #sessions = new Map<string, Session>()
  /** By client that is not connected. */
  readonly #forgetting = new Map<string, unknown>()
  #heartbeat: unknown
  #socket: string | undefined
  #isClosing = false

  private constructor(cache: Cache, options: OwnerOptions) {
    this.cache = cache
    this.#options = options
    this.#door = innerOf(cache)
    this.#gate = new WriteGate(this.#door)
    this.#durableAnswers = new DurableAnswers(this.#door)
    this.#recent = new RecentChanges(cache)
    this.#server = createServer((socket) => outsideRequests(() => this.#accept(socket)))
    this.#server.unref()
    this.#server.on('error', () => undefined) // a connection that could not be accepted: its client tries again
    for (const client of this.#door.numbered.clients) this.#forgetLater(client)
    // After the answers to calls that closing settles.
    cache.lifecycle$.subscribe({ complete: () => queueTask(() => this.#end()) })
  }

  /** Makes a cache that this process has opened known to the others. Closes it if that fails. */
  static async begin(cache: Cache, options: OwnerOptions): Promise<SharedOwner> {
    const owner = new SharedOwner(cache, options)
    try {
      owner.#socket = await bind(owner.#server, options.directory)
      writeSocket(options.directory, owner.#socket)
    } catch (error) {
      await owner.close().catch(() => undefined)
      throw error
    }
    owner.#beat()
    return owner
  }

  #beat(): void {
    this.#heartbeat = journalClock.setTimeout(() => {
      for (const line of this.#lines) line.signal()
      this.#beat()
    }, HEARTBEAT_MS)
  }

  // ── clients ──

  #accept(socket: Socket): void {
    const line = new SocketLine(socket)
    if (this.#isClosing) {
      line.close()
      return
    }
    const timer = journalClock.setTimeout(() => line.close(), GREETING_MS)
    line.onClose(() => journalClock.clearTimeout(timer))
    let isGreeted = false
    line.onMessage((greeting) => {
      if (isGreeted) return // the session has not taken over yet
      isGreeted = true
      journalClock.clearTimeout(timer)
      if (this.#isClosing) {
        line.close()
        return
      }
      line.greet(ownerGreeting(this.#options)) // also to those who will not understand the rest
      if (!isClient(greeting)) line.close()
      else {
        line.greeted()
        this.#serve(greeting.client, line, () => this.#lines.delete(line))
        this.#lines.add(line)
      }
    })
  }

  #serve(client: string, line: Line, onClose: () => void): void {
    this.#sessions.get(client)?.close(goodbye()) // its line is broken
    journalClock.clearTimeout(this.#forgetting.get(client))
    this.#forgetting.delete(client)
    const { cache } = this
    const door = this.#door
    const served = { cache, door, durableAnswers: this.#durableAnswers }
    const session: Session = new Session(served, line, {
      extras: {},
      numbered: {
        answers: new KeptAnswers(door.numbered, client),
        gate: this.#gate,
        changesAfter: this.#recent.after,
      },
      onClose,
    })
    this.#sessions.set(client, session)
    line.onClose(() => {
      if (this.#sessions.get(client) !== session) return
      this.#sessions.delete(client)
      if (session.hasLeft) door.numbered.forget(client)
      else this.#forgetLater(client)
    })
  }

  #forgetLater(client: string): void {
    const timer = journalClock.setTimeout(() => {
      this.#forgetting.delete(client)
      this.#door.numbered.forget(client)
    }, FORGET_MS)
    this.#forgetting.set(client, timer)
  }

  /** A line to this process's own client. */
  connect(client: string): Line {
    const [ours, theirs] = LocalLine.pair()
    this.#serve(client, ours, () => undefined)
    return theirs
  }

  // ── the end ──

  /** Hands over: what has arrived is answered, then the clients are told, and the lock is free. */
  async close(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#server.close()
    for (const line of this.#lines) line.pause()
    await Promise.all([...this.#sessions.values()].map((session) => session.drain()))
    await this.#gate.idle()
    if (this.#socket !== undefined) removeSocket(this.#socket)
    this.#end()
    await this.cache.close({ force: true })
  }

  #end(): void {
    this.#isClosing = true
    this.#server.close()
    this.#recent.stop()
    journalClock.clearTimeout(this.#heartbeat)
    for (const timer of this.#forgetting.values()) journalClock.clearTimeout(timer)
    this.#forgetting.clear()
    for (const session of [...this.#sessions.values()]) session.close(goodbye())
  }
}

function goodbye(): CacheError {
  return new CacheClosedError('The owner of the cache has closed it', {
    consequence: 'Calls under way may or may not have taken effect.',
  })
}
