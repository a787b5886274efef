/** A disk at which a process dies in a chosen moment: just before, or just after, a write to the journal. */
import { disk } from '../../../src/durable/storage/disk.js'
import type { Storage, StorageFile } from '../../../src/durable/storage/storage.js'

export type Moment = 'before the write' | 'after the write'

export class DeadlyStorage {
  moment: Moment | undefined
  readonly #isChosen: (written: string) => boolean

  /** @param isChosen Whether to die at a write, by its bytes as latin1. */
  constructor(isChosen: (written: string) => boolean) {
    this.#isChosen = isChosen
  }

  readonly storage: Storage = new Proxy(disk, {
    get: (target, name: keyof Storage) => {
      const member = target[name] as (...parameters: unknown[]) => unknown
      if (name !== 'open' && name !== 'create') return member
      return (...parameters: unknown[]) => this.#deadly(member.apply(target, parameters) as StorageFile)
    },
  })

  #deadly(file: StorageFile): StorageFile {
    const write = file.write.bind(file)
    file.write = (...parameters) => {
      const { moment } = this
      const [source, offset, length] = parameters
      const isChosen = () => this.#isChosen(Buffer.from(source.subarray(offset, offset + length)).toString('latin1'))
      if (!file.path.endsWith('.segment') || moment === undefined || !isChosen()) return write(...parameters)
      if (moment === 'after the write') write(...parameters)
      process.kill(process.pid, 'SIGKILL')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) // the signal may take a moment, in which nothing may be sent
      return 0
    }
    return file
  }
}
