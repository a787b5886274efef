/**
 * One end of a line between two nodes, over a wire that only has requests and answers. Messages are cut into parts that fit the wire; parts
 * are numbered, so that each arrives once and in order, however often it is sent: a part whose answer does not come is sent again, because
 * a timeout alone says nothing about the other end. The end that opened the line says now and then that it is there; the other one
 * closes the line when that stops. Before: node-wire, and whoever posts. After: the log's wire.
 */
import type { Clock } from '../../../core/model/clock.js'
import { queueMicrotask } from '../../../durable/storage/event-loop.js'
import { decodeFrame, encodeFrame, HEADER_BYTES } from '../../remote/line/frames.js'
import type { Line } from '../../remote/line.js'
import type { Wire } from '../log.js'

/** Kinds of bodies. */
export const PING = 0
export const OPEN = 1
export const PART = 2
export const PROBE = 3
export const CLOSE = 4
export const TOUCH = 5
export const STATUS = 6

/** Answers to parts and probes. */
export const TAKEN = 0
export const UNKNOWN_LINE = 1

const ID_BYTES = 8
/** Kind, id, number, whether it is the last part of its message. */
const PART_HEADER_BYTES = 1 + ID_BYTES + 4 + 1

/** Parts under way. */
const WINDOW = 8
const AGAIN_MS = 250
const PROBE_MS = 2_000
/** After how long without a word from the end that opened it a line is closed by the other one. */
const SILENCE_MS = 15_000
/** How long what was posted before the end is still sent. */
const LINGER_MS = 1_000
/** Longer than any process runs. */
const FOREVER_MS = 2 ** 31 - 1

export interface WireLineParts {
  readonly wire: Wire
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  /** Of the other end. */
  readonly address: string
  /** 16 hexadecimal digits, the same at both ends. */
  readonly id: string
  readonly bytesMax: number
  readonly hasOpened: boolean
}

export class WireLine implements Line {
  readonly id: string
  readonly #parts: WireLineParts
  readonly #queue: Buffer[] = []
  #underWay = 0
  readonly #whenSent: (() => void)[] = []
  #nextOut = 0
  /** The next part to come, and those that came too early. */
  #nextIn = 0
  readonly #early = new Map<number, Buffer>()
  #message: Buffer[] = []
  readonly #arrived: unknown[] = []
  #listener: ((message: unknown) => void) | undefined
  #onClose: (() => void)[] = []
  #isDelivering = false
  #isClosed = false
  #isSilent = false
  #watch: unknown
  #keepAlive: unknown

  constructor(parts: WireLineParts) {
    this.id = parts.id
    this.#parts = parts
    this.#watchOver()
  }

  // ── out ──

  post(message: unknown): void {
    if (this.#isClosed) return
    const bytes = encodeFrame(message).subarray(HEADER_BYTES)
    const room = this.#parts.bytesMax - PART_HEADER_BYTES
    for (let at = 0; at < bytes.length; at += room)
      this.#queue.push(this.#partOf(bytes.subarray(at, at + room), at + room >= bytes.length))
    this.#send()
  }

  #partOf(content: Uint8Array, isLast: boolean): Buffer {
    const part = Buffer.allocUnsafe(PART_HEADER_BYTES + content.length)
    part[0] = PART
    part.write(this.id, 1, ID_BYTES, 'hex')
    part.writeUInt32LE(this.#nextOut++, 1 + ID_BYTES)
    part[1 + ID_BYTES + 4] = isLast ? 1 : 0
    part.set(content, PART_HEADER_BYTES)
    return part
  }

  /** Resolves when everything that was posted has arrived, or nobody is there to take it. */
  sent(): Promise<void> {
    if (this.#queue.length + this.#underWay === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenSent.push(resolve)
      this.#parts.clock.setTimeout(resolve, LINGER_MS)
    })
  }

  #send(): void {
    if (this.#queue.length + this.#underWay === 0) for (const resolve of this.#whenSent.splice(0)) resolve()
    while (this.#underWay < WINDOW) {
      const part = this.#queue.shift()
      if (part === undefined) return
      this.#underWay++
      this.#sendPart(part)
    }
  }

