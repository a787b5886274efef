/**
 * One event as a line of JSON: `inspect --json`.
 *
 *   {"sequence":3,"writtenAt":"2024-01-01T00:00:00.000Z","type":"set","key":"user:1","value":{"name":"Ada"}}
 *
 * A value that JSON cannot express exactly has no `value`: bytes have `valueBase64`, others (Map, Date, bigint, …) have
 * `valueText`, as `util.inspect` shows them. In a `limited` event null means that there is no limit.
 */

import type { CacheEvent, SetEvent } from '../../core/model/event.js'
import { NO_TAGS } from '../../core/model/extension.js'
import { EncodedValue, type StoredValue } from '../../core/model/stored-value.js'
import { showMoment } from './quantities.js'
import { restoreToShow, showValue, toJson } from './show-value.js'

export function changeJson(event: CacheEvent, sequence: number, writtenAtMs: number): string {
  const head = { sequence, writtenAt: showMoment(writtenAtMs), type: event.type }
  switch (event.type) {
    case 'set': {
      const start = JSON.stringify({ ...head, key: event.key }).slice(0, -1)
      return `${start},${valueMember(event.value)}${timesMembers(event)}}`
    }
    case 'rescheduled':
      return JSON.stringify({
        ...head,
        key: event.key,
        expiresAt: momentOrNull(event.expiresAtMs),
        ...freshUntil(event.freshUntilMs),
      })
    case 'cleared':
      return JSON.stringify(head)
    case 'loaded':
      return JSON.stringify({ ...head, file: event.file, entries: event.entries })
    case 'limited':
      return JSON.stringify({ ...head, maxSize: limitJson(event.maxSize), maxBytes: limitJson(event.maxBytes) })
    default:
      return JSON.stringify({ ...head, key: event.key })
  }
}

/** JSON has no Infinity: no limit is null. */
export function limitJson(limit: number): number | null {
  return limit === Number.POSITIVE_INFINITY ? null : limit
}

export function valueMember(stored: StoredValue): string {
  if (stored instanceof EncodedValue && (stored.encoding === 'bytes' || stored.encoding === 'buffer')) {
    return `"valueBase64":"${Buffer.from(stored.bytes).toString('base64')}"`
  }
  const value = restoreToShow(stored)
  const json = toJson(value)
  return json === undefined ? `"valueText":${JSON.stringify(showValue(value, { isFull: true }))}` : `"value":${json}`
}

/** As members that follow others: only those that there are. */
function timesMembers({ expiresAtMs, extension }: SetEvent): string {
  const { freshUntilMs, tags = NO_TAGS } = extension ?? {}
  const members = JSON.stringify({
    ...(expiresAtMs === Number.POSITIVE_INFINITY ? {} : { expiresAt: showMoment(expiresAtMs) }),
    ...freshUntil(freshUntilMs),
    ...(tags.length === 0 ? {} : { tags }),
  })
  return members === '{}' ? '' : `,${members.slice(1, -1)}`
}

function freshUntil(freshUntilMs = Number.POSITIVE_INFINITY): { freshUntil?: string } {
  return freshUntilMs === Number.POSITIVE_INFINITY ? {} : { freshUntil: showMoment(freshUntilMs) }
}

function momentOrNull(expiresAtMs: number): string | null {
  return expiresAtMs === Number.POSITIVE_INFINITY ? null : showMoment(expiresAtMs)
}
