/**
 * All states that a power cut may leave of a recorded history.
 *
 * The model of the file system. A change of names (create, rename, unlink) is on disk after the directory's fsync; before it,
 * any subset of those since then may be, each whole. Data is on disk after the file's fsync; before it, each sector of 512
 * bytes holds what it held at any one moment since the last fsync, independently of all other sectors, and so does the
 * file's length; what the length spans and no sector was written for reads as zeros.
 *
 * `DiskHistory` steps through the log and knows at each place what is durable and what is not; `statesAt` enumerates the
 * combinations of what is not: all if they are few, or else the typical ones and random others.
 */
import { checksum } from '../../../src/durable/format/checksum.js'
import type { Image, Inode, Operation, SimulatedDisk } from '../durable/simulated-disk.js'
import type { Random } from '../random.js'

const SECTOR_BYTES = 512

interface Version {
  index: number
  content: Uint8Array
  /** Of the file after it. */
  length: number
  sectors: Set<number>
  isAbandoned: boolean
}

interface FileHistory {
  id: number
  durable: Uint8Array
  cache: Uint8Array
  pending: Version[]
}

type NameChange = Extract<Operation, { type: 'create' | 'rename' | 'unlink' }>

export interface CrashState {
  image: Image
  /** The same for the same names and contents. */
  key: string
}

export class DiskHistory {
  readonly #log: readonly Operation[]
  readonly #abandoned: ReadonlySet<Operation>
  readonly #files = new Map<Inode, FileHistory>()
  readonly #names = new Map<string, Inode>()
  #changes: NameChange[] = []
  at = 0

  constructor(disk: SimulatedDisk) {
    this.#log = disk.log
    this.#abandoned = disk.abandoned
    for (const [path, { inode, bytes }] of disk.base) {
      this.#names.set(path, inode)
      this.#files.set(inode, { id: this.#files.size, durable: bytes, cache: bytes, pending: [] })
    }
  }

  get isAtEnd(): boolean {
    return this.at >= this.#log.length
  }

