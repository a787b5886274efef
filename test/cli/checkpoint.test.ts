import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ProgressNote } from '../../src/cli/import/checkpoint.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const BEGIN = { offset: 0, lines: 0 }
const POSITION = { offset: 6, lines: 2 }

function noted(t: ExecutionContext) {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'file')
  writeFileSync(file, 'aa\nbb\ncc\n')
  writeFileSync(join(directory, 'LOCK'), 'journal one\n')
  new ProgressNote(file, directory).write(POSITION, 10)
  return { directory, file, read: (sequence = 10) => new ProgressNote(file, directory).read(sequence) }
}

test('the position that was noted is where the next run goes on', (t) => {
  const { read, file } = noted(t)
  t.deepEqual(read(), POSITION)
  t.deepEqual(read(11), POSITION)
  writeFileSync(file, 'aa\nbb\nother lines, and more of them\n')
  t.deepEqual(read(), POSITION)
})

test('a journal that has lost what the note tells of begins anew', (t) => {
  t.deepEqual(noted(t).read(9), BEGIN)
})

test('a note of another journal is not believed', (t) => {
  const { directory, read } = noted(t)
  writeFileSync(join(directory, 'LOCK'), 'journal two\n')
  t.deepEqual(read(), BEGIN)
})

test('a file that has changed before the position, or is shorter now, is read from its beginning', (t) => {
  const { file, read } = noted(t)
  writeFileSync(file, 'aa\nbX\ncc\n')
  t.deepEqual(read(), BEGIN)
  writeFileSync(file, 'aa\n')
  t.deepEqual(read(), BEGIN)
})

test('half a note, or none, is a beginning', (t) => {
  const { directory, file, read } = noted(t)
  new ProgressNote(file, directory).remove()
  t.deepEqual(read(), BEGIN)
  new ProgressNote(file, directory).remove() // removing none is no error
})
