/**
 * Whether every acknowledged change is in the log once, no change is there twice, a call of several steps is there as a whole, and
 * the changes of each client are there in its order.
 */
import type { Call, Step, Written } from './history.js'

/** A change as the log has it. */
interface Trace {
  readonly position: number
  readonly sequence: number
  /** The value of the key afterwards. */
  readonly value: number
}

export function notOnce(calls: readonly Call[], log: readonly Written[], counters: ReadonlySet<string>): string[] {
  const keys = new Set(calls.flatMap(({ steps }) => steps.flatMap(keysOf)))
  const { traces, doubled } = tracesIn(log, keys, counters)
  const found = [...doubled, ...answeredTwice(log)]
  const asked = new Set(calls.flatMap(({ steps }) => steps.flatMap(numbersOf)))
  for (const number of traces.keys()) if (!asked.has(number)) found.push(`${number} is in the log, and nobody asked`)
  for (const call of calls) found.push(...judged(call, traces))
  return [...found, ...outOfOrder(calls, traces)]
}

function judged(call: Call, traces: ReadonlyMap<number, Trace>): string[] {
  const found: string[] = []
  const { client, steps, results, returnedAt, logAtReturn = Number.POSITIVE_INFINITY } = call
  const isAnswered = results !== undefined && returnedAt < Number.POSITIVE_INFINITY
  const places = new Set<number | undefined>()
  for (const [at, step] of steps.entries()) {
    const isOptional = step.do === 'load' || (step.do === 'set' && step.only !== undefined)
    for (const number of numbersOf(step)) {
      const trace = traces.get(number)
      const what = `${client}: ${step.do} ${number}`
      if (!isOptional || trace !== undefined) places.add(trace?.position)
      if (!isAnswered) continue
      const result = results[at]
      if (isOptional && result === false) {
        if (trace !== undefined) found.push(`${what} was refused, and is in the log (${trace.position})`)
      } else if (trace === undefined) found.push(`${what} was acknowledged, and is not in the log`)
      else if (trace.position > logAtReturn)
        found.push(`${what} was acknowledged when the log ended at ${logAtReturn}, and is at ${trace.position}`)
      else if (step.do === 'increment' && result !== trace.value)
        found.push(`${what} was answered ${result}, and is ${trace.value} in the log`)
    }
  }
  if (places.size > 1) found.push(`${client}: the steps of one call are apart: in records ${[...places].join(', ')}`)
  return found
}

function outOfOrder(calls: readonly Call[], traces: ReadonlyMap<number, Trace>): string[] {
  const found: string[] = []
  const last = new Map<string, { number: number; sequence: number }>()
  for (const { client, steps } of calls) {
    for (const step of steps) {
      if (step.do === 'load') continue // it reads its file first, and later calls do not wait for it
      const [number] = numbersOf(step)
      const sequence = number === undefined ? undefined : traces.get(number)?.sequence
      if (number === undefined || sequence === undefined) continue
      const before = last.get(client)
      if (before !== undefined && sequence < before.sequence)
        found.push(
          `${client}: ${number} (sequence ${sequence}) took effect before ${before.number} (${before.sequence})`,
        )
      last.set(client, { number, sequence })
    }
  }
  return found
}

/** The changes of these keys in the log, by the number that each stored or added. */
function tracesIn(log: readonly Written[], keys: ReadonlySet<string>, counters: ReadonlySet<string>) {
  const traces = new Map<number, Trace>()
  const doubled: string[] = []
  const totals = new Map<string, number>()
  for (const { position, firstSequence, events } of log) {
    for (const [at, event] of events.entries()) {
      const trace = (number: number, value: number) => {
        const earlier = traces.get(number)
        if (earlier !== undefined) doubled.push(`${number} is in the log twice: ${earlier.position} and ${position}`)
        else traces.set(number, { position, sequence: firstSequence + at, value })
      }
      if (event.type === 'cleared' || event.type === 'loaded') totals.clear()
      if (event.type === 'loaded') {
        for (const [key, { value }] of event.rows) {
          if (counters.has(key)) totals.set(key, value as number)
          if (keys.has(key)) trace(value as number, value as number)
        }
      }
      if (!('key' in event) || !keys.has(event.key)) continue
      if (event.type !== 'set') {
        if (event.type !== 'rescheduled') totals.delete(event.key)
        continue
      }
      const value = event.value as number
      const isCounter = counters.has(event.key)
      trace(isCounter ? value - (totals.get(event.key) ?? 0) : value, value)
      if (isCounter) totals.set(event.key, value)
    }
  }
  return { traces, doubled }
}

function answeredTwice(log: readonly Written[]): string[] {
  const found: string[] = []
  const answered = new Map<string, number>()
  for (const { position, notes } of log) {
    for (const note of notes) {
      if (note.type !== 'answered') continue
      const command = `command ${note.number} of ${note.client}`
      const earlier = answered.get(command)
      if (earlier !== undefined) found.push(`${command} took effect twice: in records ${earlier} and ${position}`)
      answered.set(command, position)
    }
  }
  return found
}

/** The numbers that a step stores or adds. */
function numbersOf(step: Step): number[] {
  if (step.do === 'set') return [step.value]
  if (step.do === 'load') return Object.values(step.rows)
  return step.do === 'increment' ? [step.by] : []
}

function keysOf(step: Step): string[] {
  if (step.do === 'load') return Object.keys(step.rows)
  return 'key' in step ? [step.key] : []
}
