/**
 * Text on its way to a terminal, a pipe or a file. Keys, values, paths and error messages may hold control characters, which
 * could move the cursor, hide text or reverse it: they are printed escaped, as JSON escapes them, so that JSON stays valid.
 * Our own colours are marks, which data cannot contain, until {@link printable} turns them into escape sequences.
 */
import { randomUUID } from 'node:crypto'
import { styleText } from 'node:util'

/** Stands for ESC in our own colours. Nothing that was written before this process started contains it. */
const MARK = randomUUID()

/** C0 but tab and newline, DEL, C1, line and paragraph separators, and what changes the direction of text. */
const CONTROL = '[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]'
const MARK_OR_CONTROL = new RegExp(`${MARK}|${CONTROL}`, 'g')

export function printable(text: string): string {
  return text.replace(MARK_OR_CONTROL, (found) => {
    return found === MARK ? '\u001b' : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

const STYLES = ['bold', 'dim', 'red', 'green', 'yellow', 'magenta', 'cyan'] as const

/** Styles a text, or leaves it as it is where there are no colours. */
export type Colors = Readonly<Record<(typeof STYLES)[number], (text: string) => string>>

export function createColors(areOn: boolean): Colors {
  const painters = STYLES.map((style) => {
    if (!areOn) return [style, (text: string) => text] as const
    const codes = styleText(style, '\n', { validateStream: false }).replaceAll('\u001b', MARK)
    const [on, off] = codes.split('\n')
    return [style, (text: string) => `${on}${text}${off}`] as const
  })
  return Object.fromEntries(painters) as unknown as Colors
}
