/**
 * Whether there is an order of all calls in which each takes effect between its invocation and its answer, in which each comes after
 * the earlier changes of its client, and which explains every result (Wing and Gong's search, with Lowe's memory of what was tried).
 * A call without an answer takes effect anywhere after its invocation, or never.
 *
 * Keys are judged one by one. So it does not see whether the steps of one call are a whole: `once.ts` does.
 */
import type { Call, Step } from './history.js'

/** What a call does with one key. */
interface Operation {
  readonly steps: readonly Step[]
  readonly results: readonly unknown[] | undefined
  readonly invokedAt: number
  readonly returnedAt: number
  readonly client: string
  /** Whether its place among the calls of its client says nothing: a read, which is asked again, and a file that is loaded. */
  readonly isUnordered: boolean
}

/** What is under a key. */
interface Entry {
  readonly value: number
  readonly tags: readonly string[]
}

/** No search of a history that a cluster produced comes near it. */
const PLACES_MAX = 300_000

/** `volatile`: the keys that something else than a call has changed. */
export function notLinearizable(calls: readonly Call[], volatile: ReadonlySet<string> = new Set()): string[] {
  const keys = new Set(calls.flatMap(({ steps }) => steps.flatMap((step) => ('key' in step ? [step.key] : []))))
  return [...keys].flatMap((key) => {
    if (volatile.has(key)) return []
    const operations = operationsOn(key, calls)
    if (isLinearizable(operations, key)) return []
    return [`no order of these calls explains the results on ${key}:\n${operations.map(shown).join('\n')}`]
  })
}

function operationsOn(key: string, calls: readonly Call[]): Operation[] {
  const operations: Operation[] = []
  for (const { steps, results, invokedAt, returnedAt, client } of calls) {
    const on = [...steps.keys()].filter((at) => isOn(steps[at] as Step, key))
    if (on.length === 0) continue
    const isAnswered = results !== undefined && returnedAt < Number.POSITIVE_INFINITY
    const isRead = on.every((at) => steps[at]?.do === 'get')
    if (isRead && !isAnswered) continue
    const isUnordered = isRead || steps[0]?.do === 'load'
    operations.push({
      steps: on.map((at) => steps[at] as Step),
      results: isAnswered ? on.map((at) => results[at]) : undefined,
      invokedAt,
      returnedAt: isAnswered ? returnedAt : Number.POSITIVE_INFINITY,
      client,
      isUnordered,
    })
  }
  return operations.sort((one, other) => one.invokedAt - other.invokedAt)
}

function isOn(step: Step, key: string): boolean {
  return !('key' in step) || step.key === key
}

function isLinearizable(operations: readonly Operation[], key: string): boolean {
  const bits = operations.map((_, at) => 1n << BigInt(at))
  let definite = 0n
  const before: { definite: bigint; doubtful: bigint }[] = operations.map(() => ({ definite: 0n, doubtful: 0n }))
  for (const [at, { client, results, isUnordered }] of operations.entries()) {
    const bit = bits[at] as bigint
    if (results !== undefined) definite |= bit
    if (isUnordered) continue // a read that is asked again of another leader may see what its client has changed since
    for (let later = at + 1; later < operations.length; later++)
      if (operations[later]?.client === client && operations[later]?.steps[0]?.do !== 'load')
        (before[later] as { definite: bigint; doubtful: bigint })[results === undefined ? 'doubtful' : 'definite'] |=
          bit
  }
  const tried = new Set<string>()

  function search(done: bigint, entry: Entry | undefined): boolean {
    if ((done & definite) === definite) return true
    const place = `${done} ${entry?.value} ${entry?.tags}`
    if (tried.has(place)) return false
    tried.add(place)
    if (tried.size > PLACES_MAX) throw new Error('The search for an order of the calls has no end')
    let untilAt = Number.POSITIVE_INFINITY
    for (const [at, { returnedAt }] of operations.entries())
      if ((done & (bits[at] as bigint)) === 0n) untilAt = Math.min(untilAt, returnedAt)
    for (const isDefinite of [true, false]) {
      for (const [at, operation] of operations.entries()) {
        if (operation.invokedAt > untilAt) break
        const { definite: first, doubtful } = before[at] as { definite: bigint; doubtful: bigint }
        if ((done & (bits[at] as bigint)) !== 0n || (operation.results !== undefined) !== isDefinite) continue
        if ((done & first) !== first) continue // an earlier call of its client has to come before
        const after = applied(entry, key, operation)
        // An earlier call of its client that has not taken effect by now never does.
        if (after !== undefined && search(done | (bits[at] as bigint) | doubtful, after.entry)) return true
      }
    }
    return false
  }
  return search(0n, undefined)
}

/** What is under the key afterwards; undefined if the results contradict it. */
function applied(
  before: Entry | undefined,
  key: string,
  { steps, results }: Operation,
): { entry: Entry | undefined } | undefined {
  let entry = before
  for (const [at, step] of steps.entries()) {
    let result: unknown
    switch (step.do) {
      case 'get':
        result = entry?.value
        break
      case 'set':
        result = step.only === undefined || (step.only === 'present') === (entry !== undefined)
        if (result === true) entry = { value: step.value, tags: step.tags ?? [] }
        break
      case 'delete':
        result = entry !== undefined
        entry = undefined
        break
      case 'increment':
        entry = { value: (entry?.value ?? 0) + step.by, tags: entry?.tags ?? [] }
        result = entry.value
        break
      case 'deleteTag':
      case 'expireTag': // entries that could become stale have deadlines, which makes their keys volatile
        if (entry?.tags.includes(step.tag) === true) entry = undefined
        continue // how many entries there were is nothing of this key's
      case 'load': {
        if (results?.[at] === false) continue
        const value = step.rows[key]
        entry = value === undefined ? undefined : { value, tags: [] }
        continue
      }
      case 'clear':
        entry = undefined
        continue
    }
    if (results !== undefined && results[at] !== result) return undefined
  }
  return { entry }
}

function shown({ client, steps, results, invokedAt, returnedAt }: Operation): string {
  const asked = steps.map((step) => JSON.stringify(step)).join(', ')
  return `  ${invokedAt}–${returnedAt} ${client}: ${asked}${results === undefined ? '' : ` → ${results.join(', ')}`}`
}
