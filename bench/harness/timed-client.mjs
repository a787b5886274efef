/**
 * A client that makes calls in each turn of the event loop, and times each of them. Between the turns it measures how long it waits for its
 * next one: that wait is a stall, and the longest one counts, in time and in the processor time of this thread, which other programs on a busy
 * machine do not lengthen.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { CPU_TICK_MS, cpuMs } from './cpu-time.mjs'
import { quantile } from './measure.mjs'
import { keyOf, randomFrom, valuesOf } from './workload.mjs'

const KIND = '40-byte text'
const CALLS_PER_TURN = 100
const SAMPLES_MOST = 4_000_000

export const turn = () => new Promise((resolve) => setImmediate(resolve))
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export class TimedClient {
  #keys
  #values = valuesOf(KIND, 10_000)
  #cache
  #random = randomFrom(1)
  #micros = new Float64Array(SAMPLES_MOST)

  /** It calls the first entries, as many as `hot`. */
  constructor(cache, hot) {
    this.#cache = cache
    this.#keys = Array.from({ length: hot }, (_, index) => keyOf(index))
  }

  callFor(ms) {
    return this.callUntil(pause(ms))
  }

  async callUntil(end) {
    let isOver = false
    end.finally(() => {
      isOver = true
    })
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    let count = 0
    let longestMs = 0
    let longestCpuMs = CPU_TICK_MS
    const startMs = performance.now()
    let leftMs = startMs
    let leftCpuMs = cpuMs()
    do {
      longestMs = Math.max(longestMs, performance.now() - leftMs)
      longestCpuMs = Math.max(longestCpuMs, cpuMs() - leftCpuMs)
      for (let call = 0; call < CALLS_PER_TURN; call++) this.#micros[count++] = this.#call()
      leftCpuMs = cpuMs()
      leftMs = performance.now()
      await turn()
    } while (!isOver && count < SAMPLES_MOST)
    const tookMs = performance.now() - startMs
    delay.disable()
    await end
    const micros = this.#micros.subarray(0, count)
    const p = (share) => quantile(micros, share)
    return {
      p50: p(0.5),
      p99: p(0.99),
      p999: p(0.999),
      longestMs,
      longestCpuMs,
      delayMs: delay.max / 1e6,
      delayP99Ms: delay.percentile(99) / 1e6,
      tookMs,
    }
  }

  /** Times one set or one get, in microseconds. */
  #call() {
    const pick = this.#random()
    const key = this.#keys[Math.floor(pick * this.#keys.length)]
    const value = this.#values[Math.floor(pick * this.#values.length)]
    const startMs = performance.now()
    if ((pick * 1e6) % 2 < 1) this.#cache.set(key, value)
    else this.#cache.get(key)
    return (performance.now() - startMs) * 1e3
  }
}
