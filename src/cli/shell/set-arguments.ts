/**
 * `set KEY VALUE [TTL]`: where VALUE ends and TTL begins.
 *
 *   set k {"a": 1}            all of it is JSON: the value
 *   set k {"a": 1} 10s        the last word is a duration and the rest is JSON: value and TTL
 *   set k hello               one word that is not JSON: text
 *   set k 'hello world' 10s   a quoted word, and a TTL
 *   set k hello world         refused: ambiguous
 */
import type { Duration } from '../../cache/arguments/duration.js'
import { looksLikeDuration, parseDuration } from '../journal/options.js'
import { UsageError } from '../terminal/failures.js'
import { splitWords, type Word, wordFrom } from './words.js'

export interface SetArguments {
  key: string
  value: unknown
  ttl: Duration | undefined
}

/** @throws UsageError that shows the correct syntax. */
export function parseSet(rest: string): SetArguments {
  const keyWord = wordFrom(rest, 0)
  if (keyWord === undefined) throw new UsageError('KEY is missing. Usage: set KEY VALUE [TTL]')
  refuseOpenQuote(keyWord)
  const key = keyWord.text
  const raw = rest.slice(keyWord.end).trim()
  if (raw === '') throw new UsageError('VALUE is missing. Usage: set KEY VALUE [TTL]')
  return { key, ...parseValue(raw) }
}

function parseValue(raw: string): { value: unknown; ttl: Duration | undefined } {
  const whole = parseJson(raw)
  if (whole !== undefined) return { value: whole.value, ttl: undefined }

  const lastSpace = raw.search(/\s\S+$/)
  const last = lastSpace === -1 ? '' : raw.slice(lastSpace + 1)
  if (looksLikeDuration(last)) {
    const head = parseJson(raw.slice(0, lastSpace))
    if (head !== undefined) return { value: head.value, ttl: parseDuration(last) }
  }

  const words = splitWords(raw)
  const [first, second] = words
  // As text it would silently lose its quotes or its spaces.
  if (/^[{["]/.test(raw) && (words.length > 1 || /^[{[].*["']/s.test(raw))) throw notJson(raw)
  for (const word of words) refuseOpenQuote(word)
  if (first !== undefined && words.length === 1) return { value: valueOfWord(first), ttl: undefined }
  if (first !== undefined && second !== undefined && words.length === 2 && looksLikeDuration(second.text)) {
    return { value: valueOfWord(first), ttl: parseDuration(second.text) }
  }
  throw new UsageError(
    `${JSON.stringify(words.at(-1)?.text)} is not a valid TTL (10, 10s, 5m, 1h). A value with spaces goes in quotes: set KEY "${raw.replace(/["\\]/g, '\\$&')}"`,
  )
}

/** Single quotes only hold a word together, as in other shells; double quotes make it text, as in JSON. */
function valueOfWord(word: Word): unknown {
  if (word.quote === '"') return word.text
  return (parseJson(word.text) ?? { value: word.text }).value
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

function notJson(raw: string): UsageError {
  let reason = ''
  try {
    JSON.parse(raw)
  } catch (error) {
    reason = (error as Error).message
  }
  return new UsageError(
    `the value looks like JSON but does not parse (${reason}). To store it as text, put it in single quotes`,
  )
}

export function refuseOpenQuote(word: Word): void {
  if (word.isOpen) throw new UsageError(`a ${word.quote === '"' ? 'double' : 'single'} quote is not closed`)
}
