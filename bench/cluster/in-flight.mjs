/** So many callers, each of which awaits its own answer before it calls again. */
export async function inFlight(calls, callers, call) {
  const tookMs = []
  let next = 0
  const beganMs = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      while (next < calls) {
        const number = next++
        const fromMs = performance.now()
        await call(number, caller)
        tookMs.push(performance.now() - fromMs)
      }
    }),
  )
  const perSecond = (calls / (performance.now() - beganMs)) * 1_000
  return { perSecond, p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) }
}

export function percentile(list, share) {
  const sorted = [...list].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
