/**
 * What a node serves at its address: lines to its cache while it leads, the other ends of lines that it has opened itself, the question
 * whether it is there, how it is doing, and keys that other nodes have hit. Before: the log's wire. After: wire-line, and whoever accepts lines.
 */
import { hostname } from 'node:os'
import type { Clock } from '../../../core/model/clock.js'
import { canTalk, type End, ownEnd } from '../../remote/wire/end.js'
import { bufferOf, jsonBody, readJson } from '../journal/records.js'
import type { Wire } from '../log.js'
import { CLOSE, lineIdIn, OPEN, PART, PING, PROBE, STATUS, TAKEN, TOUCH, UNKNOWN_LINE, WireLine } from './wire-line.js'

/** Whoever opens a line says. */
interface Opening extends End {
  readonly line: string
  readonly client: string
  /** Its address. */
  readonly from: string
  /** Of the term that it believes in. */
  readonly epoch: number
}

export interface NodeWireParts {
  readonly wire: Wire
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  /** The address of this node. */
  readonly node: string
  readonly bytesMax: number
  newId(): string
  /** Serves a line, if this node leads in that term; returns whether it does. */
  accept(client: string, epoch: number, line: WireLine): boolean
  touched(keys: readonly string[]): void
  /** How this node is doing. */
  status(): NodeFigures
}

export interface NodeFigures {
  readonly role: 'leader' | 'follower'
  readonly term: number
  /** The last record that it has applied. */
  readonly position: number
  /** Since it last held the newest record of the log. */
  readonly lagMs: number
  readonly entries: number
}

/** What a node answers to `daybook cluster status`. */
export interface NodeStatus extends NodeFigures {
  readonly node: string
  readonly pid: number
  readonly host: string
  /** The nodes that have a line to this one. */
  readonly connected: readonly string[]
}

/** Why a line was not opened. `'version'`: the other node does not understand this one. */
export type Refusal = 'retry' | 'version'

/** Lines that have ended and are remembered. */
const ENDED_MAX = 10_000

export class NodeWire {
  readonly #parts: NodeWireParts
  readonly #lines = new Map<string, WireLine>()
  /** Which node has opened the lines that this one has accepted. */
  readonly #accepted = new Map<string, string>()
  /** Lines that have ended: messages that arrive late, or twice, must not begin them anew. The oldest first. */
  readonly #ended = new Set<string>()
  /** Those that still send what was posted before their end. */
  readonly #leaving = new Set<Promise<void>>()
  readonly #serving: { stop(): void }

  constructor(parts: NodeWireParts) {
    this.#parts = parts
    this.#serving = parts.wire.serve(parts.node, async (body) => this.#handle(bufferOf(body)))
  }

  /** Whether anybody answers at an address. */
  async isThere(address: string): Promise<boolean> {
    try {
      await this.#parts.wire.request(address, Uint8Array.of(PING))
      return true
    } catch {
      return false
    }
  }

  /** A line to the leader of a term. */
  async open(address: string, client: string, epoch: number): Promise<WireLine | Refusal> {
    const { wire, node, newId } = this.#parts
    const id = newId()
    const opening: Opening = { ...ownEnd(), line: id, client, from: node, epoch }
    const line = this.#line(id, address, true)
    let refusal: Refusal | 'none' = 'retry'
    try {
      const answer = await wire.request(address, Buffer.concat([Uint8Array.of(OPEN), jsonBody(opening)]))
      refusal = (readJson(answer) as { refusal: Refusal | 'none' }).refusal
    } catch {
      // It may have been opened nevertheless.
    }
    if (refusal === 'none') return line
    line.close()
    return refusal
  }

  touch(address: string, keys: readonly string[]): void {
    this.#parts.wire.cast(address, Buffer.concat([Uint8Array.of(TOUCH), jsonBody(keys)]))
  }

  #line(id: string, address: string, hasOpened: boolean): WireLine {
    const { wire, clock, bytesMax } = this.#parts
    const line = new WireLine({ wire, clock, address, id, bytesMax, hasOpened })
    this.#lines.set(id, line)
    line.onClose(() => {
      this.#lines.delete(id)
      this.#accepted.delete(id)
      this.#ended.add(id)
      if (this.#ended.size > ENDED_MAX) this.#ended.delete(this.#ended.keys().next().value as string)
      const leaving = line.sent().then(() => void this.#leaving.delete(leaving))
      this.#leaving.add(leaving)
    })
    return line
  }

  #handle(body: Buffer): Uint8Array {
    switch (body[0]) {
      case OPEN:
        return jsonBody({ refusal: this.#accept(readJson(body.subarray(1)) as Opening) })
      case PART:
      case PROBE:
      case CLOSE: {
        const line = this.#lines.get(lineIdIn(body))
        if (line === undefined) return Uint8Array.of(UNKNOWN_LINE)
        if (body[0] === PART) line.take(body)
        else if (body[0] === PROBE) line.probed()
        else line.closed()
        break
      }
      case STATUS:
        return jsonBody(this.#status())
      case TOUCH:
        this.#parts.touched(readJson(body.subarray(1)) as string[])
    }
    return Uint8Array.of(TAKEN)
  }

  #status(): NodeStatus {
    const { node, status } = this.#parts
    const connected = [...this.#accepted.values()]
    return { node, pid: process.pid, host: hostname(), ...status(), connected: [...new Set(connected)].sort() }
  }

  #accept(opening: Opening): Refusal | 'none' {
    const { client, epoch, line: id, from } = opening
    if (!canTalk(opening)) return 'version'
    if (this.#lines.has(id)) return 'none' // asked again
    if (this.#ended.has(id)) return 'retry'
    const line = this.#line(id, from, false)
    if (this.#parts.accept(client, epoch, line)) {
      this.#accepted.set(id, from)
      return 'none'
    }
    line.closed()
    return 'retry'
  }

  /** Resolves when what was posted before has been sent. */
  async close(): Promise<void> {
    this.#serving.stop()
    for (const line of [...this.#lines.values()]) line.close()
    await Promise.all(this.#leaving)
  }
}
