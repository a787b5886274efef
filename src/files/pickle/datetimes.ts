/**
 * Date and Python's datetime. A datetime's state is ten bytes: year (2, big-endian), month, day, hour, minute, second,
 * microsecond (3, big-endian); the top bit of the month is `fold`, which does not matter for UTC.
 * Source: `datetime._getstate` and `__setstate` in CPython's Lib/datetime.py.
 *
 * Written: UTC, with tzinfo=datetime.timezone.utc. Read: a datetime without a timezone is taken as UTC. Microseconds are cut
 * off, towards the past.
 */

export const DATETIME_BYTES = 10
const FIRST_MS = -62_135_596_800_000 // 0001-01-01T00:00:00.000Z
const LAST_MS = 253_402_300_799_999 // 9999-12-31T23:59:59.999Z
const DAY_US = 86_400e6

/** Whether Python can represent this time: the years 1 to 9999. */
export function hasDatetime(epochMs: number): boolean {
  return epochMs >= FIRST_MS && epochMs <= LAST_MS
}

/** Writes the state, in UTC, at `at`. */
export function writeDatetime(epochMs: number, target: Buffer, at: number): void {
  const date = new Date(epochMs)
  target.writeUInt16BE(date.getUTCFullYear(), at)
  target[at + 2] = date.getUTCMonth() + 1
  target[at + 3] = date.getUTCDate()
  target[at + 4] = date.getUTCHours()
  target[at + 5] = date.getUTCMinutes()
  target[at + 6] = date.getUTCSeconds()
  target.writeUIntBE(date.getUTCMilliseconds() * 1000, at + 7, 3)
}

/** The Date of a state that is `offsetUs` microseconds ahead of UTC; undefined if that day or time does not exist. */
export function readDatetime(state: Uint8Array, offsetUs: number): Date | undefined {
  if (state.length !== DATETIME_BYTES) return undefined
  const view = Buffer.from(state.buffer, state.byteOffset, state.byteLength)
  const year = view.readUInt16BE(0)
  const month = (view.readUInt8(2) & 0x7f) - 1
  const day = view.readUInt8(3)
  const hour = view.readUInt8(4)
  const minute = view.readUInt8(5)
  const second = view.readUInt8(6)
  const microsecond = view.readUIntBE(7, 3)
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  if (year < 1 || year > 9999 || date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined
  if (hour > 23 || minute > 59 || second > 59 || microsecond > 999_999) return undefined
  date.setUTCHours(hour, minute, second)
  date.setTime(date.getTime() + Math.floor((microsecond - offsetUs) / 1000))
  return date
}

/** `datetime.timedelta(days, seconds, microseconds)` in microseconds; undefined if it is a day or more. */
export function offsetOf(days: number, seconds: number, microseconds: number): number | undefined {
  const us = days * DAY_US + seconds * 1e6 + microseconds
  return Number.isSafeInteger(us) && Math.abs(us) < DAY_US ? us : undefined
}
