/**
 * Interleaved rounds: every contender runs once per round, in turn, so that a machine that slows down slows all of them
 * down. What counts is the median, and the ratio to a named peer in the same rounds.
 */

/** The end of an event-loop turn, in which daybook writes its journal: part of the price. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

/**
 * @param {Record<string, (round: number) => void | Promise<void>>} contenders Each does `calls` calls.
 * @returns {Promise<Record<string, number[]>>} Nanoseconds per call, one figure a round, without the first two.
 */
export async function measure(contenders, calls, rounds) {
  const figures = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 0; round < rounds + 2; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const start = process.hrtime.bigint()
      await run(round)
      await turn()
      const ns = Number(process.hrtime.bigint() - start) / calls
      if (round >= 2) figures[name].push(ns)
    }
  }
  return figures
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The median over the rounds of peer ÷ ours: above 1 we are faster. */
export function ratio(ours, peer) {
  return median(ours.map((ns, round) => peer[round] / ns))
}
