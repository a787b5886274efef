/** A script of a seed. */
import { Random } from '../random.js'
import type { Step } from './checkers/history.js'
import type { Action, Place, Script } from './script.js'

export const REGISTERS = ['r0', 'r1', 'r2']
export const COUNTERS = ['c0', 'c1']
/** Their entries have deadlines. */
export const MORTALS = ['t0', 't1', 't2']
const CALM = { lost: 0, doubled: 0, stuck: 0, refused: 0 }
const LOADED = ['l0', 'l1']
export const KEYS = [...REGISTERS, ...COUNTERS, ...MORTALS, ...LOADED]
const TAGS = ['a', 'b']

export function randomScript(seed: number): Script {
  const random = new Random(seed * 2654435761 + 1)
  for (let count = 0; count < 8; count++) random.below(2) // the first numbers of neighbouring seeds are alike
  const one = <T>(choices: readonly T[]): T => choices[random.below(choices.length)] as T
  const oneIn = (count: number) => random.below(count) === 0
  const nodes = 2 + random.below(3)
  /** Half of the histories have few faults, so that much happens between them. */
  const faultIn = one([4, 6, 10, 20])
  const isPipelining = oneIn(2)
  let number = 0

  const at = (): Place => (oneIn(3) ? 'leader' : random.below(nodes))

  const tagged = () => oneIn(3) && { tags: oneIn(3) ? TAGS : [one(TAGS)] }

  function step(): Step {
    number++
    switch (random.below(13)) {
      case 0:
      case 1:
        return { do: 'set', key: one(REGISTERS), value: number, ...tagged() }
      case 2:
        return { do: 'set', key: one(REGISTERS), value: number, only: one(['absent', 'present']) }
      case 3:
        return { do: 'delete', key: one([...REGISTERS, ...COUNTERS]) }
      case 4:
        return {
          do: 'set',
          key: one(MORTALS),
          value: number,
          ttlMs: one([100, 1_000, 5_000, 60_000]),
          ...(oneIn(2) && { staleMs: one([500, 10_000]) }),
          ...tagged(),
        }
      case 5:
      case 6:
      case 7:
      case 8:
        return { do: 'increment', key: one(COUNTERS), by: number }
      case 9:
        if (oneIn(2)) return { do: one(['deleteTag', 'expireTag'] as const), tag: one(TAGS) }
        return { do: 'set', key: one(REGISTERS), value: number, tags: [one(TAGS)] }
      default:
        return { do: 'get', key: one([...REGISTERS, ...COUNTERS]) }
    }
  }

  function call(): Action {
    const place = at()
    if (oneIn(40)) return { afterMs: 0, do: 'call', at: place, steps: [{ do: 'clear' }] }
    if (oneIn(40)) return { afterMs: 0, do: 'call', at: place, steps: [load()] }
    if (oneIn(30)) return { afterMs: 0, do: 'changesSince', at: place, back: one([0, 0, 3, 20, 1_000]) }
    if (oneIn(15))
      return {
        afterMs: 0,
        do: 'getOrSet',
        at: place,
        key: one(LOADED),
        loadMs: one([0, 10, 300, 2_000]),
        ttlMs: one([0, 100, 1_000]),
        staleMs: one([0, 500, 10_000]),
        tags: oneIn(2) ? [one(TAGS)] : [],
      }
    if (oneIn(6)) return { afterMs: 0, do: 'call', at: place, steps: steps(2 + random.below(3)) }
    if (!oneIn(7)) return { afterMs: 0, do: 'call', at: place, steps: [step()] }
    switch (random.below(6)) {
      case 0:
        return {
          afterMs: 0,
          do: 'other',
          at: place,
          method: one(['expire', 'touch'] as const),
          key: one(MORTALS),
          ttlMs: one([50, 3_000]),
        }
      case 1:
        return { afterMs: 0, do: 'other', at: place, method: one(['persist', 'take'] as const), key: one(MORTALS) }
      case 2:
        return { afterMs: 0, do: 'other', at: place, method: 'use', key: one([...REGISTERS, ...MORTALS]) }
      case 3:
        return { afterMs: 0, do: 'other', at: place, method: 'resize', maxSize: one([4, 6, 100]) }
      default:
        return { afterMs: 0, do: 'other', at: place, method: 'compact' }
    }
  }

  /** A file with up to three rows: there is room for them in any cache. */
  function load(): Step {
    const rows: Record<string, number> = {}
    for (let count = random.below(4); count > 0; count--) rows[one([...REGISTERS, ...COUNTERS])] = ++number
    return { do: 'load', rows }
  }

  /** The steps of one call change each key at most once. */
  function steps(count: number): Step[] {
    const chosen: Step[] = []
    while (chosen.length < count) {
      const next = step()
      if (!chosen.some((other) => 'key' in other && 'key' in next && other.key === next.key)) chosen.push(next)
    }
    return chosen
  }

  function fault(): Action {
    const place = at()
    const forMs = one([30, 300, 1_000, 2_500, 4_000])
    switch (random.below(14)) {
      case 0:
        return { afterMs: 0, do: 'cut', at: place, forMs }
      case 1:
        return { afterMs: 0, do: 'isolate', at: place, forMs }
      case 2:
      case 3:
        return { afterMs: 0, do: 'stop', at: place, forMs }
      case 4:
      case 5:
        return { afterMs: 0, do: 'crash', at: place, forMs }
      case 6:
        return { afterMs: 0, do: 'leave', at: place, forMs }
      case 7:
        return { afterMs: 0, do: 'skew', at: place, ms: random.below(20_001) - 10_000 }
      case 8:
      case 9: {
        const what = one(['request', 'trim', 'point', 'write', 'latest', 'read', 'open'])
        const fault = one(['lost', 'unanswered', 'late', 'doubled'] as const)
        return { afterMs: 0, do: 'fault', at: random.below(nodes), what, fault, count: 1 + random.below(3) }
      }
      default: {
        const fault = one(['lost', 'unanswered', 'unanswered', 'late', 'doubled', 'refused'] as const)
        const writer = oneIn(4) ? place : 'leader'
        return { afterMs: 0, do: 'fault', at: writer, what: 'append', fault, count: 1 + random.below(3) }
      }
    }
  }

  /** A node does not get the answer to a call, another one comes anew, by a snapshot, and may lead next: what chance hardly ever does. */
  function renewal(): Action[] {
    const client = random.below(nodes)
    const renewed = (client + 1 + random.below(nodes - 1)) % nodes
    return [
      { ...call(), at: client },
      { afterMs: 2 + random.below(8), do: 'isolate', at: client, forMs: 2_500 },
      { afterMs: 50, do: 'other', at: 'leader', method: 'compact' },
      { afterMs: 300, do: 'crash', at: renewed, forMs: 30 },
      { afterMs: 500, do: 'crash', at: 'leader', forMs: 4_000 },
    ]
  }

  const length = 30 + random.below(50)
  const actions: Action[] = []
  while (actions.length < length) {
    const afterMs = isPipelining && !oneIn(4) ? 0 : one([0, 1, 10, 50, 200, 400])
    if (oneIn(faultIn)) actions.push({ ...fault(), afterMs })
    else if (oneIn(10)) actions.push({ afterMs, do: 'sample', at: random.below(nodes) })
    else if (oneIn(150)) actions.push(...renewal())
    else actions.push({ ...call(), afterMs })
  }
  const rates = oneIn(3) ? {} : CALM
  return {
    seed,
    nodes,
    maxSize: one([1_000, 1_000, 1_000, 6]),
    snapshotBytes: one([2_000, 8_000, 1e9]),
    rates,
    ...(oneIn(6) && { bodyBytesMax: 250 }), // most frames are objects then
    actions,
  }
}
