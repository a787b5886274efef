/** Where a history is played: a simulated disk, and caches on it that are opened, used, killed and closed. */
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import type { Storage } from '../../../src/durable/storage/storage.js'
import type { Cache } from '../../../src/index.js'
import { openCache } from '../../../src/open.js'
import { ManualClock } from '../../../src/testing.js'
import type { SimulatedDisk } from '../durable/simulated-disk.js'
import { loopTurn } from '../loop-turn.js'

export const DIRECTORY = '/j'
export const JOURNAL_ID = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

/** A storage around a process's own: a broken protocol (`broken-protocols.ts`), or none. */
export type Wrap = (storage: Storage) => Storage

export const UNCHANGED: Wrap = (storage) => storage

export class Stage {
  readonly disk: SimulatedDisk
  readonly clock = new ManualClock()
  readonly #wrap: Wrap
  kill: () => void = () => undefined

  readonly #journalId: Buffer

  constructor(disk: SimulatedDisk, wrap: Wrap = UNCHANGED, journalId: Buffer = JOURNAL_ID) {
    this.disk = disk
    this.#wrap = wrap
    this.#journalId = journalId
  }

  async open(options: Parameters<typeof openCache>[0] = {}): Promise<Cache> {
    const { cache } = await this.openBoth(options)
    return cache
  }

  async openBoth(
    options: Parameters<typeof openCache>[0] = {},
  ): Promise<{ cache: Cache; journal: FileJournal; storage: Storage }> {
    const process = this.disk.process()
    this.kill = () => process.kill()
    const storage = this.#wrap(process)
    const journal = new FileJournal(storage, DIRECTORY, () => this.#journalId)
    const cache = await openCache({ cleanupInterval: 0, compaction: false, ...options, clock: this.clock, journal })
    return { cache, journal, storage }
  }

  /** Waits for durability; what is durable then must never be lost. */
  async flush(cache: Cache): Promise<void> {
    this.acknowledge(await cache.flush())
  }

  acknowledge(sequence: number): void {
    this.disk.note({ acknowledged: sequence })
  }

  /** From now on the past must reach back to this sequence. */
  promise(sequence: number): void {
    this.disk.note({ promised: sequence })
  }

  turn(): Promise<void> {
    return loopTurn()
  }
}