  #sendPart(part: Buffer): void {
    const { wire, address, clock } = this.#parts
    wire.request(address, part).then(
      (answer) => {
        this.#underWay--
        if (answer[0] === UNKNOWN_LINE) {
          this.#queue.length = 0
          this.#end()
        }
        this.#send()
      },
      () => {
        if (this.#isClosed) {
          this.#underWay--
          this.#queue.length = 0
          this.#send()
        } else clock.setTimeout(() => this.#sendPart(part), AGAIN_MS)
      },
    )
  }

  // ── in ──

  /** A part that has arrived. */
  take(body: Buffer): void
  take(): { message: unknown } | undefined
  take(body?: Buffer): { message: unknown } | undefined {
    if (body === undefined) return this.#arrived.length === 0 ? undefined : { message: this.#arrived.shift() }
    this.#isSilent = false
    const number = body.readUInt32LE(1 + ID_BYTES)
    if (number >= this.#nextIn) this.#early.set(number, body)
    for (let next = this.#early.get(this.#nextIn); next !== undefined; next = this.#early.get(this.#nextIn)) {
      this.#early.delete(this.#nextIn++)
      this.#message.push(next.subarray(PART_HEADER_BYTES))
      if (next[1 + ID_BYTES + 4] === 0) continue
      this.#arrived.push(read(Buffer.concat(this.#message)))
      this.#message = []
    }
    this.#deliver()
    return undefined
  }

  /** The other end has said that it is there. */
  probed(): void {
    this.#isSilent = false
  }

  #deliver(): void {
    if (this.#isDelivering) return
    this.#isDelivering = true
    while (this.#arrived.length > 0 && this.#listener !== undefined && !this.#isClosed)
      this.#listener(this.#arrived.shift())
    this.#isDelivering = false
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listener = listener
    queueMicrotask(() => this.#deliver())
  }

  // ── the end ──

  #watchOver(): void {
    const { clock, hasOpened } = this.#parts
    if (hasOpened) this.#watch = clock.setTimeout(() => this.#probe(), PROBE_MS)
    else {
      this.#isSilent = true
      this.#watch = clock.setTimeout(() => (this.#isSilent ? this.close() : this.#watchOver()), SILENCE_MS)
    }
  }

  #probe(): void {
    const { wire, address } = this.#parts
    const probe = Buffer.allocUnsafe(1 + ID_BYTES)
    probe[0] = PROBE
    probe.write(this.id, 1, ID_BYTES, 'hex')
    wire.request(address, probe).then(
      (answer) => {
        if (answer[0] === UNKNOWN_LINE) this.#end()
      },
      () => undefined,
    )
    this.#watchOver()
  }

  onClose(listener: () => void): void {
    if (this.#isClosed) queueMicrotask(listener)
    else this.#onClose.push(listener)
  }

  hold(isHeld: boolean): void {
    const { clock } = this.#parts
    clock.clearTimeout(this.#keepAlive)
    this.#keepAlive = isHeld ? clock.setTimeout(() => undefined, FOREVER_MS, true) : undefined
  }

  /** What was posted before is still sent, for a while. */
  close(): void {
    if (this.#isClosed) return
    const { wire, address } = this.#parts
    const closing = Buffer.allocUnsafe(1 + ID_BYTES)
    closing[0] = CLOSE
    closing.write(this.id, 1, ID_BYTES, 'hex')
    this.sent().then(() => {
      this.#queue.length = 0
      wire.cast(address, closing)
    })
    this.#end()
  }

  /** The line is gone, whoever closed it. */
  #end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.clock.clearTimeout(this.#watch)
    this.hold(false)
    const listeners = this.#onClose
    this.#onClose = []
    for (const listener of listeners) listener()
  }

  /** The other end has closed it. */
  closed(): void {
    this.#end()
  }
}

/** The id of the line that a part, a probe or a farewell belongs to. */
export function lineIdIn(body: Buffer): string {
  return body.toString('hex', 1, 1 + ID_BYTES)
}

function read(bytes: Buffer): unknown {
  try {
    return decodeFrame(bytes)
  } catch {
    return undefined
  }
}
