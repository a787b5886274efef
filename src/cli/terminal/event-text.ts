/** An event of the journal as a line: `inspect` and `history`. */
import { toChange } from '../../cache/streams/changes.js'
import type { CacheEvent } from '../../core/model/event.js'
import { changeJson } from './change-json.js'
import { changeText } from './change-text.js'
import { output } from './output.js'
import { showCountOf } from './quantities.js'
import { restoreToShow } from './show-value.js'

export const VALUE_LENGTH_MAX = 200

export function eventText(
  event: CacheEvent,
  sequence: number,
  atMs: number,
  { json, full }: { json: boolean; full: boolean },
): string {
  if (json) return changeJson(event, sequence, atMs)
  const text = changeText(toChange({ event, sequence }, restoreToShow), {
    colors: output.colors,
    valueLengthMax: full ? Number.POSITIVE_INFINITY : VALUE_LENGTH_MAX,
    atMs,
  })
  return event.type === 'loaded' ? `${text} ${showCountOf(event.entries, 'entry', 'entries')} from ${event.file}` : text
}
