/** A cache that survives a restart. Run it twice: `node dist/examples/first.js`. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { openCache } from 'daybook'

interface User {
  name: string
}

const directory = join(tmpdir(), 'daybook-first') // only this example uses it
console.log(`journal: ${directory}`)

const cache = await openCache<User>({ directory, maxSize: 100_000 })
cache.expirations$.subscribe(({ key, value }) => console.log(`${key} (${value.name}) has expired`))

const known = cache.get('user:1')
console.log(known === undefined ? 'user:1 is not there yet' : `user:1 is ${known.name}, set by an earlier run`)

cache.set('user:1', { name: 'Ada' }, { ttl: '1h' }) // a bare number would be seconds
cache.set('guest:1', { name: 'Bob' }, { ttl: '50ms' })
console.log(`stored: ${cache.keys().join(', ')}`)

await wait(500) // guest:1 expires although nobody reads it
console.log(`stored: ${cache.keys().join(', ')}; ${cache.stats().expirations} expired so far`)

await cache.close()
