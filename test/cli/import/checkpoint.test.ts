import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Checkpoint } from '../../../src/cli/import/checkpoint.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const BEGIN = { offset: 0, lines: 0 }
const POSITION = { offset: 6, lines: 2 }

function saved(t: ExecutionContext) {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'file')
  writeFileSync(file, 'aa\nbb\ncc\n')
  writeFileSync(join(directory, 'LOCK'), 'journal one\n')
  new Checkpoint(file, directory).write(POSITION, 10)
  return { directory, file, read: (sequence = 10) => new Checkpoint(file, directory).read(sequence) }
}

test('the saved position is where the next run continues', (t) => {
  const { read, file } = saved(t)
  t.deepEqual(read(), POSITION)
  t.deepEqual(read(11), POSITION)
  writeFileSync(file, 'aa\nbb\nother lines, and more of them\n')
  t.deepEqual(read(), POSITION)
})

test('after the journal has lost imported lines the import starts at the first line', (t) => {
  t.deepEqual(saved(t).read(9), BEGIN)
})

test('a checkpoint of another journal is not used', (t) => {
  const { directory, read } = saved(t)
  writeFileSync(join(directory, 'LOCK'), 'journal two\n')
  t.deepEqual(read(), BEGIN)
})

test('a file that has changed before the position, or has become shorter, is imported from its start', (t) => {
  const { file, read } = saved(t)
  writeFileSync(file, 'aa\nbX\ncc\n')
  t.deepEqual(read(), BEGIN)
  writeFileSync(file, 'aa\n')
  t.deepEqual(read(), BEGIN)
})

test('without a checkpoint the import starts at the first line', (t) => {
  const { directory, file, read } = saved(t)
  new Checkpoint(file, directory).remove()
  t.deepEqual(read(), BEGIN)
  new Checkpoint(file, directory).remove() // a missing checkpoint is not an error
})

test('a checkpoint that is damaged in any way starts the import at the first line, without an error', (t) => {
  const { directory, read } = saved(t)
  const path = join(directory, readdirSync(directory).find((name) => name.endsWith('.progress')) as string)
  const text = readFileSync(path, 'utf8')
  const number = (name: string, value: string) => text.replace(new RegExp(`("${name}":)\\d+`), `$1${value}`)
  const damaged = [
    '',
    '{',
    'null',
    '7',
    '[]',
    '{}',
    ...['-5', '0.5', '1e99', 'null', '"6"'].map((value) => number('offset', value)),
  ]
  for (const content of [...damaged, number('lines', '-1'), number('lines', '{}'), number('sequence', 'null')]) {
    t.not(content, text)
    writeFileSync(path, content)
    t.deepEqual(read(), BEGIN, content)
  }
})
