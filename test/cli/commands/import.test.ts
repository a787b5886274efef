import { mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { openCache } from '../../../src/index.js'
import { DaybookProcess, daybook } from '../../helpers/cli/daybook-process.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

/** Files of a project: text of all kinds, bytes, names with characters of a pattern. */
const FILES: Record<string, string | Uint8Array> = {
  'a/package.json': '{"name": "a"}\n',
  'a/empty.json': '',
  'a/ünïcode.json': '"é😀\\ud800"',
  'a/b/[id].json': '[1]',
  'a/b/windows.json': '{}\r\n',
  'a/latin1.json': Uint8Array.of(0x22, 0xe9, 0x22),
  'a/image.png': Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xff, 0),
  'a/.hidden.json': '1',
}

function project(t: ExecutionContext): string {
  const cwd = temporaryDirectory(t)
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    writeFileSync(join(cwd, path), content)
  }
  return cwd
}

async function entriesOf(cwd: string): Promise<Map<string, unknown>> {
  await using cache = await openCache({ directory: join(cwd, 'journal'), maxSize: Number.POSITIVE_INFINITY })
  return new Map(cache.entries())
}

test.serial('every matching file becomes an entry under its path, text as text and bytes as bytes', async (t) => {
  const cwd = project(t)
  const { code, stdout, stderr } = await daybook(t, ['import', 'a/**/*.json', '**/*.png', 'a/*.json'], { cwd })
  t.is(code, 0, stderr)
  t.regex(stdout, /^Imported 7 files \(\d+ bytes\) in .*\.\n$/)
  const { 'a/.hidden.json': _, ...expected } = FILES
  t.deepEqual(await entriesOf(cwd), new Map(Object.entries(expected).sort()))
})

test.serial(
  'large files are imported exactly: text, text beyond latin1, bytes; importing them again changes nothing',
  async (t) => {
    const cwd = temporaryDirectory(t)
    const megabytes = 5_000_000
    const contents: Record<string, string | Uint8Array> = {
      'ascii.txt': 'abcdefghij'.repeat(megabytes / 10),
      'wide.txt': 'aé漢😀 '.repeat(megabytes / 10),
      'bytes.bin': new Uint8Array(megabytes).fill(0xff).fill(1, 1_000, megabytes - 1),
      'other.bin': new Uint8Array(megabytes).fill(0xfe),
    }
    for (const [path, content] of Object.entries(contents)) writeFileSync(join(cwd, path), content)
    t.like(await daybook(t, ['import', '*.txt', '*.bin'], { cwd }), { code: 0 })
    const found = await entriesOf(cwd)
    for (const [path, content] of Object.entries(contents)) {
      const value = found.get(path)
      if (typeof content === 'string') t.true(value === content, path)
      else t.true(value instanceof Uint8Array && Buffer.compare(value, content) === 0, path)
    }
    t.regex((await daybook(t, ['import', '*.txt', '*.bin'], { cwd })).stdout, /^Imported 0 files .*4 unchanged/)
  },
)

test.serial('importing again skips unchanged files and imports changed ones', async (t) => {
  const cwd = project(t)
  await daybook(t, ['import', 'a/**'], { cwd })
  writeFileSync(join(cwd, 'a/package.json'), 'changed')
  writeFileSync(join(cwd, 'a/image.png'), Uint8Array.of(0x89, 0xff))
  const { code, stdout } = await daybook(t, ['import', 'a/**', '--dot'], { cwd })
  t.is(code, 0)
  t.regex(stdout, /^Imported 3 files .* 5 unchanged\.\n$/)
  const entries = await entriesOf(cwd)
  t.is(entries.get('a/package.json'), 'changed')
  t.deepEqual(entries.get('a/image.png'), Uint8Array.of(0x89, 0xff))
  t.is(entries.get('a/.hidden.json'), '1')
})

test.serial('real files survive a kill -9 in the middle, and the import continues', async (t) => {
  const cwd = temporaryDirectory(t)
  const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url)) // from dist/test/cli/commands
  const pattern = `${modules}/{commander,rxjs,fast-glob,cli-progress}/**/*.{js,json,ts}`
  const interrupted = new DaybookProcess(t, ['import', pattern], { cwd })
  await interrupted.until(/New journal in/, 'stderr')
  await interrupted.kill('SIGKILL')

  const { code, stdout } = await daybook(t, ['import', pattern], { cwd })
  t.is(code, 0)
  const counts = /Imported (\S+) files/.exec(stdout)
  t.truthy(counts)
  const entries = await entriesOf(cwd)
  t.true(entries.size > 500)
  for (const [path, value] of entries) t.is(value, readFileSync(path, 'utf8'))
})

test.serial('a file that cannot be an entry is reported and left out, and the exit code is 1', async (t) => {
  const cwd = project(t)
  writeFileSync(join(cwd, 'a/huge.json'), '')
  truncateSync(join(cwd, 'a/huge.json'), 300 * 1024 * 1024) // sparse: it is never read
  symlinkSync(join(cwd, 'a/package.json'), join(cwd, 'a/link.json'))
  const { code, stdout, stderr } = await daybook(t, ['import', 'a/*.json', 'nothing/*.json'], { cwd })
  t.is(code, 1)
  t.regex(stdout, /Imported 4 files .* 1 failed\.\n$/)
  t.regex(stderr, /^daybook: a\/huge\.json was left out: it has 314\.6 MB, and an entry can hold at most 268\.\d MB$/m)
  t.regex(stderr, /^daybook: no file matches nothing\/\*\.json$/m)
  t.false((await entriesOf(cwd)).has('a/link.json'))
})

test.serial('a file name with characters of a pattern is taken literally', async (t) => {
  const cwd = project(t)
  t.is((await daybook(t, ['import', 'a/b/[id].json', 'a/.hidden.json'], { cwd })).code, 0)
  t.deepEqual([...(await entriesOf(cwd)).keys()].sort(), ['a/.hidden.json', 'a/b/[id].json'])
})

test.serial('if no file matches, no journal is opened', async (t) => {
  const cwd = temporaryDirectory(t)
  t.like(await daybook(t, ['import', '*.json'], { cwd }), { code: 1, stderr: 'daybook: no file matches *.json\n' })
  t.deepEqual(readdirSync(cwd), [])
})

test.serial('--ttl gives every entry a deadline', async (t) => {
  const cwd = project(t)
  await daybook(t, ['import', 'a/package.json', '--ttl', '1h'], { cwd })
  await using cache = await openCache({ directory: join(cwd, 'journal') })
  const ttl = cache.ttl('a/package.json') ?? 0
  t.true(ttl > 3500 && ttl <= 3600)
})
