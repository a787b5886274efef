/**
 * A process that owns a shared cache, and dies at the next write to the journal once it is told in which moment.
 *
 *   node mortal-owner.js DIRECTORY      prints a line when it owns the cache, and one for each line on stdin
 */
import { createInterface } from 'node:readline'
import { openWithin } from '../../../src/open.js'
import { openSharedWithin } from '../../../src/processes.js'
import { DeadlyStorage, type Moment } from './deadly-storage.js'

const [, , directory = ''] = process.argv
const deadly = new DeadlyStorage(() => true)
await openSharedWithin({ directory, fsync: 'never', history: '1h', owner: 'prefer' }, (options) =>
  openWithin(options, { storage: deadly.storage }),
)
process.stdout.write('owner\n')
createInterface({ input: process.stdin }).on('line', (moment) => {
  deadly.moment = moment as Moment
  process.stdout.write('told\n')
})
