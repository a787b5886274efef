/**
 * One event as a line of JSON: `inspect --json`.
 *
 *   {"sequence":3,"writtenAt":"2024-01-01T00:00:00.000Z","type":"set","key":"user:1","value":{"name":"Ada"}}
 *
 * A value that JSON cannot express exactly has no `value`: bytes have `valueBase64`, others (Map, Date, bigint, …) have
 * `valueText`, as `util.inspect` shows them. In a `limited` event null means that there is no limit.
 */

import type { StoredEntry } from '../../cache/turns/stored-entry.js'
import { timesOf } from '../../cache/turns/times.js'
import type { CacheEvent, SetEvent } from '../../core/model/event.js'
import { NO_TAGS } from '../../core/model/extension.js'
import { entryMembers } from './entry-json.js'
import { showMoment } from './quantities.js'

export function changeJson(event: CacheEvent, sequence: number, writtenAtMs: number): string {
  const head = { sequence, writtenAt: showMoment(writtenAtMs), type: event.type }
  switch (event.type) {
    case 'set': {
      const start = JSON.stringify({ ...head, key: event.key }).slice(0, -1)
      return `${start},${entryMembers(entryOf(event))}}`
    }
    case 'rescheduled':
      return JSON.stringify({
        ...head,
        key: event.key,
        expiresAt: momentOrNull(event.expiresAtMs),
        ...(event.freshUntilMs === undefined ? {} : { freshUntil: showMoment(event.freshUntilMs) }),
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

function entryOf({ value, expiresAtMs, extension }: SetEvent): StoredEntry {
  return { value, ...timesOf(expiresAtMs, extension?.freshUntilMs), tags: [...(extension?.tags ?? NO_TAGS)] }
}

function momentOrNull(expiresAtMs: number): string | null {
  return expiresAtMs === Number.POSITIVE_INFINITY ? null : showMoment(expiresAtMs)
}
