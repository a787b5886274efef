/** The judge of the tests with real servers notices each kind of wrong, and nothing else. */
import test from 'ava'
import { answeredIn, failuresOf, longestGapMs, violations, type Witness } from '../../../helpers/nats/judge.js'

function witness(calls: string, more: Partial<Witness> = {}): Witness {
  const lines = calls.split(',').map((line) => line.trim())
  return { name: 'm0', calls: `${lines.join('\n')}\n`, changes: '', wasKilled: false, entries: new Map(), ...more }
}

const n = (value: number) => new Map([['n', value]])
const TWO = 'ask 1 10 increment n, ok 1 20 1, ask 2 30 increment n, ok 2 40 2'
const UNKNOWN = 'ask 1 10 increment n, ok 1 20 1, ask 2 30 increment n, fail 2 40 OUTCOME_UNKNOWN nobody knows'
const SETS = 'ask 1 10 set r 1, ok 1 20 1, ask 2 30 set r 2, fail 2 40 X y, ask 3 50 set r 3, fail 3 60 X y'

for (const [what, witnesses, expected] of [
  ['nothing wrong', [witness(TWO, { entries: n(2) })], []],
  [
    'an increment is lost',
    [witness(TWO, { entries: n(1) })],
    [/^n is 1, although 2 .*lost$/, /^n is 1 after 2 .*lost$/],
  ],
  ['an increment is done twice', [witness(TWO, { entries: n(3) })], [/^n is 3 after 2 acknowledged and 0 .*doubled$/]],
  ['an increment of unknown outcome was done', [witness(UNKNOWN, { entries: n(2) })], []],
  ['it was not done', [witness(UNKNOWN, { entries: n(1) })], []],
  ['it was done twice', [witness(UNKNOWN, { entries: n(3) })], [/doubled$/]],
  [
    'two processes are given one result',
    [witness(TWO, { entries: n(2) }), witness('ask 1 35 increment n, ok 1 45 2', { name: 'm1', entries: n(2) })],
    [/^n: 1 results were given twice$/, /^n is 2 after 3 acknowledged increments: lost$/],
  ],
  [
    'a result is smaller than one that was known before',
    [witness('ask 1 30 increment n, ok 1 40 1, ask 2 10 increment n, ok 2 20 2', { entries: n(2) })],
    [/^n: increment 2 was answered 10 µs before increment 1 was asked$/],
  ],
  [
    'a read is stale',
    [witness(`${TWO}, ask 3 50 get n, ok 3 60 1`, { entries: n(2) })],
    [/^n: increment 2 was answered 10 µs before get 1 was asked$/],
  ],
  [
    'two reads of one value',
    [witness(`${TWO}, ask 3 50 get n, ok 3 60 2, ask 4 55 get n, ok 4 57 2`, { entries: n(2) })],
    [],
  ],
  [
    'a read sees the future',
    [witness('ask 1 10 get n, ok 1 20 1, ask 2 30 increment n, ok 2 40 1', { entries: n(1) })],
    [/^n: get 1 was answered 10 µs before increment 1 was asked$/],
  ],
  ['the first set of unknown outcome was done', [witness(SETS, { entries: new Map([['r', 2]]) })], []],
  ['the second one', [witness(SETS, { entries: new Map([['r', 3]]) })], []],
  ['neither of them', [witness(SETS, { entries: new Map([['r', 1]]) })], []],
  [
    'a set that was acknowledged is lost',
    [witness(SETS, { entries: new Map() })],
    [/^r is 0, although 1 .*lost$/, /^r is 0, and can only be 1 or 2 or 3$/],
  ],
  [
    'a call of a killed process is open',
    [witness(TWO, { entries: n(3) }), witness('ask 1 10 increment n', { wasKilled: true, entries: undefined })],
    [],
  ],
  [
    'a call of a process that ended well is open',
    [witness(`${TWO}, ask 3 50 get n`, { entries: n(2) })],
    [/^1 calls of m0 have no outcome/],
  ],
  [
    'nodes differ',
    [witness(TWO, { entries: n(2) }), witness('', { name: 'm1', entries: n(1) })],
    [/^m1 has n 1, and another node 2$/],
  ],
  ['a process saw something wrong', [witness('wrong its own copy was behind')], [/^m0: its own copy was behind$/]],
  ['a change is missing', [witness('', { changes: '1 set n 1\n3 set n 3\n' })], [/^m0: changes\$ told 3 after 1$/]],
  ['changes are missing after a resync', [witness('', { changes: '1 set n 1\n5 resynced  \n6 set n 6\n' })], []],
  [
    'nodes were told different changes',
    [witness('', { changes: '1 set n 1\n' }), witness('', { name: 'm1', changes: '1 set n 2\n' })],
    [/^m1: changes\$ told "1 set n 2", and another node "1 set n 1"$/],
  ],
  [
    'a change is told twice',
    [witness('', { changes: '1 set n 1\n2 set n 1\n' })],
    [/^changes\$ told n 1 after 1 \(2\)$/],
  ],
] as [string, Witness[], RegExp[]][]) {
  test(`the judge: ${what}`, (t) => {
    const found = violations(witnesses)
    t.is(found.length, expected.length, found.join('\n'))
    for (const [at, pattern] of expected.entries()) t.regex(found[at] as string, pattern)
  })
}

test('the judge counts what was answered, what failed and why, and the longest time without an answer', (t) => {
  const one = witness(UNKNOWN)
  t.is(answeredIn(one.calls), 1)
  t.deepEqual(failuresOf(one.calls), [{ at: 40, code: 'OUTCOME_UNKNOWN', message: 'nobody knows' }])
  t.is(longestGapMs([one, witness('ask 1 1000 increment n, ok 1 2020 2')]), 2)
})

test('the judge ignores half a line at the end, which a killed process leaves', (t) => {
  const calls = 'ask 1 10 increment n\nok 1 20 1\nask 2 30 incr'
  t.deepEqual(violations([witness('', { calls, wasKilled: true, entries: n(1) })]), [])
})
