/**
 * A disk in memory that forgets. It logs all writes, truncations, fsyncs, renames and removals in order, so that a test can
 * enumerate what a power cut would leave (`test/helpers/crash/crash-states.ts`), and a plan can make calls fail, write short or
 * wait.
 *
 * There are three views of it: what running programs see (the page cache), what is certainly on disk, and the log between them.
 */
import { posix } from 'node:path'
import {
  NOTE_BYTES_MAX,
  type Storage,
  type StorageEntry,
  type StorageFile,
  type StorageLock,
} from '../../../src/durable/storage/storage.js'

/** Files by path. The bytes are never changed in place. */
export type Image = ReadonlyMap<string, Uint8Array>

/** A file apart from its name. */
export class Inode {
  bytes: Uint8Array
  length: number
  /** Whether `bytes` belongs to an image as well and must be copied before it is changed. */
  #isShared: boolean

  constructor(bytes: Uint8Array = new Uint8Array(0), isShared = false) {
    this.bytes = bytes
    this.length = bytes.length
    this.#isShared = isShared
  }

  write(source: Uint8Array, position: number): void {
    const end = position + source.length
    this.#own(end)
    this.bytes.set(source, position)
    this.length = Math.max(this.length, end)
  }

  truncate(length: number): void {
    this.#own(length)
    if (length < this.length) this.bytes.fill(0, length, this.length)
    this.length = length
  }

  content(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  #own(needed: number): void {
    if (!this.#isShared && needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2, 256))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
    this.#isShared = false
  }
}

export type Operation =
  | { type: 'create'; path: string; inode: Inode }
  | { type: 'write'; path: string; inode: Inode; position: number; bytes: Uint8Array }
  | { type: 'truncate'; path: string; inode: Inode; length: number }
  /** Makes durable what the log held of this file before `began`. */
  | { type: 'sync'; path: string; inode: Inode; began: number }
  | { type: 'rename'; from: string; to: string; inode: Inode }
  | { type: 'unlink'; path: string }
  | { type: 'syncDirectory'; path: string }
  /** Not an operation: a remark of the test at this place of the log. */
  | { type: 'note'; note: unknown }

export type CallName =
  | 'makeDirectory'
  | 'list'
  | 'open'
  | 'create'
  | 'rename'
  | 'unlink'
  | 'syncDirectory'
  | 'lock'
  | 'read'
  | 'write'
  | 'writeLater'
  | 'truncate'
  | 'sync'
  | 'syncNow'

export interface Call {
  name: CallName
  path: string
  /** How many calls of any kind came before. */
  index: number
}

/** What happens to a call: it fails with an error code, writes only some bytes, or waits first. */
export interface Fault {
  error?: string
  /** For writes: only this many bytes are written, and the call returns that. */
  short?: number
  /** For writes: this many bytes are written, but never all of them, and then the call fails. */
  partial?: number
  /** For calls that return a promise. */
  delay?: Promise<void>
}

export type FaultPlan = (call: Call) => Fault | undefined

export class SimulatedDisk {
  /** What was on disk before the first operation of the log. */
  readonly base = new Map<string, { inode: Inode; bytes: Uint8Array }>()
  readonly names = new Map<string, Inode>()
  readonly log: Operation[] = []
  /** Asked before every call. */
  plan: FaultPlan | undefined
  calls = 0
  readonly locks = new Map<string, object>()
  /**
   * What a failed fsync does to pages that were not written: `'clean'`, as Linux does: they stay in the page cache, count
   * as written, and no later fsync writes them; `'dirty'`: a later fsync does.
   */
  afterFailedSync: 'clean' | 'dirty' = 'clean'
  /** Operations that a failed fsync abandoned: their bytes are in the cache, and never reach the disk. */
  readonly abandoned = new Set<Operation>()

  static of(image: Image): SimulatedDisk {
    const disk = new SimulatedDisk()
    for (const [path, bytes] of image) {
      const inode = new Inode(bytes, true)
      disk.names.set(path, inode)
      disk.base.set(path, { inode, bytes })
    }
    return disk
  }

