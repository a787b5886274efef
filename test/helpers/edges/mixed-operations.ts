/** The operations that the workers of serial-order.test.ts make concurrently, and how they are made on a second cache. */

export interface Call {
  method: string
  parameters: unknown[]
}
export interface Logged extends Call {
  outcome: unknown
}
export type Methods = Record<string, (...parameters: unknown[]) => unknown>

/** Runs in the worker. Values are of 40 keys; texts are long, and of one letter, so that a torn one would show. */
export async function mixedOperations(
  client: unknown,
  { seed, operations, directory }: { seed: number; operations: number; directory?: string },
) {
  let state = seed
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
  const key = () => `${random(3) === 0 ? 'n' : 'k'}${random(20)}`
  const some = () => Array.from({ length: 1 + random(4) }, key)
  const value = () => [random(1_000), 'abc'[random(3)]?.repeat(500), { n: random(9), of: [random(9)] }, null][random(4)]
  const methods: [string, () => unknown[]][] = [
    ['get', () => [key()]],
    ['peek', () => [key()]],
    ['has', () => [key()]],
    ['set', () => [key(), value()]],
    ['set', () => [key(), value(), { ttl: random(5) + 1 }]],
    ['set', () => [key(), value(), { only: random(2) ? 'absent' : 'present' }]],
    ['delete', () => [key()]],
    ['increment', () => [key(), random(10)]],
    ['decrement', () => [key(), random(10), { ttl: 3 }]],
    ['ttl', () => [key()]],
    ['expire', () => [key(), random(4)]],
    ['persist', () => [key()]],
    ['getMany', () => [some()]],
    ['setMany', () => [some().map((each) => [each, value()]), { ttl: 9 }]],
    ['deleteMany', () => [some()]],
    ['keys', () => [`?${random(2)}*`]],
    ['deletePattern', () => [`k${random(20)}`]],
    ['entries', () => ['n*']],
    ['stats', () => []],
    ['cleanup', () => []],
    ['clear', () => []],
    ['transact', () => []],
  ]
  // Calls that the inspector does not see completely, or that take longer than a turn. Only with `directory`.
  if (directory !== undefined)
    methods.push(
      ['exists', () => [key()]],
      ['size', () => []],
      ['recovery', () => []],
      ['getOrSet', () => [key(), () => 'loaded']],
      ['getOrSet', () => [key(), () => 'loaded', { ttl: 4 }]],
      ['flush', () => []],
      ['compact', () => []],
      ['save', () => [`${directory}/${seed}.pickle`]],
    )
  const log: { method: string; parameters: unknown[]; outcome: unknown }[] = []
  const caller = client as Record<string, (...parameters: unknown[]) => unknown>
  const settled = async (method: string, parameters: unknown[]) => {
    try {
      const member = caller[method] as unknown
      const answer = (await (typeof member === 'function' ? caller[method]?.(...parameters) : member)) as Record<
        string,
        unknown
      >
      if (method === 'entries') return [...(answer as unknown as Iterable<unknown>)]
      if (method === 'stats') delete answer['journal']
      return answer
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`
    }
  }
  if (directory !== undefined) await caller['has']?.(`worker ${seed}`) // so that the owner knows whose port it is
  for (let done = 0; done < operations; ) {
    // Some calls are awaited one by one, some travel together.
    const together = Array.from({ length: 1 + random(5) }, () => {
      let [method, make] = methods[random(methods.length)] as [string, () => unknown[]]
      if (method === 'clear' && random(10) > 0) [method, make] = methods[0] as [string, () => unknown[]]
      if (method !== 'transact') return { method, parameters: make() }
      const source = key()
      const steps = [
        { type: 'set', key: source, value: random(50) },
        { type: 'increment', key: source, by: random(5) },
        ...(random(3) === 0 ? [{ type: 'increment', key: source, by: Number.MAX_SAFE_INTEGER }] : []), // refused: undone whole
        { type: 'getMany', keys: some() },
      ]
      return { method, parameters: [steps] }
    })
    const outcomes = await Promise.all(together.map(({ method, parameters }) => settled(method, parameters)))
    for (const [index, { method, parameters }] of together.entries()) {
      // A loader cannot be handed back, nor is it needed there.
      log.push({
        method,
        parameters: parameters.filter((each) => typeof each !== 'function'),
        outcome: outcomes[index],
      })
    }
    done += together.length
  }
  return log
}

/** Makes a call of the model. */
export function make(model: Methods, method: string, parameters: unknown[]): unknown {
  try {
    if (method === 'transact') {
      const steps = parameters[0] as Record<string, unknown>[]
      return model['transact']?.(() =>
        steps.map(({ type, key, value, by, keys }) => model[type as string]?.(key ?? keys, value ?? by)),
      )
    }
    const member = model[method] as unknown
    const answer = typeof member === 'function' ? member.apply(model, parameters) : member
    if (method === 'entries') return [...(answer as Iterable<unknown>)]
    if (method === 'stats') delete (answer as Record<string, unknown>)['journal']
    return answer
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

export function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a ?? null) === JSON.stringify(b ?? null)
}
