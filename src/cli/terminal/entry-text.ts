/** Entries of the past as text: `at` and `diff`, as commands and in the shell. */
import type { StoredEntry } from '../../cache/turns/stored-entry.js'
import type { Times } from '../../cache/turns/times.js'
import type { Colors } from './printable.js'
import { showMoment } from './quantities.js'
import { restoreToShow, shorten, showKey, showValue, VALUE_LENGTH_MAX } from './show-value.js'

/** An entry whose value has been restored to be shown. */
export interface ShownEntry extends Times {
  readonly value: unknown
  readonly tags: readonly string[]
}

export function shownEntry(entry: StoredEntry): ShownEntry {
  return { ...entry, value: restoreToShow(entry.value) }
}

export interface EntryStyle {
  colors: Colors
  isFull?: boolean
}

export function entryText(key: string, entry: ShownEntry, style: EntryStyle): string {
  return `${showKey(key)} = ${contentText(entry, style)}`
}

/** Begins with +, - or ~. */
export function differenceText(
  key: string,
  before: ShownEntry | undefined,
  after: ShownEntry | undefined,
  style: EntryStyle,
): string {
  const { green, red, yellow } = style.colors
  const sign = before === undefined ? green('+') : after === undefined ? red('-') : yellow('~')
  const shown = [before, after].flatMap((entry) => (entry === undefined ? [] : [contentText(entry, style)]))
  return `${sign} ${showKey(key)} = ${shown.join(' → ')}`
}

function contentText({ value, expiresAtMs, freshUntilMs, tags }: ShownEntry, { colors, isFull }: EntryStyle): string {
  const shown = showValue(value, { isFull: isFull === true })
  const parts = [
    ...(freshUntilMs === undefined ? [] : [`stale from ${showMoment(freshUntilMs)}`]),
    ...(expiresAtMs === undefined ? [] : [`expires ${showMoment(expiresAtMs)}`]),
    ...(tags.length === 0 ? [] : [`tags ${tags.map(showKey).join(', ')}`]),
  ]
  const rest = parts.length === 0 ? '' : ` ${colors.dim(parts.join(' '))}`
  return `${isFull ? shown : shorten(shown, VALUE_LENGTH_MAX)}${rest}`
}