  /** What running programs see. */
  image(): Map<string, Uint8Array> {
    return new Map([...this.names].map(([path, inode]) => [path, inode.content().slice()]))
  }

  note(note: unknown): void {
    this.log.push({ type: 'note', note })
  }

  /** The disk as one process sees it: its files and locks end with it. */
  process(): SimulatedProcess {
    return new SimulatedProcess(this)
  }
}

/** The storage of one process. */
export class SimulatedProcess implements Storage {
  readonly disk: SimulatedDisk
  isAlive = true

  constructor(disk: SimulatedDisk) {
    this.disk = disk
  }

  /** SIGKILL: nothing that it does from now on reaches the disk, and its locks are released. */
  kill(): void {
    this.isAlive = false
    for (const [path, holder] of this.disk.locks) if (holder === this) this.disk.locks.delete(path)
  }

  /** Asks the plan, and throws its error. */
  call(name: CallName, path: string): Fault | undefined {
    if (!this.isAlive) throw fileError('ESRCH', path)
    const { disk } = this
    const fault = disk.plan?.({ name, path, index: disk.calls++ })
    if (fault?.error !== undefined && fault.partial === undefined) throw fileError(fault.error, path)
    return fault
  }

  async callLater(name: CallName, path: string): Promise<Fault | undefined> {
    if (!this.isAlive) throw fileError('ESRCH', path)
    const { disk } = this
    const fault = disk.plan?.({ name, path, index: disk.calls++ })
    if (fault?.delay !== undefined) await fault.delay
    if (!this.isAlive) throw fileError('ESRCH', path)
    if (fault?.error !== undefined && fault.partial === undefined) throw fileError(fault.error, path)
    return fault
  }

  makeDirectory(directory: string): void {
    this.call('makeDirectory', directory)
  }

