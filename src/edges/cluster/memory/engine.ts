/** The engine of a cluster whose nodes are in one process, for tests. */
import { checkClock, checkOptions } from '../../../cache/arguments/arguments.js'
import { systemClock } from '../../../cache/system-clock.js'
import type { Clock } from '../../../core/model/clock.js'
import { mustBe } from '../../../errors.js'
import type { Log } from '../log.js'
import { MemoryControl } from './memory-control.js'
import { MemoryLog } from './memory-log.js'

export interface MemoryLogOptions {
  /**
   * With a seed, messages take time, and some are lost, late or doubled, by the clock and by random numbers from the seed: the same
   * seed gives the same history. Without it there are no faults, and messages arrive on the next turn of the event loop.
   */
  seed?: number | undefined
  /** The time that the nodes and the faults go by; the default is the system's. */
  clock?: Clock | undefined
}

export interface MemoryLogEngine {
  (name: string, node: string): Log
  readonly clock: Clock
  /** @internal Crashes, pauses and partitions, for the tests of the cluster itself. */
  readonly control: MemoryControl
}

/** A log in memory, for tests: nodes in this process that are given the same value form a cluster. */
export function memoryLog(options: MemoryLogOptions = {}): MemoryLogEngine {
  const { seed, clock = systemClock } = checkOptions(options, ['seed', 'clock'])
  checkClock(clock)
  if (seed !== undefined && !Number.isInteger(seed)) throw new TypeError(mustBe('seed', 'an integer', seed))
  const control = new MemoryControl(clock, seed)
  return Object.assign((name: string, node: string) => new MemoryLog(control, name, node), { clock, control })
}
