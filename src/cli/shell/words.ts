/**
 * A line of the shell, split into words.
 *
 *   plain        ends at white space; `\` makes the next space, quote or backslash literal, and stays before any other
 *                character (so that patterns keep their `\*`)
 *   "quoted"     as JSON writes strings: \n, \t, \u00e9 and so on
 *   'quoted'     literally
 *
 * Adjacent quoted and plain parts are one word.
 */
export interface Word {
  text: string
  /** Where it starts in the line, and where it ends. */
  start: number
  end: number
  /** The first quote in it, if any. */
  quote: '"' | "'" | undefined
  /** Whether a quote is not closed. */
  isOpen: boolean
}

const SPACE = /\s/

export function splitWords(line: string): Word[] {
  const words: Word[] = []
  for (let word = wordFrom(line, 0); word !== undefined; word = wordFrom(line, word.end)) words.push(word)
  return words
}

/** The word that starts at `start`, or after the space there. */
export function wordFrom(line: string, start: number): Word | undefined {
  let at = start
  while (at < line.length && SPACE.test(line[at] as string)) at++
  return at < line.length ? readWord(line, at) : undefined
}

function readWord(line: string, start: number): Word {
  const word: Word = { text: '', start, end: start, quote: undefined, isOpen: false }
  let at = start
  while (at < line.length && !word.isOpen) {
    const character = line[at] as string
    if (SPACE.test(character)) break
    if (character === '"' || character === "'") {
      word.quote ??= character
      const part = character === '"' ? readDoubleQuoted(line, at + 1) : readSingleQuoted(line, at + 1)
      word.text += part.text
      word.isOpen = part.isOpen
      at = part.end
    } else if (character === '\\' && /[\s"'\\]/.test(line[at + 1] ?? '')) {
      word.text += line[at + 1]
      at += 2
    } else {
      word.text += character
      at++
    }
  }
  word.end = at
  return word
}

interface Part {
  text: string
  end: number
  isOpen: boolean
}

function readSingleQuoted(line: string, start: number): Part {
  const end = line.indexOf("'", start)
  if (end === -1) return { text: line.slice(start), end: line.length, isOpen: true }
  return { text: line.slice(start, end), end: end + 1, isOpen: false }
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

function readDoubleQuoted(line: string, start: number): Part {
  let text = ''
  for (let at = start; at < line.length; at++) {
    const character = line[at] as string
    if (character === '"') return { text, end: at + 1, isOpen: false }
    if (character !== '\\') {
      text += character
      continue
    }
    const hex = /^u([0-9a-fA-F]{4})/.exec(line.slice(at + 1, at + 6))
    if (hex !== null) {
      text += String.fromCharCode(Number.parseInt(hex[1] as string, 16)) // the pattern has the group
      at += 5
    } else {
      const next = line[++at] ?? ''
      text += ESCAPED[next] ?? (/["'\\/]/.test(next) ? next : `\\${next}`)
    }
  }
  return { text, end: line.length, isOpen: true }
}
