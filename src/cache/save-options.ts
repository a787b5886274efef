/** What `save` and `load` take and return. */

import { CacheError, CorruptionError, describe } from '../errors.js'
import { formatOf, type SaveFormat, type SaveProgress } from '../files/format.js'
import type { Saved } from '../files/save.js'
import { checkFunction, checkOptions } from './arguments.js'
import type { LoadReport } from './maintenance.js'

/** How `save` and `load` treat their file. */
export interface SaveOptions {
  /** The file's format; by default its extension tells. */
  format?: SaveFormat | undefined
  /**
   * Told how far it has come, of how much: a load first reads `'bytes'`, then both write `'entries'`. If it throws, the save or
   * load ends there, as failed: nothing was changed.
   */
  onProgress?: SaveProgress | undefined
}

type Result<T> = ({ ok: true; path: string; format: SaveFormat } & T) | { ok: false; error: Error }
/** What `save` returns: it never rejects because of a file. */
export type SaveResult = Result<Saved>
/** What `load` returns: it never rejects because of a file, and when it is not `ok` nothing was changed. */
export type LoadResult = Result<LoadReport>

/** @throws TypeError for what is no path or no format. Returns the format to use, and whom to call with the progress. */
export function checkFile(
  path: unknown,
  options: SaveOptions,
): { format: SaveFormat; onProgress: SaveProgress | undefined } {
  checkPath(path)
  const { format, onProgress } = checkOptions(options)
  if (onProgress !== undefined) checkFunction(onProgress, 'onProgress')
  checkFormat(format)
  return { format: format ?? formatOf(path), onProgress }
}

export function checkPath(path: unknown): asserts path is string {
  if (typeof path !== 'string' || path === '')
    throw new TypeError(`path must be a file's path; ${describe(path)} is not. Nothing was changed.`)
}

export function checkFormat(format: unknown): asserts format is SaveFormat | undefined {
  if (format !== undefined && format !== 'pickle' && format !== 'snapshot') {
    throw new TypeError(`format must be 'pickle' or 'snapshot'; ${describe(format)} is neither. Nothing was changed.`)
  }
}

/** Our own errors as they are, others with the file and what it means. */
export function fileError(method: 'save' | 'load', path: string, error: unknown): Error {
  if (error instanceof CorruptionError) {
    const { file, offset, sequence, reason } = error
    const advice = 'The cache is untouched: load another file, or save this one again from where it came.'
    return new CorruptionError({ file, offset, sequence, reason, advice }, { cause: error })
  }
  if (error instanceof CacheError || error instanceof RangeError) return error
  const { message } = error as Error
  return method === 'save'
    ? new CacheError(
        'SAVE_FAILED',
        `${path} was not saved: ${message}. The cache is untouched, and so is a file that was there; check the path, the permissions and the room on the disk.`,
        { cause: error },
      )
    : new CacheError(
        'LOAD_FAILED',
        `${path} was not loaded: ${message}. The cache is untouched; check the path and the permissions.`,
        { cause: error },
      )
}
