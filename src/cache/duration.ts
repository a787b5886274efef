import { describe } from '../errors.js'

/** A length of time. A bare number is **seconds**; text carries its unit: `'250ms'`, `'10s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const TEXT = /^(-?(?:\d+(?:\.\d+)?|\.\d+))(ms|s|m|h|d)$/

/** The last moment that a Date can say: ±8.64e15 ms. No deadline lies past it. */
export const EPOCH_MS_MAX = 8.64e15

/**
 * Milliseconds. `Infinity` stays (no deadline).
 * @throws TypeError for what is no duration; RangeError for a negative one, NaN, or one past the end of time. Both name it.
 */
export function toMilliseconds(duration: unknown, name: string): number {
  if (typeof duration === 'number') return checked(duration * 1_000, duration, name)
  if (typeof duration === 'string') {
    const match = TEXT.exec(duration)
    if (match !== null) return checked(Number(match[1]) * (UNIT_MS[match[2] as string] as number), duration, name) // the pattern has both groups
  }
  throw new TypeError(
    `${name} must be a number of seconds or text like '250ms', '10s', '5m', '1h', '7d'; ${describe(duration)} is neither. Nothing was changed.`,
  )
}

function checked(ms: number, given: unknown, name: string): number {
  if (ms === Number.POSITIVE_INFINITY && given === Number.POSITIVE_INFINITY) return ms
  if (!(ms >= 0 && ms <= EPOCH_MS_MAX)) {
    throw new RangeError(
      `${name} must be 0 or more, and end before the year 275760 (Infinity for no end); ${describe(given)} is not. Nothing was changed.`,
    )
  }
  return ms
}
