/** The limits that a caller gives, here and in `openCache`. After: `turns/limiting.ts`. */
import { mustBe } from '../../errors.js'
import type { GivenLimits } from '../turns/limiting.js'
import { checkOptions } from './arguments.js'
import { METHODS } from './methods.js'

/** The options of `resize`. */
export interface ResizeOptions {
  /** How many entries the cache holds: a positive integer or Infinity. */
  maxSize?: number | undefined
  /** Encoded bytes of all keys and values together: a positive integer or Infinity. */
  maxBytes?: number | undefined
}

export function checkLimits({ maxSize, maxBytes }: ResizeOptions): GivenLimits {
  return { maxSize: checkGivenLimit('maxSize', maxSize), maxBytes: checkGivenLimit('maxBytes', maxBytes) }
}

export function checkResize(options: ResizeOptions): GivenLimits {
  return checkLimits(checkOptions(options, METHODS.resize.options))
}

function checkGivenLimit(name: string, value: unknown): number | undefined {
  return value === undefined ? undefined : checkLimit(name, value)
}

export function checkLimit(name: string, value: unknown): number {
  const message = mustBe(name, 'a positive integer or Infinity', value)
  if (typeof value !== 'number') throw new TypeError(message)
  if (value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value > 0)) return value
  throw new RangeError(message)
}
