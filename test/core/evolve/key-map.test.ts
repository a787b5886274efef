import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { KeyMap } from '../../../src/core/evolve/key-map.js'
import type { Slot } from '../../../src/core/model/state.js'
import { holds } from '../../helpers/property.js'

/** Like V8's Map with this many places: it throws when it is full and fewer than half of its places are removed keys. */
const PLACES = 8

/** Other Maps, such as those of the test runner, are left alone. */
const isOurs = (key: unknown) => typeof key === 'string' && /^k\d+$/.test(key)

test.serial('a key map works like a Map, and never exceeds the places of its two Maps', async (t) => {
  const { set, delete: remove } = Map.prototype
  const removed = new WeakMap<Map<unknown, unknown>, number>()
  Map.prototype.set = function (key, value) {
    if (isOurs(key) && !this.has(key)) {
      const gone = removed.get(this) ?? 0
      if (this.size + gone >= PLACES) {
        if (gone < PLACES / 2) throw new RangeError('Map maximum size exceeded')
        removed.set(this, 0)
      }
    }
    return set.call(this, key, value)
  }
  Map.prototype.delete = function (key) {
    const was = remove.call(this, key)
    if (was && isOurs(key)) removed.set(this, (removed.get(this) ?? 0) + 1)
    return was
  }
  t.teardown(() => {
    Map.prototype.set = set
    Map.prototype.delete = remove
  })
  await holds(
    t,
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 30 })), { maxLength: 200 }), (steps) => {
      const keys = new KeyMap(PLACES)
      const model: Record<string, Slot> = {}
      for (const [adds, number] of steps) {
        const key = `k${number}`
        if (!adds) {
          keys.delete(key)
          delete model[key]
        } else if (model[key] === undefined && Object.keys(model).length < PLACES - 1) {
          model[key] = number as Slot
          keys.add(key, number as Slot)
        }
        for (let other = 0; other <= 30; other++) {
          const slot = keys.first.get(`k${other}`) ?? keys.second?.get(`k${other}`)
          assert.equal(slot, model[`k${other}`], `k${other}`)
        }
        assert.equal(keys.size, Object.keys(model).length)
      }
    }),
    500,
  )
})
