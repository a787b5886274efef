/** Processor time of this thread, in milliseconds: what it does, however busy the machine is. Where the system does not say: the time. */
import { existsSync, readFileSync } from 'node:fs'

const SCHEDULED = '/proc/thread-self/schedstat'

/** On some kernels the figure grows only at ticks, which are up to 4 ms apart: what is shorter may be 0. */
export const CPU_TICK_MS = 4

export const cpuMs = existsSync(SCHEDULED)
  ? () => Number(readFileSync(SCHEDULED, 'latin1').split(' ', 1)[0]) / 1e6
  : () => performance.now()
