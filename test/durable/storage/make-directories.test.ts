import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeDirectories } from '../../../src/durable/storage/make-directories.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test('makes what is missing, outermost first, with its mode, and leaves what is there', (t) => {
  const top = temporaryDirectory(t)
  const [a, b, c] = [join(top, 'a'), join(top, 'a', 'b'), join(top, 'a', 'b', 'c')]
  mkdirSync(a, { mode: 0o755 })
  t.deepEqual(makeDirectories(c, 0o700), [b, c])
  t.is(statSync(a).mode & 0o777, 0o755)
  t.is(statSync(c).mode & 0o777, 0o700)
  t.deepEqual(makeDirectories(c, 0o700), [])
  symlinkSync(c, join(top, 'link'))
  t.deepEqual(makeDirectories(join(top, 'link', 'd'), 0o700), [join(top, 'link', 'd')])
})

test('a file in the way is an error, and nothing is made', (t) => {
  const top = temporaryDirectory(t)
  writeFileSync(join(top, 'file'), '')
  t.throws(() => makeDirectories(join(top, 'file'), 0o700), { code: 'EEXIST' })
  t.throws(() => makeDirectories(join(top, 'file', 'below', 'it'), 0o700), { code: 'ENOTDIR' })
  symlinkSync(join(top, 'nowhere'), join(top, 'link'))
  t.throws(() => makeDirectories(join(top, 'link'), 0o700), { code: 'EEXIST' })
})

// In a process of its own: what never returned would stop this one.
const linux = process.platform === 'linux' && existsSync('/proc/self') ? test : test.skip
linux('a directory that cannot be made although the one above it exists is refused at once', (t) => {
  const module = new URL('../../../src/index.js', import.meta.url).href
  const code = `import { openCache } from ${JSON.stringify(module)}
    await openCache({ directory: '/proc/daybook/journal' }).catch(({ code, message }) => console.log(code, message))`
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], { timeout: 30_000 }).toString()
  t.regex(printed, /^JOURNAL_UNREADABLE \/proc\/daybook\/journal cannot be opened as a journal: ENOENT/)
})
