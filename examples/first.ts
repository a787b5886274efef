/** A cache that is still there after a restart. Run it twice: `node dist/examples/first.js`. */
import { setTimeout as wait } from 'node:timers/promises'
import { openCache } from 'daybook'

interface User {
  name: string
}

const cache = await openCache<User>({ directory: 'journal', maxSize: 100_000 })
cache.expirations$.subscribe(({ key, value }) => console.log(`${key} (${value.name}) has expired`))

const known = cache.get('user:1')
console.log(known === undefined ? 'user:1 is nobody yet' : `user:1 is ${known.name}, as set by the last run`)

cache.set('user:1', { name: 'Ada' }, { ttl: '1h' }) // a bare number would be seconds
cache.set('guest:1', { name: 'Bob' }, { ttl: '50ms' })
console.log(`stored: ${cache.keys().join(', ')}`)

await wait(500) // nobody reads guest:1, and it expires all the same
console.log(`stored: ${cache.keys('user:*').join(', ')}; ${cache.stats().expirations} expired`)

await cache.close()
