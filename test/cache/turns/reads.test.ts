import test from 'ava'
import { JournalWriteError } from '../../../src/errors.js'
import { turnParts } from '../../helpers/turn-parts.js'

/** Three entries: `a` without a deadline, `b` and `c` with one in 10 and 20 ms. */
function three() {
  const parts = turnParts()
  parts.set('a')
  parts.set('b', 10)
  parts.set('c', 20)
  parts.appended.length = 0
  return parts
}

test('get counts hits and misses, makes an entry the most recently used, and appends nothing', (t) => {
  const { reads, state, appended } = three()
  t.is(reads.get('a'), 'a')
  t.is(reads.get('missing'), undefined)
  t.like(state.counters, { hits: 1, misses: 1 })
  t.deepEqual([...state.keysInOrder()], ['b', 'c', 'a'])
  t.deepEqual(appended, [])
})

test('peek, has and ttl count nothing and do not change the order of use', (t) => {
  const { reads, state } = three()
  t.deepEqual([reads.peek('a'), reads.peek('missing')], ['a', undefined])
  t.deepEqual([reads.has('a'), reads.has('missing')], [true, false])
  t.deepEqual([reads.ttl('a'), reads.ttl('c'), reads.ttl('missing')], [Number.POSITIVE_INFINITY, 0.02, undefined])
  t.like(state.counters, { hits: 0, misses: 0 })
  t.deepEqual([...state.keysInOrder()], ['a', 'b', 'c'])
})

for (const method of ['get', 'peek', 'has', 'ttl'] as const) {
  test(`${method} of an expired entry removes it in a turn of its own`, (t) => {
    const { reads, clock, state, appended } = three()
    clock.jump(10)
    t.falsy(reads[method]('b'))
    t.deepEqual(appended, [[{ type: 'expired', key: 'b' }]])
    t.deepEqual([...state.keysInOrder()], ['a', 'c'])
  })

  test(`${method} only hides an expired entry while the journal cannot be written`, (t) => {
    const { reads, turns, clock, state, appended } = three()
    clock.jump(10)
    turns.isWritable = false
    t.falsy(reads[method]('b'))
    t.deepEqual(appended, [])
    t.is(state.size, 3)
  })
}

for (const method of ['get', 'peek', 'has'] as const) {
  test(`${method} does not read the clock for an entry without a deadline`, (t) => {
    const { reads, clock } = three()
    clock.now = () => t.fail() as never
    t.truthy(reads[method]('a'))
  })
}

test('keys and entries are those of live entries, the least recently used first; expired ones are removed', (t) => {
  const { reads, clock, appended } = three()
  reads.get('a')
  clock.jump(10)
  t.deepEqual(
    reads.keys(() => true),
    ['c', 'a'],
  )
  t.deepEqual([...reads.entries((key) => key === 'a')], [['a', 'a']])
  t.deepEqual(appended, [[{ type: 'expired', key: 'b' }]])
})

test('keys hides expired entries while the journal cannot be written', (t) => {
  const { reads, turns, clock, state } = three()
  turns.isWritable = false
  clock.jump(10)
  t.deepEqual(
    reads.keys(() => true),
    ['a', 'c'],
  )
  t.is(state.size, 3)
})

test('getMany only hides expired entries while the journal cannot be written, and if it fails just then', (t) => {
  const { reads, turns, clock, journal, state, appended } = three()
  clock.jump(10)
  journal.append = () => {
    throw new JournalWriteError('JOURNAL_WRITE_FAILED', 'ENOSPC')
  }
  t.deepEqual(reads.getMany(['a', 'b', 'c', 'b']), ['a', undefined, 'c', undefined])
  turns.isWritable = false
  t.deepEqual(reads.getMany(['b', 'a']), [undefined, 'a'])
  t.deepEqual(reads.hasMany(['b', 'a']), [false, true])
  t.like(state.counters, { hits: 3, misses: 3, expirations: 0 })
  t.deepEqual([state.size, appended], [3, []])
})

test('a journal that fails just then: the entry is hidden; any other error is thrown', (t) => {
  const { reads, clock, journal, state } = three()
  clock.jump(10)
  journal.append = () => {
    throw new JournalWriteError('JOURNAL_WRITE_FAILED', 'ENOSPC')
  }
  t.is(reads.peek('b'), undefined)
  t.is(state.size, 3)
  journal.append = () => {
    throw new RangeError('larger than a frame')
  }
  t.throws(() => reads.peek('b'), { instanceOf: RangeError })
  t.is(state.size, 3)
})
