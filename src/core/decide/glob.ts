/**
 * Patterns for keys: `*` matches any characters or none, `?` exactly one, `[abc]` and `[a-z]` one of a class, `[!a]` and `[^a]` one that
 * is not in the class; `\` makes the next character literal. A pattern matches the whole key. A character is a code point (so
 * `?` matches an emoji); `/` and `:` are ordinary characters. The empty pattern matches nothing. An unclosed `[` and a `\` at
 * the end are literal.
 *
 * Matching uses two pointers and goes back to the last star (cf. R. Cox, "Glob Matching Can Be Simple And Fast Too"): at most
 * key × pattern steps, whatever the pattern.
 */

import { mustBe } from '../../errors.js'

type Token =
  | { readonly kind: 'star' | 'any' }
  | { readonly kind: 'literal'; readonly codePoint: number }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] }

interface ParsedClass {
  readonly token: Token
  /** Index of the closing bracket. */
  readonly end: number
}

export type KeyMatcher = (key: string) => boolean

/** The pattern that matches exactly this text. */
export function escapePattern(text: string): string {
  if (typeof text !== 'string') throw new TypeError(mustBe('The text to escape', 'a string', text))
  return text.replace(/[*?[\\]/g, '\\$&')
}

export function compileGlob(pattern: string): KeyMatcher {
  if (pattern === '') return () => false
  if (pattern === '*') return () => true
  const tokens = parse(pattern)
  return (key) => matches(tokens, key)
}

function parse(pattern: string): Token[] {
  const characters = Array.from(pattern, (character) => character.codePointAt(0) as number) // iteration yields no empty strings
  const tokens: Token[] = []
  let mayClose = true // after one unclosed `[` no later one is closed; looking again would take pattern × pattern steps
  for (let at = 0; at < characters.length; at++) {
    const codePoint = characters[at] as number
    if (codePoint === STAR) {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' })
    } else if (codePoint === QUESTION) {
      tokens.push({ kind: 'any' })
    } else if (codePoint === BACKSLASH && at + 1 < characters.length) {
      tokens.push({ kind: 'literal', codePoint: characters[++at] as number })
    } else if (codePoint === OPEN) {
      const parsed: ParsedClass | undefined = mayClose ? parseClass(characters, at + 1) : undefined
      mayClose = parsed !== undefined
      if (parsed === undefined) tokens.push({ kind: 'literal', codePoint })
      else {
        tokens.push(parsed.token)
        at = parsed.end
      }
    } else {
      tokens.push({ kind: 'literal', codePoint })
    }
  }
  return tokens
}

/** Parses from the character after `[`. A `]` in first place is a member, not the end. */
function parseClass(characters: readonly number[], start: number): ParsedClass | undefined {
  let at = start
  const negated = characters[at] === BANG || characters[at] === CARET
  if (negated) at++
  const ranges: [number, number][] = []
  const first = at
  for (; at < characters.length; at++) {
    let from = characters[at] as number
    if (from === CLOSE && at > first) return { token: { kind: 'class', negated, ranges }, end: at }
    if (from === BACKSLASH && at + 1 < characters.length) from = characters[++at] as number
    let to = from
    if (characters[at + 1] === DASH && at + 2 < characters.length && characters[at + 2] !== CLOSE) {
      at += 2
      to = characters[at] as number
      if (to === BACKSLASH && at + 1 < characters.length) to = characters[++at] as number
    }
    ranges.push([from, to])
  }
  return undefined
}

function matches(tokens: readonly Token[], key: string): boolean {
  let at = 0
  let token = 0
  let starToken = -1
  let starAt = 0
  while (at < key.length) {
    const current = tokens[token]
    if (current?.kind === 'star') {
      starToken = token++
      starAt = at
      continue
    }
    const codePoint = key.codePointAt(at) as number // at < length
    if (current !== undefined && accepts(current, codePoint)) {
      token++
      at += widthOf(codePoint)
    } else if (starToken >= 0) {
      // The last star matches one more character, and the rest is tried from there.
      starAt += widthOf(key.codePointAt(starAt) as number)
      at = starAt
      token = starToken + 1
    } else {
      return false
    }
  }
  while (tokens[token]?.kind === 'star') token++
  return token === tokens.length
}

function accepts(token: Token, codePoint: number): boolean {
  switch (token.kind) {
    case 'any':
      return true
    case 'literal':
      return token.codePoint === codePoint
    case 'class':
      return token.ranges.some(([from, to]) => from <= codePoint && codePoint <= to) !== token.negated
    default:
      return false
  }
}

function widthOf(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1
}

const STAR = 0x2a
const QUESTION = 0x3f
const BACKSLASH = 0x5c
const OPEN = 0x5b
const CLOSE = 0x5d
const BANG = 0x21
const DASH = 0x2d
const CARET = 0x5e