  /** Takes the next operation, and returns it. */
  step(): Operation {
    const index = this.at++
    const operation = this.#log[index] as Operation
    switch (operation.type) {
      case 'create':
        this.#files.set(operation.inode, {
          id: this.#files.size,
          durable: new Uint8Array(0),
          cache: new Uint8Array(0),
          pending: [],
        })
        this.#changes.push(operation)
        break
      case 'rename':
      case 'unlink':
        this.#changes.push(operation)
        break
      case 'syncDirectory':
        applyChanges(this.#names, this.#changes)
        this.#changes = []
        break
      case 'write':
      case 'truncate':
        this.#change(operation, index)
        break
      case 'sync':
        this.#sync(this.fileOf(operation.inode), operation.began)
        break
      case 'note':
        break
    }
    return operation
  }

  fileOf(inode: Inode): FileHistory {
    return this.#files.get(inode) as FileHistory // every inode was created or is of the base
  }

  #change(operation: Extract<Operation, { type: 'write' | 'truncate' }>, index: number): void {
    const file = this.fileOf(operation.inode)
    const before = file.cache
    let content: Uint8Array
    let from: number
    let to: number
    if (operation.type === 'write') {
      from = operation.position
      to = from + operation.bytes.length
      content = new Uint8Array(Math.max(before.length, to))
      content.set(before)
      content.set(operation.bytes, from)
    } else {
      from = Math.min(before.length, operation.length)
      to = Math.max(before.length, operation.length)
      content = new Uint8Array(operation.length)
      content.set(before.subarray(0, operation.length))
    }
    const sectors = new Set<number>()
    for (let sector = Math.floor(from / SECTOR_BYTES); sector * SECTOR_BYTES < to; sector++) sectors.add(sector)
    file.cache = content
    file.pending.push({ index, content, length: content.length, sectors, isAbandoned: this.#abandoned.has(operation) })
  }

  #sync(file: FileHistory, began: number): void {
    const done = file.pending.filter((version) => version.index < began)
    const last = done.at(-1)
    if (last === undefined) return
    if (done.some((version) => version.isAbandoned)) {
      // What a failed fsync abandoned stays lost, except for sectors written again since.
      const sectors = new Set<number>()
      for (const version of done) if (!version.isAbandoned) for (const sector of version.sectors) sectors.add(sector)
      const durable = new Uint8Array(Math.max(last.content.length, 0))
      durable.set(file.durable.subarray(0, durable.length))
      for (const sector of sectors) copySector(durable, last.content, sector)
      file.durable = durable
      for (const version of done) {
        if (!version.isAbandoned) continue
        version.length = durable.length
        for (const sector of sectors) version.sectors.delete(sector)
      }
      file.pending = file.pending.filter(
        (version) => version.index >= began || (version.isAbandoned && version.sectors.size > 0),
      )
    } else {
      file.durable = last.content
      file.pending = file.pending.filter((version) => version.index >= began)
    }
  }

  /** The states that a power cut at this place may leave: at most about `limit`. */
  *statesAt(limit: number, random: Random): Generator<CrashState> {
    const dirty: DirtyFile[] = []
    for (const [inode, file] of this.#files) if (file.pending.length > 0) dirty.push(new DirtyFile(inode, file))
    const sizes = [2 ** Math.min(20, this.#changes.length), ...dirty.flatMap((file) => file.sizes)]
    const all = sizes.reduce((product, size) => product * size, 1)
    if (all <= limit) {
      const choice = sizes.map(() => 0)
      for (let count = 0; count < all; count++) {
        yield this.#compose(dirty, choice)
        for (let place = 0; place < choice.length; place++) {
          if (++(choice[place] as number) < (sizes[place] as number)) break
          choice[place] = 0
        }
      }
      return
    }
    const none = sizes.map(() => 0)
    const newest = sizes.map((size) => size - 1)
    yield this.#compose(dirty, none)
    yield this.#compose(dirty, newest)
    let yielded = 2
    const compose = (base: number[], place: number, value: number) => {
      const choice = [...base]
      choice[place] = value
      yielded++
      return this.#compose(dirty, choice)
    }
    // Only one change kept, or only one lost: the torn writes of real disks.
    const places = sizes.map((_, place) => place)
    for (const place of places) {
      if (yielded > limit / 2) break
      for (const value of someBelow(sizes[place] as number, 4, random)) {
        yield compose(newest, place, value)
        yield compose(none, place, value)
      }
    }
    while (yielded++ < limit) {
      const isSparse = random.below(2) === 0
      const base = random.below(2) === 0 ? newest : none
      yield this.#compose(
        dirty,
        sizes.map((size, place) => (isSparse && random.below(3) > 0 ? (base[place] as number) : random.below(size))),
      )
    }
  }

  #compose(dirty: readonly DirtyFile[], choice: readonly number[]): CrashState {
    const contents = new Map<Inode, Uint8Array>()
    let at = 1
    for (const file of dirty) {
      contents.set(file.inode, file.compose(choice, at))
      at += file.sizes.length
    }
    const names = new Map(this.#names)
    const mask = choice[0] as number
    applyChanges(
      names,
      this.#changes.filter((_, place) => place >= 20 || (mask & (1 << place)) !== 0),
    )
    const image = new Map<string, Uint8Array>()
    let key = ''
    for (const path of [...names.keys()].sort()) {
      const inode = names.get(path) as Inode
      const content = contents.get(inode) ?? this.fileOf(inode).durable
      image.set(path, content)
      key += `${path}:${content.length}:${checksum(content).toString(36)};`
    }
    return { image, key }
  }
}

/** A file with unsynced changes, and the choices for them: a length, and for each sector a moment. */
class DirtyFile {
  readonly inode: Inode
  readonly #durable: Uint8Array
  readonly #lengths: number[]
  readonly #sectors: { sector: number; versions: Uint8Array[] }[]
  readonly sizes: number[]

  constructor(inode: Inode, file: FileHistory) {
    this.inode = inode
    this.#durable = file.durable
    this.#lengths = [...new Set([file.durable.length, ...file.pending.map((version) => version.length)])]
    const bySector = new Map<number, Uint8Array[]>()
    for (const version of file.pending) {
      for (const sector of version.sectors) {
        const versions = bySector.get(sector)
        if (versions === undefined) bySector.set(sector, [file.durable, version.content])
        else versions.push(version.content)
      }
    }
    this.#sectors = [...bySector].map(([sector, versions]) => ({ sector, versions }))
    this.sizes = [this.#lengths.length, ...this.#sectors.map(({ versions }) => versions.length)]
  }

  compose(choice: readonly number[], at: number): Uint8Array {
    const content = new Uint8Array(this.#lengths[choice[at] as number] as number)
    content.set(this.#durable.subarray(0, content.length))
    this.#sectors.forEach(({ sector, versions }, place) => {
      copySector(content, versions[choice[at + 1 + place] as number] as Uint8Array, sector)
    })
    return content
  }
}

function copySector(target: Uint8Array, source: Uint8Array, sector: number): void {
  const start = sector * SECTOR_BYTES
  const end = Math.min(start + SECTOR_BYTES, target.length)
  if (start >= end) return
  const part = source.subarray(start, end)
  target.set(part, start)
  target.fill(0, start + part.length, end)
}

function applyChanges(names: Map<string, Inode>, changes: readonly NameChange[]): void {
  for (const change of changes) {
    switch (change.type) {
      case 'create':
        names.set(change.path, change.inode)
        break
      case 'rename':
        names.delete(change.from)
        names.set(change.to, change.inode)
        break
      case 'unlink':
        names.delete(change.path)
        break
    }
  }
}

function someBelow(limit: number, count: number, random: Random): Iterable<number> {
  if (limit <= count) return Array.from({ length: limit }, (_, value) => value)
  return new Set([0, limit - 1, ...Array.from({ length: count - 2 }, () => random.below(limit))])
}
