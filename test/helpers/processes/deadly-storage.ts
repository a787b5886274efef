/** A disk at which a process dies in a chosen moment: just before, or just after, a write to the journal. */
import { disk } from '../../../src/durable/storage/disk.js'
import type { Storage, StorageFile } from '../../../src/durable/storage/storage.js'

export type Moment = 'before the write' | 'after the write'

export class DeadlyStorage {
  moment: Moment | undefined

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
      if (!file.path.endsWith('.segment') || moment === undefined) return write(...parameters)
      if (moment === 'after the write') write(...parameters)
      process.kill(process.pid, 'SIGKILL')
      return Number.NaN // not reached
    }
    return file
  }
}
