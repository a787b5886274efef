/** The options, results and errors of `save` and `load`. */

import { CacheError, CorruptionError, mustBe, reasonOf } from '../../errors.js'
import { formatOf, type SaveFormat, type SaveProgress } from '../../files/format.js'
import type { Saved } from '../../files/save.js'
import { checkFunction, checkOptions } from '../arguments/arguments.js'
import { METHODS } from '../arguments/methods.js'

/** The options of `save` and `load`. */
export interface SaveOptions {
  /** The file's format. Default: determined by the file's extension. */
  format?: SaveFormat | undefined
  /**
   * Called with the amount done, the total and the unit. A load reports `'bytes'` read, then `'entries'` written; a save only
   * `'entries'`. If it throws, the save or load fails and changes nothing.
   */
  onProgress?: SaveProgress | undefined
}

export interface LoadReport {
  /** Entries loaded: what the cache now holds. */
  entries: number
  /** Entries of the file that were omitted because they had expired. */
  expired: number
  /** Entries of the file that were omitted because the cache has no room: the least recently used ones. */
  evicted: number
}

export type Result<T> = ({ ok: true; path: string; format: SaveFormat } & T) | { ok: false; error: Error }
/** The result of `save`. Problems with the file do not reject the promise. */
export type SaveResult = Result<Saved>
/** The result of `load`. Problems with the file do not reject the promise. Unless `ok` is true, nothing was changed. */
export type LoadResult = Result<LoadReport>

/**
 * The format to use, and the listener for progress.
 * @throws TypeError for a wrong path or option.
 */
export function checkFile(
  path: unknown,
  options: SaveOptions,
): { format: SaveFormat; onProgress: SaveProgress | undefined } {
  checkPath(path)
  const { format, onProgress } = checkOptions(options, METHODS.save.options)
  if (onProgress !== undefined) checkFunction(onProgress, 'onProgress')
  checkFormat(format)
  return { format: format ?? formatOf(path), onProgress }
}

export function checkPath(path: unknown): asserts path is string {
  if (typeof path !== 'string' || path === '') throw new TypeError(mustBe('path', 'the path of a file', path))
}

export function checkFormat(format: unknown): asserts format is SaveFormat | undefined {
  if (format !== undefined && format !== 'pickle' && format !== 'snapshot') {
    throw new TypeError(mustBe('format', "'pickle' or 'snapshot'", format))
  }
}

/** The error of a failed `save` or `load`, with a message that names the file. */
export function fileError(method: 'save' | 'load', path: string, error: unknown): Error {
  if (error instanceof CorruptionError) {
    const advice = 'Load another file, or save this one again.' // no journal is damaged
    return new CorruptionError(error, { cause: error, consequence: 'The cache is unchanged.', advice })
  }
  if (error instanceof CacheError || error instanceof RangeError) return error
  return method === 'save'
    ? new CacheError('SAVE_FAILED', `${path} was not saved: ${reasonOf(error)}`, { cause: error })
    : new CacheError('LOAD_FAILED', `${path} was not loaded: ${reasonOf(error)}`, { cause: error })
}
