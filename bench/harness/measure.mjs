/**
 * Interleaved rounds: every contender runs once per round, so that a machine that slows down affects all of them; each round
 * begins with a different one, so that none is always second. The result is the median, and the median of the ratios within
 * the rounds.
 */
import { isSmoke } from './smoke.mjs'

const WARM_UPS = 2
/** V8 compiles on a thread of its own, which a busy machine does not run at once. */
const COMPILES_MS = isSmoke() ? 0 : 30

/** The end of an event-loop turn, in which daybook writes its journal, is part of the measured time. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

/**
 * @param {{ name: string, calls: number, run: (round: number) => unknown,
 *   prepare?: (round: number) => unknown }[]} contenders `run` makes that many calls; `prepare` is not measured.
 * @returns {Promise<Map<string, number[]>>} Nanoseconds per call, one figure a round.
 */
export async function measure(contenders, rounds) {
  const figures = new Map(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds + WARM_UPS; round++) {
    for (let place = 0; place < contenders.length; place++) {
      const { name, calls, run, prepare } = contenders[(round + place) % contenders.length]
      await prepare?.(round)
      // The garbage of one contender must not slow the next one; what a round creates and collects itself counts. A full
      // collection here would slow what comes after it: lru-cache's `set` by a factor of two in every third round.
      globalThis.gc?.({ type: 'minor' })
      await turn()
      const startMs = performance.now()
      const running = run(round)
      if (running instanceof Promise) await running
      await turn()
      const ns = ((performance.now() - startMs) * 1e6) / calls
      if (round >= WARM_UPS) figures.get(name).push(ns)
      else await new Promise((resolve) => setTimeout(resolve, COMPILES_MS))
    }
  }
  return figures
}

export const warmUps = WARM_UPS

export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort()
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)]
  return below + (sorted[Math.ceil(place)] - below) * (place - Math.floor(place))
}

export const median = (values) => quantile(values, 0.5)

/** The median over the rounds of peer ÷ daybook: above 1 daybook is faster. */
export function timesBetter(ours, peers) {
  return median(ours.map((figure, round) => peers[round % peers.length] / figure))
}

/**
 * Turns figures into rows of the table.
 * @param {{ topic: string, case: string, unit: string }} about
 * @param {Map<string, number[]>} figures One list per system; smaller is better.
 */
export function rowsOf(about, figures, ours = 'daybook') {
  const own = figures.get(ours)
  return [...figures].map(([system, values]) => ({
    ...about,
    system,
    value: median(values),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    ratio: system === ours || own === undefined ? undefined : timesBetter(own, values),
  }))
}
