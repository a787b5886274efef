import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { ValueError } from '../../../src/errors.js'
import { opcodes } from '../../../src/files/pickle/opcodes.js'
import { readCachePickle, readPickle } from '../../../src/files/pickle/read-pickle.js'
import { pickleValue } from '../../../src/files/pickle/write-pickle.js'
import { PYTHON_2 } from '../../helpers/pickle/python-2.js'
import { value } from '../../helpers/pickle/values.js'
import { holds } from '../../helpers/property.js'

/** Processor time (not time by the clock) that no input may exceed: each has a few kilobytes at most. */
const HANG_MICROSECONDS = 2_000_000

/** Asserts that reading returns a value that can be cloned, or throws a ValueError, in bounded time. */
function survives(bytes: Uint8Array): void {
  const before = process.cpuUsage()
  for (const read of [readPickle, readCachePickle]) {
    try {
      const result = read(bytes)
      if (read === readPickle) structuredClone(result)
    } catch (error) {
      if (!(error instanceof ValueError)) throw error
    }
  }
  const { user } = process.cpuUsage(before)
  assert.ok(user < HANG_MICROSECONDS, `it took ${user} µs`)
}

const codes = Object.values(opcodes)
const names = [
  'cbuiltins\nset\n',
  'ccollections\nOrderedDict\n',
  'c_codecs\nencode\n',
  'cdatetime\ndatetime\n',
  'cdatetime\ntimedelta\n',
]

/** Opcodes in any order, most with a plausible argument, so that many are executed. */
const program = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...codes).map((code) => Buffer.of(code)) },
      {
        weight: 4,
        arbitrary: fc
          .constantFrom(
            'N',
            'K\x01',
            ']',
            '}',
            ')',
            '(',
            'U\x01a',
            'C\x01b',
            '\x8f',
            'J\0\0\0\0',
            '0',
            '2',
            '\x94',
            'h\0',
            'h\x01',
            'p0\n',
            'g0\n',
            's',
            'a',
            '\x85',
            '\x86',
            'u',
            'e',
            '\x90',
            'R',
            ...names,
          )
          .map((text) => Buffer.from(text, 'latin1')),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)) },
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.concat([...parts, Buffer.from('.')]))

const sound = fc.oneof(
  value.map((original) => Buffer.from(pickleValue(original))),
  fc.constantFrom(...PYTHON_2).map(([, base64]) => Buffer.from(base64, 'base64')),
)

type Mutation = (bytes: Uint8Array, at: number, byte: number) => Uint8Array
const mutations: readonly Mutation[] = [
  (bytes, at, byte) => Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at + 1)]),
  (bytes, at, byte) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.of(bytes[at]! ^ (1 << (byte & 7))), bytes.subarray(at + 1)]),
  (bytes, at, byte) => Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at)]),
  (bytes, at, byte) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + byte)]),
  (bytes, at, byte) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - byte))]),
  (bytes, at, byte) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.of(codes[byte % codes.length]!), bytes.subarray(at + 1)]),
]

const mutated = fc
  .tuple(
    sound,
    fc.array(fc.tuple(fc.constantFrom(...mutations), fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([bytes, changes]) =>
    changes.reduce<Uint8Array>(
      (changed, [mutate, place, byte]) => mutate(changed, Math.floor(place * changed.length), byte),
      bytes,
    ),
  )

const inputs: readonly (readonly [string, fc.Arbitrary<Uint8Array>, number])[] = [
  ['random bytes', fc.uint8Array({ maxLength: 500 }), 1_000],
  ['random opcodes', program, 3_000],
  ['mutated pickles', mutated, 1_000],
]

for (const [name, input, runs] of inputs) {
  test(`${name} are read or refused with a ValueError, in bounded time`, (t) =>
    holds(t, fc.property(input, survives), runs))
}
