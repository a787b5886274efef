/** What selects keys: a pattern, or a prefix. Before: `cache.ts`, `door/`. After: `turns/reads.ts`. */
import { compileGlob, type KeyMatcher } from '../../core/decide/glob.js'
import { mustBe } from '../../errors.js'
import { checkNames, checkPattern } from './arguments.js'

/** A pattern, or literal text with which keys begin: `{ prefix: 'user:' }`. The prefix `''` selects every key. */
export type KeyPattern = string | { readonly prefix: string }

export function checkPrefix(prefix: unknown): asserts prefix is string {
  if (typeof prefix !== 'string') throw new TypeError(mustBe('A prefix', 'a string', prefix))
}

/** Returns the pattern, with its prefix read once. */
export function checkKeyPattern(pattern: unknown): KeyPattern {
  if (typeof pattern === 'object' && pattern !== null) {
    checkNames(pattern, ['prefix'], 'option')
    const { prefix } = pattern as { prefix?: unknown }
    checkPrefix(prefix)
    return { prefix }
  }
  checkPattern(pattern)
  return pattern
}

/** @throws TypeError for what is not a pattern. */
export function keyMatcher(pattern: unknown): KeyMatcher {
  const checked = checkKeyPattern(pattern)
  return typeof checked === 'string' ? compileGlob(checked) : prefixMatcher(checked.prefix)
}

export function prefixMatcher(prefix: string): KeyMatcher {
  return (key) => key.startsWith(prefix)
}
