import test from 'ava'
import { memoryCache } from '../../../src/index.js'
import { bareFor } from '../../../src/values/plain/bare.js'

/** Of which an ordinary object would make a prototype. */
const NAME = '__proto__'

test('an object of any number of properties comes back as an ordinary one, each time', async (t) => {
  const cache = memoryCache()
  t.teardown(() => cache.close())
  for (const count of [0, 1, 4, 5, 12, 31, 32, 33, 100, 3_000]) {
    const value = Object.fromEntries(Array.from({ length: count }, (_, at) => [`property ${at}`, { at }]))
    cache.set('a', value)
    for (let read = 0; read < 4; read++) {
      const copy = cache.get('a') as Record<string, unknown>
      t.deepEqual(copy, value)
      t.is(Object.getPrototypeOf(copy), Object.prototype)
      copy['another'] = read
    }
  }
})

test('an object of plain data inherits nothing, and has its properties in the order in which they were set', (t) => {
  for (const count of [0, 1, 40]) {
    const object = bareFor(count)
    t.false('constructor' in object)
    t.is(object['toString'], undefined)
    object[NAME] = 1
    for (let property = 1; property < count; property++) object[`k${property}`] = property
    t.is(Object.keys(object)[0], NAME)
    t.is(Object.keys(object).length, Math.max(1, count))
  }
})
