/** One event as one line, as `inspect` and `watch` print it. */
import type { Change } from '../../cache/streams/change.js'
import type { Colors } from './printable.js'
import { showLimits, showMoment } from './quantities.js'
import { shorten, showKey, showValue } from './show-value.js'

export interface ChangeTextOptions {
  colors: Colors
  /** Characters; longer values are cut. */
  valueLengthMax: number
  /** When it happened, epoch milliseconds, if known. */
  atMs?: number
}

const TYPE_WIDTH = 'rescheduled'.length

export function changeText(change: Change, options: ChangeTextOptions): string {
  const { colors, atMs } = options
  const parts = [colors.dim(`#${change.sequence}`)]
  if (atMs !== undefined) parts.push(colors.dim(showMoment(atMs)))
  parts.push(colorOf(change, colors)(change.type.padEnd(TYPE_WIDTH)))
  if (change.key !== undefined) parts.push(showKey(change.key))
  if (change.type === 'set')
    parts.push(
      '=',
      shorten(showValue(change.value, { isFull: options.valueLengthMax === Infinity }), options.valueLengthMax),
    )
  if (change.freshUntilMs !== undefined) parts.push(colors.dim(`stale from ${showMoment(change.freshUntilMs)}`))
  if (change.expiresAtMs !== undefined) parts.push(colors.dim(`expires ${showMoment(change.expiresAtMs)}`))
  else if (change.type === 'rescheduled') parts.push(colors.dim('never expires'))
  if (change.tags !== undefined) parts.push(colors.dim(`tags ${change.tags.map(showKey).join(', ')}`))
  if (change.type === 'limited') parts.push(showLimits(change as Required<Change>))
  return parts.join(' ').trimEnd()
}

function colorOf({ type }: Change, colors: Colors): (text: string) => string {
  if (type === 'set' || type === 'rescheduled') return colors.green
  return type === 'expired' || type === 'evicted' ? colors.yellow : colors.red
}
