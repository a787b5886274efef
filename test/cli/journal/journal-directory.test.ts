import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { listJournal } from '../../../src/cli/journal/journal-directory.js'
import { openCache } from '../../../src/index.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test('a directory that is missing, is a file, or has no journal is refused, each with its reason', async (t) => {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'file')
  writeFileSync(file, '')
  await t.throwsAsync(listJournal(join(directory, 'missing')), { message: /missing does not exist/ })
  await t.throwsAsync(listJournal(file), { message: /file is not a directory/ })
  await t.throwsAsync(listJournal(directory), { message: /contains no journal/ })
  t.deepEqual(readdirSync(directory), ['file'])
})

test('the files of a journal that is open are listed, and nothing in the directory is changed', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory })
  t.teardown(() => cache.close())
  cache.set('a', 1)
  await cache.flush()
  const before = readdirSync(directory)
  const files = await listJournal(directory)
  t.is(files.segments.length, 1)
  t.deepEqual(readdirSync(directory), before)
})
