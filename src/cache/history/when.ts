/** A time in the past, as callers name it. Before: `looking-back.ts`. After: `durable/history/locate`. */
import { types } from 'node:util'
import type { Moment } from '../../durable/history/locate.js'
import { mustBe } from '../../errors.js'
import { checkNames } from '../arguments/arguments.js'
import { type Duration, toMilliseconds } from '../arguments/duration.js'

/**
 * A Date means: after the last frame, in the order of the journal, that was written at or before it. `{ ago: '10m' }` is a time, too.
 * `{ sequence }` means: right after that event.
 */
export type When = Date | { readonly sequence: number } | { readonly ago: Duration }

/** @throws TypeError or RangeError for what is not a time. */
export function checkWhen(when: unknown, nowMs: number, name = 'A time'): Moment {
  if (types.isDate(when)) {
    const timeMs = when.getTime()
    if (Number.isNaN(timeMs)) throw new TypeError(mustBe(name, 'a valid Date', when))
    return { timeMs }
  }
  if (typeof when !== 'object' || when === null) throw notATime(name, when)
  checkNames(when, ['sequence', 'ago'], 'option')
  const { sequence, ago } = when as { sequence?: unknown; ago?: unknown }
  if ((sequence === undefined) === (ago === undefined)) throw notATime(name, when)
  return ago === undefined
    ? { sequence: checkSequence(sequence) }
    : { timeMs: nowMs - toMilliseconds(ago, `${name}: ago`) }
}

/** @throws TypeError for what is not the number of an event, or 0. */
export function checkSequence(sequence: unknown): number {
  if (Number.isSafeInteger(sequence) && (sequence as number) >= 0) return sequence as number
  throw new TypeError(mustBe('A sequence', 'a whole number from 0', sequence))
}

function notATime(name: string, value: unknown): TypeError {
  return new TypeError(mustBe(name, "a Date, { sequence: 5 } or { ago: '10m' }", value))
}
