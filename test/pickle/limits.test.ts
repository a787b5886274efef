import { spawnSync } from 'node:child_process'
import test from 'ava'
import { ValueError } from '../../src/errors.js'
import { Allowance } from '../../src/pickle/limits.js'

test('heap is charged before it is taken, and the error says where and what to do', (t) => {
  const allowance = new Allowance(10, 1_000)
  allowance.take(1_000, 5)
  t.throws(() => allowance.take(1, 7), {
    instanceOf: ValueError,
    message: /MiB of heap.*\(byte 7\).*--max-old-space-size/,
  })
})

test('bytes objects may be twice the file and a little, no more', (t) => {
  const allowance = new Allowance(1_000)
  allowance.takeOutside(2 ** 20 + 2_000, 5)
  t.throws(() => allowance.takeOutside(1, 7), {
    instanceOf: ValueError,
    message: /larger than the file allows \(byte 7\)/,
  })
})

/** Parts that each ask for far more memory than they are long, repeated to ten megabytes. */
const BOMBS: readonly (readonly [string, string])[] = [
  ['sets', '\x8fa'],
  ['dicts', '}a'],
  ['lists of one', ']Naa'],
  ['empty bytes objects', 'C\0a'],
  ['empty tuples on the stack', ')'],
  ['values on the stack', 'N'],
  ['the memo', '\x94'],
  ['dicts of one', '}NNsa'],
]

test('a process with a small heap refuses what would end it, and lives', (t) => {
  const reader = new URL('../../src/pickle/read-pickle.js', import.meta.url).href
  const script = `
    const { readPickle } = await import(${JSON.stringify(reader)})
    const bombs = ${JSON.stringify(BOMBS)}.map(([name, part]) => [
      name,
      Buffer.alloc(10_000_000 - (10_000_000 % part.length), part, 'latin1'),
    ])
    // Objects that have no key in common: the estimate is too low for them, the heap itself is looked at.
    const unlike = Buffer.alloc(12 * 400_000)
    for (let i = 0; i < 400_000; i++) unlike.write('}U\\x06' + i.toString(36).padStart(6, '0') + 'Nsa', 12 * i, 'latin1')
    bombs.push(['objects without a common key', unlike])
    for (const [name, parts] of bombs) {
      try {
        readPickle(Buffer.concat([Buffer.from(']'), parts, Buffer.from('.')]))
      } catch (error) {
        console.log(name, error.name, /MiB of heap/.test(error.message))
      }
    }`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--max-old-space-size=64', '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  )
  t.is(status, 0, stderr)
  t.deepEqual(
    stdout.trim().split('\n'),
    [...BOMBS.map(([name]) => name), 'objects without a common key'].map((name) => `${name} ValueError true`),
  )
})
