/**
 * The command line prints no raw control character of data, whether of keys, values, paths, arguments or
 * error messages, on stdout or stderr, as text or as JSON, whatever the command.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createProgram } from '../../src/cli/program.js'
import { reportFailure } from '../../src/cli/terminal/failures.js'
import { createColors, printable } from '../../src/cli/terminal/printable.js'
import { openCache } from '../../src/index.js'
import { DaybookProcess, daybook } from '../helpers/cli/daybook-process.js'
import { damage, fileAt } from '../helpers/cli/journals.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

/** C0 but tab and newline, DEL, C1, the separators and the marks that change the direction of text. */
const CONTROLS = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0x061c, 0x061c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
].flatMap(([first = 0, last = 0]) =>
  Array.from({ length: last - first + 1 }, (_, at) => String.fromCharCode(first + at)),
)

const HOSTILE = `x${CONTROLS.join('')}\u001b[31mred\u001b]0;title\u0007\u009b2J`
/** A path and an argument cannot hold NUL. */
const NAME = HOSTILE.replaceAll('\0', '')
const RAW = new RegExp(`[${CONTROLS.join('').replace(/[\]\\^-]/g, '\\$&')}]`)

/** As JSON, without the characters at which readline would end the line. */
function typed(text: string): string {
  return printable(JSON.stringify(text))
}

interface Scene {
  /** Its name has every character that a name can have. */
  root: string
  journal: string
}

async function scene(t: ExecutionContext): Promise<Scene> {
  const root = join(temporaryDirectory(t), NAME)
  mkdirSync(root)
  const journal = join(root, 'journal')
  const cache = await openCache({ directory: journal, compaction: { segmentBytes: 700 } })
  cache.set(HOSTILE, HOSTILE)
  cache.set(`map ${HOSTILE}`, new Map([[HOSTILE, 1n]]))
  cache.set('object', { [HOSTILE]: [HOSTILE] })
  cache.set('error', new Error(HOSTILE))
  cache.set('pattern', /\u009b\u202e/)
  await cache.close()
  writeFileSync(join(root, `${NAME}.txt`), HOSTILE)
  writeFileSync(
    join(root, `${NAME}.ndjson`),
    `{"key": ${JSON.stringify(HOSTILE)}, "value": 1}\n${HOSTILE}\n{"ttl": 1}\n`,
  )
  return { root, journal }
}

/** What a command prints, recorded below the escaping. */
async function printed(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = process
  const write = { stdout: stdout.write, stderr: stderr.write }
  let text = ''
  stdout.write = stderr.write = (chunk: unknown) => {
    text += String(chunk)
    return true
  }
  try {
    await createProgram().parseAsync(args, { from: 'user' })
  } catch (error) {
    reportFailure(error)
  } finally {
    stdout.write = write.stdout
    stderr.write = write.stderr
    process.exitCode = undefined
  }
  return text
}

type Case = readonly [args: (scene: Scene) => string[], shows: RegExp]

