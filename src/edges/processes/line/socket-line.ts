/**
 * A line between processes: one end of a unix socket. An end that does not take what it is sent is not read from either, so that
 * its requests wait in its own process.
 */
import { createConnection, type Socket } from 'node:net'
import { journalClock } from '../../../cache/system-clock.js'
import { queueMicrotask } from '../../../durable/storage/event-loop.js'
import {
  decodeFrame,
  encodeFrame,
  FRAME_BYTES_MAX,
  jsonFrame,
  SIGN_OF_LIFE,
  shortText,
} from '../../remote/line/frames.js'
import type { Line, Taken } from '../../remote/line.js'
import { FrameReader } from './frame-reader.js'

/** Bytes that the other end has not taken, beyond which nothing is read from it. */
const UNTAKEN_BYTES_MAX = 1024 * 1024
/** How long the other end has to take the last bytes and to close. */
const CLOSE_MS = 1_000
/** The largest greeting. */
const GREETING_BYTES_MAX = 64 * 1024
/** What a client reads at once. */
const READ_BYTES = 64 * 1024

export class SocketLine implements Line {
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #arrived: unknown[] = []
  #listener: ((message: unknown) => void) | undefined
  #bytesMax = GREETING_BYTES_MAX
  #isPaused = false
  #isDelivering = false
  #isClosed = false
  /** When the other end was last heard of: `performance.now()`. */
  heardMs = performance.now()

  constructor(socket: Socket) {
    this.#socket = socket
    this.#reader = new FrameReader(() => this.#bytesMax)
    socket.unref()
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => {
      if (!this.#isPaused) socket.resume()
    })
    socket.on('error', () => undefined) // the end follows
  }

  /**
   * A line to whoever listens at this path; undefined if nobody does. It reads into one buffer: that Node allocates one for each message is
   * a tenth of what an awaited call costs. (A socket that was accepted cannot have one.)
   */
  static connect(path: string): Promise<SocketLine | undefined> {
    return new Promise((resolve) => {
      let line: SocketLine | undefined
      const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
      const callback = (bytes: number) => {
        if (line !== undefined) line.#read(buffer.subarray(0, bytes))
        return true
      }
      const socket = createConnection({ path, onread: { buffer, callback } })
      socket.once('connect', () => {
        line = new SocketLine(socket)
        resolve(line)
      })
      socket.once('error', () => resolve(undefined))
    })
  }

  #read(chunk: Buffer): void {
    this.heardMs = performance.now()
    try {
      this.#reader.read(chunk, this.#take)
    } catch {
      this.#arrived.push(undefined)
      this.#deliver()
      this.close()
      return
    }
    this.#deliver()
  }

  readonly #take = (bytes: Buffer, start: number, end: number): void => {
    if (end > start) this.#arrived.push(decodeFrame(bytes, start, end))
  }

  #deliver(): void {
    if (this.#isDelivering) return
    this.#isDelivering = true
    while (this.#arrived.length > 0 && this.#listener !== undefined && !this.#isClosed)
      this.#listener(this.#arrived.shift())
    this.#isDelivering = false
  }

  greet(greeting: object): void {
    this.#write(jsonFrame(greeting))
  }

  /** The greetings have been exchanged. */
  greeted(): void {
    this.#bytesMax = FRAME_BYTES_MAX
  }

  /** Says that this end is alive, unless it has bytes on the way anyway. */
  signal(): void {
    if (this.#socket.writableLength === 0) this.#write(SIGN_OF_LIFE)
  }

  post(message: unknown): void {
    this.#write(shortText(message) ?? encodeFrame(message))
  }

  /** A text is in latin1. */
  #write(frame: Buffer | string): void {
    const socket = this.#socket
    if (this.#isClosed || !socket.writable) return
    if (!socket.write(frame, 'latin1') && socket.writableLength > UNTAKEN_BYTES_MAX) socket.pause()
  }

  /** Reads nothing more. */
  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listener = listener
    queueMicrotask(() => this.#deliver())
  }

  /** What arrives from now on waits for the next listener. */
  mute(): void {
    this.#listener = undefined
  }

  onClose(listener: () => void): void {
    if (this.#socket.destroyed) queueMicrotask(listener)
    else this.#socket.once('close', listener)
  }

  take(): Taken | undefined {
    return this.#arrived.length === 0 ? undefined : { message: this.#arrived.shift() }
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.ref()
    else this.#socket.unref()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const socket = this.#socket
    if (socket.destroyed) return
    socket.resume() // so that its end is seen
    socket.end()
    const timer = journalClock.setTimeout(() => socket.destroy(), CLOSE_MS)
    socket.once('close', () => journalClock.clearTimeout(timer))
  }
}
