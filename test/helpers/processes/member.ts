/**
 * A process that changes a shared cache at random, and writes what it asks and what it is answered to its log.
 *
 *   node member.js DIRECTORY LOG NAME [MUTANT]      commands on stdin: stop, close, compact, and a moment in which to die
 */
import { openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { KeptAnswers } from '../../../src/edges/remote/owner/kept-answers.js'
import { WriteGate } from '../../../src/edges/remote/owner/write-gate.js'
import { openWithin } from '../../../src/open.js'
import { openSharedWithin } from '../../../src/processes.js'
import { DeadlyStorage, type Moment } from './deadly-storage.js'

const [, , directory = '', logPath = '', name = '', mutant] = process.argv
if (mutant === 'no answers') KeptAnswers.prototype.answer = (_, run) => run()
if (mutant === 'reply before the write') WriteGate.prototype.pass = (callback) => callback(undefined)

const log = openSync(logPath, 'a')
const note = (line: string) => writeSync(log, `${line}\n`)
/** A write that has changes of a client: of its own changes nobody asks what became of them. */
const deadly = new DeadlyStorage((written) => (written.match(/n:m\d+/g) ?? []).some((key) => key !== `n:${name}`))
const cache = await openSharedWithin<number>(
  { directory, fsync: 'never', reconnectTimeout: 60, owner: 'prefer', maxSize: 100_000 },
  (options) => openWithin(options, { storage: deadly.storage }),
)
cache.role$.subscribe(({ role }) => process.stdout.write(`${role}\n`))

let last: number | undefined
cache.changes$.subscribe({
  next({ sequence }) {
    if (last !== undefined && sequence !== last + 1) note(`x changes$ has ${sequence} after ${last}`)
    last = sequence
  },
  error: ({ message }: Error) => note(`x changes$ failed: ${message}`),
})

let isStopped = false
async function loop(register: string): Promise<void> {
  for (let value = 1; !isStopped; value++) {
    if (mutant !== undefined) await new Promise((resolve) => setImmediate(resolve)) // its own calls leave it no turn
    try {
      const key = value % 3 === 0 ? 'shared' : `n:${name}`
      note(`? increment ${key}`)
      const increment = cache.increment(key)
      const isSetting = value % 4 === 0
      if (isSetting) note(`? set ${register} ${value}`)
      const set = isSetting ? cache.set(register, value) : undefined
      note(`! increment ${key} ${await increment}`)
      if ((await set) !== undefined) note(`! set ${register} ${value}`)
    } catch (error) {
      note(`x ${(error as Error).message}`)
    }
  }
}
const loops = Promise.all(Array.from({ length: 6 }, (_, at) => loop(`r:${name}:${at}`)))

createInterface({ input: process.stdin }).on('line', async (command) => {
  if (command === 'compact') await cache.compact().catch(() => undefined)
  else if (command === 'stop') {
    isStopped = true
    await loops
    await cache.close()
    process.exit(0)
  } else deadly.moment = command as Moment
})