const CASES: Record<string, readonly Case[]> = {
  shell: [
    [({ journal }) => ['shell', NAME, '-d', journal], /shell takes no arguments, but got "x/],
    [({ journal }) => [NAME, '-d', journal], /unknown command "x/],
    [({ journal }) => ['shell', '-d', journal, '--max-size', NAME], /argument 'x/],
    [({ journal }) => ['shell', '-d', journal, '--fsync', NAME], /Allowed choices/],
  ],
  import: [
    [({ root }) => ['import', join(root, '*.txt'), '-d', join(root, 'files')], /Imported 0 files|Imported 1 file/],
    [({ root, journal }) => ['import', join(root, `${NAME}.txt`), '-d', journal], /Imported 1 file/],
    [({ root, journal }) => ['import', '--ndjson', join(root, `${NAME}.ndjson`), '-d', journal], /2 failed/],
    [({ journal }) => ['import', NAME, '-d', journal], /no file matches x/],
    [({ journal }) => ['import', '*', '--ttl', NAME, '-d', journal], /argument 'x/],
  ],
  stats: [
    [({ journal }) => ['stats', '-d', journal], /directory/],
    [({ journal }) => ['stats', '-d', journal, '--json'], /"directory"/],
    [({ root }) => ['stats', '-d', join(root, NAME)], /daybook: /],
    [({ root }) => ['stats', '-d', join(root, `${NAME}.txt`)], /daybook: /],
  ],
  inspect: [
    [({ journal }) => ['inspect', '-d', journal], /#1/],
    [({ journal }) => ['inspect', '-d', journal, '--full'], /#1/],
    [({ journal }) => ['inspect', '-d', journal, '--json'], /"sequence":1/],
    [({ journal }) => ['inspect', '-d', journal, '--key', `${HOSTILE}*`], /^/],
    [({ journal }) => ['inspect', '-d', journal, '--from', NAME], /argument 'x/],
    [damaged('inspect'), /is damaged/],
  ],
  at: [
    [({ journal }) => ['at', '0s', '-d', journal], /5 entries as of/],
    [({ journal }) => ['at', '0s', '-d', journal, '--full'], /object = /],
    [({ journal }) => ['at', '0s', '-d', journal, '--json'], /"key":"object"/],
    [({ journal }) => ['at', NAME, '-d', journal], /value 'x/],
    [damaged('at', '@3'), /is damaged/],
  ],
  history: [
    [({ journal }) => ['history', 'object', '-d', journal], /#3/],
    [({ journal }) => ['history', 'object', '-d', journal, '--json'], /"sequence":3/],
    [({ journal }) => ['history', NAME, '-d', journal], /No change of x/],
    [({ journal }) => ['history', 'object', '--from', NAME, '-d', journal], /argument 'x/],
  ],
  diff: [
    [({ journal }) => ['diff', '@1', '-d', journal], /4 added/],
    [({ journal }) => ['diff', '@5', '@0', '-d', journal, '--json'], /"after":null/],
    [({ journal }) => ['diff', NAME, '-d', journal], /value 'x/],
  ],
  restore: [
    [({ journal }) => ['restore', '@1', '--yes', '-d', journal], /To undo it/],
    [({ journal }) => ['restore', '@1', `${NAME}*`, '--yes', '-d', journal], /would set/],
    [({ journal }) => ['restore', NAME, '-d', journal], /value 'x/],
  ],
  fork: [
    [({ root, journal }) => ['fork', join(root, 'fork'), '-d', journal], /5 entries/],
    [({ journal }) => ['fork', journal, '-d', journal], /has a journal already/],
    [({ root, journal }) => ['fork', join(root, 'fork'), '--at', NAME, '-d', journal], /argument 'x/],
  ],
  verify: [
    [({ journal }) => ['verify', '-d', journal], /sound/],
    [({ journal }) => ['verify', '-d', journal, '--json'], /"sound"/],
    [damaged('verify'), /corrupt/],
    [damaged('verify', '--json'), /"corrupt"/],
  ],
  repair: [
    [({ journal }) => ['repair', '-d', journal], /sound/],
    [({ journal }) => ['repair', '--to', '2', '-d', journal], /To repair/],
    [({ journal }) => ['repair', '--to', '99', '-d', journal], /cannot end with/],
    [({ journal }) => ['repair', '--to', NAME, '-d', journal], /argument 'x/],
    [damaged('repair'), /To repair/],
    [damaged('repair', '--yes'), /opens again/],
  ],
  save: [
    [({ root, journal }) => ['save', join(root, `${NAME}.daybook`), '-d', journal], /5 entries/],
    [({ root, journal }) => ['save', join(root, `${NAME}.pickle`), '-d', journal], /pickle/],
    [({ root, journal }) => ['save', join(root, NAME, NAME), '-d', journal], /ENOENT/],
  ],
  load: [
    [({ root, journal }) => ['load', join(root, `${NAME}.txt`), '-d', journal], /x\\u0001/],
    [({ root, journal }) => ['load', join(root, NAME), '-d', journal], /ENOENT/],
  ],
  serve: [
    [({ root }) => ['serve', join(root, `${NAME}.txt`)], /daybook: /],
    [({ journal }) => ['serve', journal, '--max-size', NAME], /argument 'x/],
    [({ journal }) => ['serve', journal, '--fsync', NAME], /Allowed choices/],
  ],
  cluster: [
    [() => ['cluster', 'status', '--servers', NAME, '--name', 'x'], /daybook: /],
    [() => ['cluster', NAME], /unknown command/],
    [({ root }) => ['cluster', 'status', '--servers', 'x', '--name', 'x', '--creds', join(root, NAME)], /ENOENT/],
  ],
  convert: [
    [({ root }) => ['convert', join(root, NAME), join(root, 'to')], /ENOENT/],
    [({ root }) => ['convert', join(root, `${NAME}.txt`), join(root, 'to')], /x\\u0001/],
  ],
}

function damaged(...args: string[]): (scene: Scene) => string[] {
  return ({ journal }) => {
    damage(journal, fileAt(journal, 'segment', 0), 100)
    return [...args, '-d', journal]
  }
}

test('every command has its cases', (t) => {
  t.deepEqual(
    Object.keys(CASES).sort(),
    createProgram()
      .commands.map((command) => command.name())
      .sort(),
  )
})

for (const [name, cases] of Object.entries(CASES)) {
  test.serial(`${name} prints no control characters`, async (t) => {
    for (const [args, shows] of cases) {
      const text = await printed(args(await scene(t)))
      t.regex(text, shows)
      t.notRegex(text, RAW)
    }
  })

  test.serial(`${name} prints an unknown option without its control characters`, async (t) => {
    const text = await printed([name, `--${NAME}`])
    t.regex(text, /unknown option '--x/)
    t.notRegex(text, RAW)
    t.is(text.trimEnd().split('\n').length, 2, 'one line and a hint')
  })
}

test.serial('an unknown command is printed without its control characters', async (t) => {
  const text = await printed([NAME])
  t.regex(text, /unknown command "x/)
  t.notRegex(text, RAW)
})

test.serial('the shell prints no control characters, whatever is stored and typed', async (t) => {
  const { root, journal } = await scene(t)
  const quoted = typed(HOSTILE)
  const input = [
    'watch',
    `set ${quoted} ${quoted}`,
    `get ${quoted}`,
    `get ${typed(`map ${HOSTILE}`)}`,
    'get object',
    'get error',
    'get error --full',
    'get pattern',
    'keys',
    `increment ${quoted}`,
    `expire ${quoted} ${quoted}`,
    `help ${quoted}`,
    `set k {${NAME}`,
    `set k ${NAME} ${NAME}`,
    `increment n ${quoted}`,
    `save ${typed(join(root, NAME, NAME))}`,
    `load ${typed(join(root, NAME))}`,
    `save ${typed(join(root, `${NAME}.pkl`))}`,
    `save ${typed(join(root, `${NAME}.all`))}`,
    NAME,
  ].join('\n')
  const { stdout, stderr } = await daybook(t, ['shell', '-d', journal], { cwd: root, input })
  t.true((stdout.match(/x\\u0000/g) ?? []).length >= 8)
  t.regex(stderr, /line \d+: unknown command "x/)
  t.notRegex(stdout, RAW)
  t.notRegex(stderr, RAW)
})

test.serial('an uncaught error is printed without its control characters', async (t) => {
  const cwd = temporaryDirectory(t)
  const code = `process.once('SIGUSR2', () => { throw new Error(${typed(NAME)}) })`
  const shell = new DaybookProcess(t, ['shell'], {
    cwd,
    environment: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` },
  })
  shell.write('set a 1\n')
  await shell.until(/OK/)
  const { code: exitCode, stderr } = await shell.kill('SIGUSR2')
  t.is(exitCode, 1)
  t.regex(stderr, /daybook: Error: x\\u0001/)
  t.notRegex(stderr, RAW)
})

test.serial('JSON output is still JSON, with the same data', async (t) => {
  const { journal } = await scene(t)
  const events = (await printed(['inspect', '--json', '-d', journal]))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; value?: unknown })
  t.like(events[0], { key: HOSTILE, value: HOSTILE })
  t.like(events[2], { key: 'object', value: { [HOSTILE]: [HOSTILE] } })
  t.like(JSON.parse(await printed(['stats', '--json', '-d', journal])), { directory: journal })
})

test('all other characters, including tabs and newlines, are printed unchanged', (t) => {
  const text = 'a\tb\nc é 漢 😀 \u00a0\u200d\ufeff'
  t.is(printable(text), text)
})

test('our own colours are printed, and those in data are escaped', (t) => {
  const colors = createColors(true)
  t.is(printable(colors.red(`a${colors.bold('b')}`)), '\u001b[31ma\u001b[1mb\u001b[22m\u001b[39m')
  t.is(printable(colors.dim('\u001b[31m')), '\u001b[2m\\u001b[31m\u001b[22m')
  t.is(createColors(false).red('a'), 'a')
})
