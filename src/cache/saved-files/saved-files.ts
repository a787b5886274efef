/**
 * `save` and `load`, in slices between turns. Before: `cache.ts`, with `save-options.ts`. After: `files/`; for `load` also
 * `turns/`.
 */
import { FrozenRows } from '../../core/evolve/frozen-rows.js'
import { Replacement } from '../../core/evolve/replacement.js'
import type { State } from '../../core/evolve/state.js'
import type { Clock } from '../../core/model/clock.js'
import { hasExpired } from '../../core/model/expiry.js'
import type { Journal, ReceivedRows } from '../../durable/contract.js'
import { loadModule } from '../../durable/storage/load-module.js'
import type { Storage } from '../../durable/storage/storage.js'
import { CacheClosedError } from '../../errors.js'
import type { SaveFormat, SaveProgress } from '../../files/format.js'
import type { Saved } from '../../files/save.js'
import type { Maintenance } from '../lifecycle/maintenance.js'
import type { Opening } from '../lifecycle/opening.js'
import { applyLimits, type GivenLimits } from '../turns/limiting.js'
import type { Turns } from '../turns/turns.js'
import {
  checkFile,
  fileError,
  type LoadReport,
  type LoadResult,
  type Result,
  type SaveOptions,
  type SaveResult,
} from './save-options.js'

export interface SavedFilesParts {
  state: State
  journal: Journal
  clock: Clock
  storage: Storage
  turns: Turns
  opening: Opening
  /** A load and a compaction must not overlap. */
  maintenance: Maintenance
}

export class SavedFiles {
  readonly #parts: SavedFilesParts

  constructor(parts: SavedFilesParts) {
    this.#parts = parts
  }

  save(path: string, options: SaveOptions): Promise<SaveResult> {
    return this.#outcome('save', path, options, (format, progress) => this.#save(path, format, progress))
  }

  load(path: string, options: SaveOptions): Promise<LoadResult> {
    return this.#outcome('load', path, options, (format, progress) => this.#load(path, format, progress))
  }

  /** A problem with the file is a result. A wrong argument, or a cache that is not open, is a rejection. */
  async #outcome<T>(
    method: 'save' | 'load',
    path: string,
    options: SaveOptions,
    run: (format: SaveFormat, progress: SaveProgress | undefined) => Promise<T>,
  ): Promise<Result<T>> {
    const { format, onProgress } = checkFile(path, options)
    this.#parts.opening.admitRead()
    try {
      return { ok: true, path, format, ...(await run(format, onProgress)) }
    } catch (error) {
      if (error instanceof CacheClosedError) throw error
      return { ok: false, error: fileError(method, path, error) }
    }
  }

  async #save(path: string, format: SaveFormat, progress: SaveProgress | undefined): Promise<Saved> {
    const { state, storage, clock } = this.#parts
    const source = new FrozenRows(state)
    try {
      const { writeSave } = await loadModule(() => import('../../files/save.js'))
      return await writeSave({ storage, path, format, source, nowMs: clock.now(), progress })
    } finally {
      source.release()
    }
  }

  /** Reads the file into a replacement, makes it durable beside the journal, and switches to it with one event. */
  #load(path: string, format: SaveFormat, progress: SaveProgress | undefined): Promise<LoadReport> {
    return this.#parts.maintenance.exclusively(async () => {
      this.#parts.opening.admitWrite()
      const { replacement, expired } = await this.#read(path, format, progress)
      const staged = await this.#stage(replacement, progress)
      return this.#switchTo(replacement, staged, expired)
    })
  }

  /** For a journal with other writers, of which another one switches to the rows: reads the file, and makes it durable. */
  stage(path: string, options: SaveOptions): Promise<Result<StagedFile>> {
    return this.#outcome('load', path, options, async (format, progress) => {
      const { replacement, expired } = await this.#read(path, format, progress)
      return { ...(await this.#stage(replacement, progress)), expired, evicted: replacement.evicted }
    })
  }

  /** Switches to rows that are durable, exactly as they are: `fill` passes them on. */
  adopt(staged: StagedRows, fill: (rows: ReceivedRows) => Promise<void>): Promise<LoadReport> {
    const { maintenance, opening, state } = this.#parts
    return maintenance.exclusively(async () => {
      opening.admitWrite()
      const replacement = new Replacement(state)
      await fill(replacement)
      return this.#switchTo(replacement, staged, 0)
    })
  }

  /** What is read of a file: rows that have expired, or for which there is no room, are omitted. */
  async #read(path: string, format: SaveFormat, progress: SaveProgress | undefined) {
    const { state, clock, storage } = this.#parts
    const nowMs = clock.now()
    const replacement = new Replacement(state)
    let expired = 0
    const rows: ReceivedRows = {
      counters: replacement.counters,
      add: (key, value, expiresAtMs, extension) => {
        if (hasExpired(expiresAtMs, nowMs)) {
          expired++
          return
        }
        replacement.trim(1)
        if (replacement.entries.size >= state.entriesMax) throw tooManyEntries(path, state.entriesMax)
        replacement.add(key, value, expiresAtMs, extension)
        replacement.trim()
      },
    }
    const { readSave } = await loadModule(() => import('../../files/load.js'))
    await readSave(storage, path, format, rows, progress)
    return { replacement, expired }
  }

  async #stage(replacement: Replacement, progress: SaveProgress | undefined): Promise<StagedRows> {
    const source = new FrozenRows(replacement)
    try {
      return await this.#parts.journal.stage(source, (done, total) => progress?.(done, total, 'entries'))
    } finally {
      source.release()
    }
  }

  #switchTo(replacement: Replacement, staged: StagedRows, expired: number): LoadReport {
    const { state, clock, turns, opening } = this.#parts
    opening.admitWrite()
    turns.record([{ type: 'loaded', ...staged }], clock.now(), replacement)
    const removed = applyLimits({ state, clock, turns }, AS_THEY_ARE) // they may have changed since
    return {
      entries: staged.entries - removed.evicted - removed.expired,
      expired: expired + removed.expired,
      evicted: replacement.evicted + removed.evicted,
    }
  }
}

/** Rows that the journal has made durable. */
export interface StagedRows {
  readonly file: string
  readonly checksum: number
  readonly entries: number
}

export interface StagedFile extends StagedRows {
  readonly expired: number
  readonly evicted: number
}

const AS_THEY_ARE: GivenLimits = { maxSize: undefined, maxBytes: undefined }

function tooManyEntries(path: string, entriesMax: number): RangeError {
  return new RangeError(
    `${path} holds more than ${entriesMax} entries, and one JavaScript Map cannot hold more. Nothing was changed: give the cache a maxSize.`,
  )
}
