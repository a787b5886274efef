/** Processor time of this thread, in milliseconds: what it does, however busy the machine is. Where the system does not say: the time. */
import { existsSync, readFileSync } from 'node:fs'

const SCHEDULED = '/proc/thread-self/schedstat'

export const cpuMs = existsSync(SCHEDULED)
  ? () => Number(readFileSync(SCHEDULED, 'latin1').split(' ', 1)[0]) / 1e6
  : () => performance.now()
