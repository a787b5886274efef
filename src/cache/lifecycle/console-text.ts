/** What `console.log` prints for a cache, a client or a report: the facts that a reader wants, in a few lines. */
import type { State } from '../../core/evolve/state.js'

/** Node's name for the method that `util.inspect` calls. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** As Node passes it to that method. */
export type Inspect = (value: unknown, options: object) => string

const WIDTH = 80

/** What a reader wants to know of a cache's state. */
export function factsOf({ size, maxSize, maxBytes, eviction, counters }: State): object {
  const { hits, misses, evictions, expirations } = counters
  const policy = eviction === 'lru' ? undefined : eviction
  return { size, maxSize, maxBytes, eviction: policy, hits, misses, evictions, expirations }
}

/** `depth`: how deep the object may still be shown. Facts that are `undefined` are left out. */
export function consoleText(name: string, facts: object, depth: number, options: object, inspect: Inspect): string {
  if (depth < 0) return `[${name}]`
  const lines: string[] = []
  for (const [fact, value] of Object.entries(facts)) {
    if (value === undefined) continue
    const text = `${fact}: ${inspect(value, { ...options, compact: true, breakLength: Number.POSITIVE_INFINITY })},`
    const last = lines.at(-1)
    if (last === undefined || last.length + text.length >= WIDTH) lines.push(text)
    else lines[lines.length - 1] = `${last} ${text}`
  }
  return `${name} {\n  ${lines.join('\n  ').replace(/,$/, '')}\n}`
}