  async list(directory: string): Promise<StorageEntry[]> {
    await this.callLater('list', directory)
    const entries: StorageEntry[] = []
    for (const [path, inode] of this.disk.names) {
      if (posix.dirname(path) !== directory) continue
      entries.push({ name: posix.basename(path), isFile: true, bytes: inode.length })
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  open(path: string): StorageFile {
    this.call('open', path)
    return new SimulatedFile(this, path, this.#find(path))
  }

  create(path: string): StorageFile {
    this.call('create', path)
    if (this.disk.names.has(path)) throw fileError('EEXIST', path)
    const inode = new Inode()
    this.disk.names.set(path, inode)
    this.disk.log.push({ type: 'create', path, inode })
    return new SimulatedFile(this, path, inode)
  }

  rename(from: string, to: string): void {
    this.call('rename', to)
    const inode = this.#find(from)
    this.disk.names.delete(from)
    this.disk.names.set(to, inode)
    this.disk.log.push({ type: 'rename', from, to, inode })
  }

  unlink(path: string): void {
    this.call('unlink', path)
    this.#find(path)
    this.disk.names.delete(path)
    this.disk.log.push({ type: 'unlink', path })
  }

  syncDirectory(directory: string): void {
    this.call('syncDirectory', directory)
    this.disk.log.push({ type: 'syncDirectory', path: directory })
  }

  async syncDirectoryLater(directory: string): Promise<void> {
    this.syncDirectory(directory)
  }

  async lock(path: string): Promise<StorageLock | undefined> {
    this.call('lock', path)
    const { disk } = this
    if (disk.locks.has(path)) return undefined
    disk.locks.set(path, this)
    let inode = disk.names.get(path)
    if (inode === undefined) {
      inode = new Inode()
      disk.names.set(path, inode)
      disk.log.push({ type: 'create', path, inode })
    }
    const file = new SimulatedFile(this, path, inode)
    return {
      write: (note) => {
        const bytes = Buffer.from(note)
        file.write(bytes, 0, bytes.length, 0)
        file.truncate(bytes.length)
        file.syncNow()
      },
      release: () => {
        if (disk.locks.get(path) === this) disk.locks.delete(path)
      },
    }
  }

  async isLocked(path: string): Promise<boolean> {
    return this.disk.locks.has(path)
  }

  lockOwner(): undefined {}

  noteIn(path: string): string {
    return Buffer.from(this.disk.names.get(path)?.content().subarray(0, NOTE_BYTES_MAX) ?? []).toString()
  }

  #find(path: string): Inode {
    const inode = this.disk.names.get(path)
    if (inode === undefined) throw fileError('ENOENT', path)
    return inode
  }
}

class SimulatedFile implements StorageFile {
  readonly path: string
  readonly #process: SimulatedProcess
  readonly #inode: Inode

  constructor(process: SimulatedProcess, path: string, inode: Inode) {
    this.#process = process
    this.path = path
    this.#inode = inode
  }

  size(): number {
    return this.#inode.length
  }

  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    await this.#process.callLater('read', this.path)
    const end = Math.min(this.#inode.length, position + length)
    if (end <= position) return 0
    target.set(this.#inode.bytes.subarray(position, end), offset)
    return end - position
  }

  write(source: Uint8Array, offset: number, length: number, position: number): number {
    return this.#write(this.#process.call('write', this.path), source, offset, length, position)
  }

  async writeLater(source: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const fault = await this.#process.callLater('writeLater', this.path)
    return this.#write(fault, source, offset, length, position)
  }

  #write(fault: Fault | undefined, source: Uint8Array, offset: number, length: number, position: number): number {
    const { path } = this
    const count = Math.min(fault?.partial === undefined ? length : length - 1, fault?.short ?? fault?.partial ?? length)
    const bytes = Uint8Array.prototype.slice.call(source, offset, offset + count)
    if (count > 0) {
      this.#inode.write(bytes, position)
      this.#process.disk.log.push({ type: 'write', path, inode: this.#inode, position, bytes })
    }
    if (fault?.error !== undefined) throw fileError(fault.error, path)
    return count
  }

  truncate(length: number): void {
    const { path } = this
    this.#process.call('truncate', path)
    this.#inode.truncate(length)
    this.#process.disk.log.push({ type: 'truncate', path, inode: this.#inode, length })
  }

  async sync(): Promise<void> {
    const { disk } = this.#process
    const began = disk.log.length
    try {
      await this.#process.callLater('sync', this.path)
    } catch (error) {
      this.#failSync(began)
      throw error
    }
    disk.log.push({ type: 'sync', path: this.path, inode: this.#inode, began })
  }

  syncNow(): void {
    const { disk } = this.#process
    const began = disk.log.length
    try {
      this.#process.call('syncNow', this.path)
    } catch (error) {
      this.#failSync(began)
      throw error
    }
    disk.log.push({ type: 'sync', path: this.path, inode: this.#inode, began })
  }

  #failSync(began: number): void {
    const { disk } = this.#process
    if (disk.afterFailedSync !== 'clean' || !this.#process.isAlive) return
    let durable = 0
    for (const operation of disk.log)
      if (operation.type === 'sync' && operation.inode === this.#inode) durable = Math.max(durable, operation.began)
    for (let at = durable; at < began; at++) {
      const operation = disk.log[at] as Operation
      if ((operation.type === 'write' || operation.type === 'truncate') && operation.inode === this.#inode)
        disk.abandoned.add(operation)
    }
  }

  close(): void {}
}

function fileError(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, '${path}'`), { code, syscall: 'simulated' })
}

/** Counts the calls that match; from the `first` one on (from 0), `times` of them get the fault. */
export function failing(
  matches: (call: Call) => boolean,
  fault: Fault,
  { first = 0, times = Number.POSITIVE_INFINITY }: { first?: number; times?: number } = {},
): FaultPlan {
  let seen = 0
  return (call) => {
    if (!matches(call)) return undefined
    const turn = seen++ - first
    return turn >= 0 && turn < times ? fault : undefined
  }
}
