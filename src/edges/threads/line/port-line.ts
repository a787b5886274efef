/** A line between threads: one end of a `MessageChannel`. */
import { type MessagePort, receiveMessageOnPort, type TransferListItem } from 'node:worker_threads'
import type { Line, Taken } from '../../remote/line.js'
import { Doorbell } from './doorbell.js'

export class PortLine implements Line {
  readonly #port: MessagePort
  #bell: Doorbell | undefined
  /** Called after each message that was sent. */
  onSent: (() => void) | undefined
  #sent: number
  #received = 0

  /** @param sent How many messages this end has already posted. */
  constructor(port: MessagePort, sent = 0) {
    this.#port = port
    this.#sent = sent
  }

  /** From now on, counts messages in memory shared with the other end. */
  attach(memory: SharedArrayBuffer, side: ConstructorParameters<typeof Doorbell>[1]): void {
    this.#bell = new Doorbell(memory, side, this.#sent, this.#received)
  }

  post(message: unknown, transfer?: readonly object[]): void {
    this.#port.postMessage(message, transfer as readonly TransferListItem[] | undefined)
    this.#sent++
    this.#bell?.sent()
    this.onSent?.()
  }

  onMessage(listener: (message: unknown) => void): void {
    const receive = (message: unknown) => {
      this.#bell?.turned()
      this.#count()
      listener(message)
    }
    this.#port.on('message', receive)
    this.#port.on('messageerror', () => receive(undefined))
    this.#port.unref() // adding a listener has called ref()
  }

  onClose(listener: () => void): void {
    this.#port.on('close', listener)
  }

  take(): Taken | undefined {
    const taken = receiveMessageOnPort(this.#port) as Taken | undefined
    if (taken !== undefined) this.#count()
    return taken
  }

  takeSoon(): Taken | undefined {
    return this.#bell?.awaitMessage() === true ? this.take() : undefined
  }

  #count(): void {
    this.#received++
    this.#bell?.received()
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#port.ref()
    else this.#port.unref()
  }

  close(): void {
    this.#port.close()
  }
}
