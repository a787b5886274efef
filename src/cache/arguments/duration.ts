import { EPOCH_MS_MAX } from '../../core/model/expiry.js'
import { mustBe } from '../../errors.js'

/** A length of time. A bare number is in **seconds**; a string has its unit: `'250ms'`, `'10s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const TEXT = /^(-?(?:\d+(?:\.\d+)?|\.\d+))(ms|s|m|h|d)$/

/**
 * A duration in milliseconds; `Infinity` for no deadline.
 * @throws TypeError for anything but a duration; RangeError for NaN, a negative one or one that is too long. `name` is in the message.
 */
export function toMilliseconds(duration: unknown, name: string): number {
  const ms = typeof duration === 'number' ? duration * 1_000 : parsed(duration, name)
  if (ms >= 0 && (ms <= EPOCH_MS_MAX || duration === Number.POSITIVE_INFINITY)) return ms
  throw outOfRange(duration, name)
}

/** Functions of their own, because V8 only inlines short ones. */
function parsed(duration: unknown, name: string): number {
  const match = typeof duration === 'string' ? TEXT.exec(duration) : null
  if (match !== null) return Number(match[1]) * (UNIT_MS[match[2] as string] as number) // the pattern has both groups
  throw new TypeError(mustBe(name, "a number of seconds or a string like '250ms', '10s', '5m', '1h', '7d'", duration))
}

function outOfRange(duration: unknown, name: string): RangeError {
  return new RangeError(mustBe(name, 'at least 0 and end before the year 275760, or Infinity for no end', duration))
}
