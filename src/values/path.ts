/** The way from a value to one of its parts, for errors. */
import { describe } from '../errors.js'

/** One level: a name or an index; or a key of a Map (an item of a Set), or the value under it. */
export type Step = string | number | { readonly to: 'key' | 'value'; readonly key: unknown }

/** Short enough for a message. */
export function pathOf(steps: readonly Step[]): string {
  const path = steps.map(show).join('')
  return path.length > 200 ? `${path.slice(0, 100)}…${path.slice(-100)}` : path
}

function show(step: Step): string {
  if (typeof step === 'number') return `[${step}]`
  if (typeof step === 'string') return `[${describe(step)}]`
  return step.to === 'key' ? ` (the key ${describe(step.key)})` : `.get(${describe(step.key)})`
}
