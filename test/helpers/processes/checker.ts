/**
 * Judges what processes did to a shared cache by what they wrote to their logs, and by the entries at the end. It knows nothing of
 * the cache.
 *
 * A log has a line for each attempt, before the call (`? increment KEY`, `? set KEY NUMBER`), and one for its outcome, after it
 * (`! increment KEY RESULT`, `! set KEY NUMBER`, `x MESSAGE`). Only one process ever sets a key, one value after the other,
 * each larger than the last.
 */
export interface Log {
  readonly text: string
  /** Whether the process was killed: its last attempts then have no outcome. */
  readonly wasKilled: boolean
}

export function violations(logs: readonly Log[], entries: ReadonlyMap<string, unknown>): string[] {
  const found: string[] = []
  const attempted = new Map<string, number>()
  const results = new Map<string, number[]>()
  const written = new Map<string, { tried: number; acknowledged: number; wasKilled: boolean }>()
  for (const { text, wasKilled } of logs) {
    const pending = new Map<string, number>()
    for (const line of text.split('\n')) {
      const [sign, what, key = '', number] = line.split(' ')
      if (sign === 'x') found.push(`a call failed: ${line.slice(2)}`)
      if (what === 'increment') {
        if (sign === '?') add(pending, key, 1)
        else {
          add(pending, key, -1)
          results.set(key, [...(results.get(key) ?? []), Number(number)])
        }
      } else if (what === 'set') {
        const of = written.get(key) ?? { tried: 0, acknowledged: 0, wasKilled }
        if (sign === '?') of.tried = Number(number)
        else of.acknowledged = Number(number)
        written.set(key, of)
      }
    }
    for (const [key, count] of pending) {
      add(attempted, key, count)
      if (count > 0 && !wasKilled)
        found.push(`${count} increments of ${key} have no outcome, although their process ended well`)
    }
  }
  for (const [key, all] of results) {
    const final = Number(entries.get(key) ?? 0)
    const unique = new Set(all).size
    const unanswered = attempted.get(key) ?? 0
    if (unique !== all.length) found.push(`${key}: ${all.length - unique} results were given twice`)
    if (Math.max(...all) > final) found.push(`${key} is ${final}, although ${Math.max(...all)} was acknowledged: lost`)
    if (final < all.length) found.push(`${key} is ${final} after ${all.length} acknowledged increments: lost`)
    if (final > all.length + unanswered)
      found.push(`${key} is ${final} after ${all.length} acknowledged and ${unanswered} unanswered increments: doubled`)
  }
  for (const [key, { tried, acknowledged, wasKilled }] of written) {
    const final = Number(entries.get(key) ?? 0)
    const isRight = final === acknowledged || (wasKilled && final === tried)
    if (!isRight) found.push(`${key} is ${final}, although ${acknowledged} was acknowledged and ${tried} asked last`)
  }
  return found
}

function add(to: Map<string, number>, key: string, by: number): void {
  to.set(key, (to.get(key) ?? 0) + by)
}
