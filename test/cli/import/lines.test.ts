import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { readLines } from '../../../src/cli/import/lines.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const PIECE_BYTES = 8

function linesOf(t: Parameters<typeof temporaryDirectory>[0], text: string, start = 0, lineBytesMax = 1_000) {
  const path = join(temporaryDirectory(t), 'lines')
  writeFileSync(path, text)
  const lines: { text: string | undefined; length: number; end: number }[] = []
  for (const { bytes, length, end } of readLines(path, start, lineBytesMax, PIECE_BYTES)) {
    lines.push({ text: bytes?.toString(), length, end })
  }
  return lines
}

test('lines are read correctly wherever the pieces of the file end', (t) => {
  for (let size = 0; size < 40; size++) {
    const text = Array.from({ length: size }, (_, at) => (at % 5 === 4 || at % 13 === 0 ? '\n' : 'x')).join('')
    const expected = text.split('\n')
    if (expected.at(-1) === '') expected.pop() // no line follows the last newline
    const found = linesOf(t, text)
    t.deepEqual(
      found.map((line) => line.text),
      expected,
    )
    t.is(
      found.reduce((sum, line) => sum + line.length, 0),
      text.length,
    )
    t.is(found.at(-1)?.end ?? 0, text.length)
  }
})

test('a line longer than a piece is read completely', (t) => {
  const long = 'y'.repeat(50)
  t.deepEqual(
    linesOf(t, `a\n${long}\nb\n${long}`).map(({ text }) => text),
    ['a', long, 'b', long],
  )
  t.deepEqual(
    linesOf(t, 'y'.repeat(PIECE_BYTES)).map(({ text }) => text),
    ['y'.repeat(PIECE_BYTES)],
  )
  t.deepEqual(
    linesOf(t, `${'y'.repeat(PIECE_BYTES)}\nz`).map(({ text }) => text),
    ['y'.repeat(PIECE_BYTES), 'z'],
  )
})

test('a line that is too long is measured and skipped', (t) => {
  t.deepEqual(linesOf(t, `a\n${'y'.repeat(50)}\nb`, 0, 49), [
    { text: 'a', length: 2, end: 2 },
    { text: undefined, length: 51, end: 53 },
    { text: 'b', length: 1, end: 54 },
  ])
})

test('reading can start at any line', (t) => {
  const text = 'one\ntwo\nthree and more than a piece\nfour\n'
  const whole = linesOf(t, text)
  for (const [index, { end }] of whole.entries()) t.deepEqual(linesOf(t, text, end), whole.slice(index + 1))
})
