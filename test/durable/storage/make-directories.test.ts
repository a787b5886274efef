import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeDirectories } from '../../../src/durable/storage/make-directories.js'
import { openCache } from '../../../src/index.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test('makes what is missing, for this user only, and returns it, the outermost first', (t) => {
  const root = temporaryDirectory(t)
  t.deepEqual(makeDirectories(join(root, 'a', 'b', 'c'), 0o700), [
    join(root, 'a'),
    join(root, 'a', 'b'),
    join(root, 'a', 'b', 'c'),
  ])
  t.is(statSync(join(root, 'a')).mode & 0o777, 0o700)
  t.deepEqual(makeDirectories(join(root, 'a', 'b', 'd'), 0o700), [join(root, 'a', 'b', 'd')])
})

test('what is there, also through a symbolic link, is left alone', (t) => {
  const root = temporaryDirectory(t)
  mkdirSync(join(root, 'there'), { mode: 0o755 })
  symlinkSync(join(root, 'there'), join(root, 'link'))
  t.deepEqual(makeDirectories(join(root, 'there'), 0o700), [])
  t.deepEqual(makeDirectories(join(root, 'link'), 0o700), [])
  t.deepEqual(makeDirectories('/', 0o700), [])
})

test('a file in the way is an error', (t) => {
  const root = temporaryDirectory(t)
  writeFileSync(join(root, 'file'), '')
  t.throws(() => makeDirectories(join(root, 'file'), 0o700), { code: 'EEXIST' })
  t.throws(() => makeDirectories(join(root, 'file', 'below'), 0o700), { code: 'ENOTDIR' })
})

if (existsSync('/proc/self'))
  test('openCache rejects where no directory can be made, instead of trying again and again', async (t) => {
    const error = await t.throwsAsync(openCache({ directory: '/proc/daybook/journal' }), { code: 'JOURNAL_UNREADABLE' })
    t.regex(error?.message ?? '', /\/proc\/daybook/)
  })
