/** The engine's side of a `MemoryLog`: the records in their order, the objects and the pointer. */
import { LogConflict, type LogRecord, type Position, type SnapshotPointer } from '../log.js'

export class Records {
  first: Position = 1
  readonly objects = new Map<string, { bytes: Uint8Array; isDamaged: boolean }>()
  pointer: SnapshotPointer | undefined
  revision = 0
  readonly #records: LogRecord[] = []
  readonly #watchers = new Set<() => void>()

  get last(): Position {
    return this.first + this.#records.length - 1
  }

  append(record: LogRecord, after: Position): Position {
    if (after !== this.last) throw new LogConflict(`position ${after} is not the last: ${this.last} is`)
    this.#records.push(record)
    for (const watcher of this.#watchers) watcher()
    return this.last
  }

  at(position: Position): LogRecord | undefined {
    return this.#records[position - this.first]
  }

  trim(upTo: Position): void {
    const count = Math.min(upTo, this.last - 1) - this.first + 1
    if (count <= 0) return
    this.#records.splice(0, count)
    this.first += count
  }

  /** Calls back at each append. */
  watch(watcher: () => void): { stop(): void } {
    this.#watchers.add(watcher)
    return { stop: () => this.#watchers.delete(watcher) }
  }

  point(pointer: SnapshotPointer, revision: number): boolean {
    if (revision !== this.revision) return false
    this.pointer = pointer
    this.revision++
    return true
  }
}
