import { posix } from 'node:path'
import { NOTE_BYTES_MAX, type Storage, type StorageEntry, type StorageFile, type StorageLock } from './storage.js'

/** A file system in memory, for `memoryJournal()`. */
export class MemoryStorage implements Storage {
  readonly #files = new Map<string, MemoryContent>()
  readonly #locks = new Set<string>()
  readonly #notes = new Map<string, string>()

  makeDirectory(): void {}

  async list(directory: string): Promise<StorageEntry[]> {
    return [...this.#files]
      .filter(([path]) => posix.dirname(path) === directory)
      .map(([path, content]) => ({ name: posix.basename(path), isFile: true, bytes: content.length }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  open(path: string): StorageFile {
    return new MemoryFile(path, this.#contentOf(path))
  }

  create(path: string): StorageFile {
    if (this.#files.has(path)) throw fileError('EEXIST', path)
    const content = new MemoryContent()
    this.#files.set(path, content)
    return new MemoryFile(path, content)
  }

  rename(from: string, to: string): void {
    this.#files.set(to, this.#contentOf(from))
    this.#files.delete(from)
  }

  unlink(path: string): void {
    this.#contentOf(path)
    this.#files.delete(path)
  }

  syncDirectory(): void {}

  async syncDirectoryLater(): Promise<void> {}

  async lock(path: string): Promise<StorageLock | undefined> {
    if (this.#locks.has(path)) return undefined
    this.#locks.add(path)
    return {
      write: (note) => void this.#notes.set(path, note),
      release: () => void this.#locks.delete(path),
    }
  }

  async isLocked(path: string): Promise<boolean> {
    return this.#locks.has(path)
  }

  lockOwner(): undefined {}

  noteIn(path: string): string {
    return (this.#notes.get(path) ?? '').slice(0, NOTE_BYTES_MAX)
  }

  #contentOf(path: string): MemoryContent {
    const content = this.#files.get(path)
    if (content === undefined) throw fileError('ENOENT', path)
    return content
  }
}

class MemoryContent {
  bytes = new Uint8Array(1024)
  length = 0
}

class MemoryFile implements StorageFile {
  readonly path: string
  readonly #content: MemoryContent

  constructor(path: string, content: MemoryContent) {
    this.path = path
    this.#content = content
  }

  size(): number {
    return this.#content.length
  }

  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const end = Math.min(this.#content.length, position + length)
    if (end <= position) return 0
    target.set(this.#content.bytes.subarray(position, end), offset)
    return end - position
  }

  write(source: Uint8Array, offset: number, length: number, position: number): number {
    const content = this.#content
    const end = position + length
    if (end > content.bytes.length) {
      const grown = new Uint8Array(Math.max(end, content.bytes.length * 2))
      grown.set(content.bytes.subarray(0, content.length))
      content.bytes = grown
    }
    content.bytes.set(source.subarray(offset, offset + length), position)
    content.length = Math.max(content.length, end)
    return length
  }

  async writeLater(source: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.write(source, offset, length, position)
  }

  truncate(bytes: number): void {
    this.#content.bytes.fill(0, bytes)
    this.#content.length = bytes
  }

  async sync(): Promise<void> {}

  syncNow(): void {}

  close(): void {}
}

function fileError(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
