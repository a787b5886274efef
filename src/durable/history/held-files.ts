/**
 * The files that a reading of the past needs, held open, so that compaction may remove them meanwhile. Before: `past`. After:
 * `replay`, which opens them here.
 */
import { allOf, findJournalFiles, type JournalFiles } from '../format/journal-files.js'
import type { ReadableFile, ReadableStorage, Storage } from '../storage/storage.js'
import { retryMissing } from './reading-past.js'

export class HeldFiles implements ReadableStorage {
  readonly files: JournalFiles
  readonly #open = new Map<string, ReadableFile>()

  private constructor(storage: Storage, files: JournalFiles) {
    this.files = files
    try {
      for (const { path } of allOf(files)) this.#open.set(path, storage.open(path, 'read'))
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** `select` returns those of the files that are needed. */
  static hold(storage: Storage, directory: string, select: (files: JournalFiles) => JournalFiles): Promise<HeldFiles> {
    return retryMissing(async () => new HeldFiles(storage, select(await findJournalFiles(storage, directory))))
  }

  /** A held file, which stays open when its reader closes it. Another one is not there. */
  open(path: string): ReadableFile {
    const file = this.#open.get(path)
    if (file === undefined) throw Object.assign(new Error(`ENOENT: ${path} is not there`), { code: 'ENOENT' })
    return {
      path,
      size: () => file.size(),
      read: (...parameters) => file.read(...parameters),
      close: () => undefined,
    }
  }

  release(): void {
    for (const file of this.#open.values()) file.close()
    this.#open.clear()
  }
}
