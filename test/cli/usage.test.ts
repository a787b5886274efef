import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { createProgram } from '../../src/cli/program.js'
import { exitCodeOf, messageOf } from '../../src/cli/terminal/failures.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

/** Runs the command line in this process; none of these calls opens a journal. */
async function daybook(...args: readonly string[]) {
  const printed = { stdout: '', stderr: '' }
  const program = createProgram({
    writeOut: (text) => void (printed.stdout += text),
    writeErr: (text) => void (printed.stderr += text),
  })
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (printed.stdout + printed.stderr === '') printed.stderr = `daybook: ${messageOf(error)}\n`
    return { code: exitCodeOf(error), ...printed }
  }
  throw new Error('It was not refused.')
}

const COMMANDS = [
  'shell',
  'import',
  'stats',
  'inspect',
  'at',
  'history',
  'diff',
  'restore',
  'fork',
  'verify',
  'repair',
  'save',
  'load',
  'convert',
  'serve',
  'cluster',
]

test('--help lists the commands and the exit codes', async (t) => {
  const { code, stdout, stderr } = await daybook('--help')
  t.is(code, 0)
  t.is(stderr, '')
  for (const command of COMMANDS) t.regex(stdout, new RegExp(`^  ${command} `, 'm'))
  t.regex(stdout, /Exit codes:\n +0 /)
})

for (const command of COMMANDS) {
  test(`${command} --help shows its usage, and does nothing`, async (t) => {
    const { code, stdout } = await daybook(command, '--help')
    t.is(code, 0)
    t.regex(stdout, new RegExp(`^Usage: daybook ${command}`))
  })
}

test('the error for an unknown command lists the commands and suggests one', async (t) => {
  const { code, stdout, stderr } = await daybook('inspct')
  t.is(code, 2)
  t.is(stdout, '')
  t.is(
    stderr,
    `daybook: unknown command "inspct". Did you mean inspect? Commands: ${COMMANDS.join(', ')}. "daybook --help" explains them.\n`,
  )
})

for (const [args, message, command] of [
  [['inspect', '--jsn'], "unknown option '--jsn' (Did you mean --json?)", ' inspect'],
  [['save', '--nothing'], "unknown option '--nothing'", ' save'],
  [['save'], "missing required argument 'file'", ' save'],
] as const) {
  test(`daybook ${args.join(' ')} prints one line and a hint`, async (t) => {
    t.deepEqual(await daybook(...args), {
      code: 2,
      stdout: '',
      stderr: `daybook: ${message}\n"daybook${command} --help" lists its arguments and options.\n`,
    })
  })
}

for (const [args, expected] of [
  [['stats'], 0],
  [['inspect'], 0],
  [['at', '@1', '*'], 2],
  [['history', 'k'], 1],
  [['diff', '@1', '@2'], 2],
  [['restore', '@1', '*'], 2],
  [['fork', 'to'], 1],
  [['verify'], 0],
  [['repair'], 0],
  [['save', 'file'], 1],
  [['load', 'file'], 1],
  [['convert', 'from', 'to'], 2],
  [['serve', 'directory'], 1],
  [['cluster', 'status', '--servers', 'a:4222', '--name', 'b'], 0],
] as const) {
  test(`daybook ${args.join(' ')} refuses another argument, and names its own help`, async (t) => {
    const { code, stdout, stderr } = await daybook(...args, 'surplus')
    const command = args[0] === 'cluster' ? 'cluster status' : args[0]
    const counted = `Expected ${expected} argument${expected === 1 ? '' : 's'} but got ${expected + 1}`
    t.is(code, 2)
    t.is(stdout, '')
    t.is(
      stderr,
      `daybook: too many arguments for '${command.split(' ').at(-1)}'. ${counted}.\n"daybook ${command} --help" lists its arguments and options.\n`,
    )
  })
}

for (const surplus of ['surplus', 'shell', 'stats']) {
  test(`daybook shell ${surplus} says that the shell takes no arguments`, async (t) => {
    t.deepEqual(await daybook('shell', surplus), {
      code: 2,
      stdout: '',
      stderr: `daybook: shell takes no arguments, but got "${surplus}"\n`,
    })
  })
}

test('the help shows no default like Infinity or 9007199254740991', async (t) => {
  for (const command of COMMANDS) t.notRegex((await daybook(command, '--help')).stdout, /\d{10}|Infinity/)
})

test('options before the command are refused, and the error shows the right order', async (t) => {
  const { code, stderr } = await daybook('--directory', 'x', 'inspect')
  t.is(code, 2)
  t.regex(stderr, /options come after the command: daybook inspect/)
})

for (const [args, complaint] of [
  [
    ['shell', '--max-size', '0'],
    /'--max-size <entries>' argument '0' is invalid\. It must be an integer of at least 1\./,
  ],
  [['shell', '--fsync', 'sometimes'], /Allowed choices are always, everysec, never/],
  [['shell', '--eviction', 'fifo'], /Allowed choices are lru, s3-fifo/],
  [['inspect', '--from', 'x'], /'--from <sequence>' argument 'x' is invalid/],
  [['import'], /missing required argument 'glob'/],
  [['import', '--ttl', 'soon', '*.json'], /'--ttl <duration>' argument 'soon' is invalid/],
  [['import', '--restart', '*.json'], /--restart is only for --ndjson/],
  [['convert', 'a'], /missing required argument 'to'/],
] as const) {
  test(`daybook ${args.join(' ')} names the problem`, async (t) => {
    const { code, stderr } = await daybook(...args)
    t.is(code, 2)
    t.regex(stderr, complaint)
  })
}

for (const args of [
  ['stats'],
  ['inspect'],
  ['at', '@1'],
  ['history', 'k'],
  ['diff', '@1'],
  ['restore', '@1'],
  ['fork', 'to'],
  ['verify'],
  ['repair'],
]) {
  const [command] = args
  test(`${command} of a missing directory, or one without a journal, fails and creates nothing`, async (t) => {
    const directory = temporaryDirectory(t)
    const nowhere = join(directory, 'nowhere')
    t.like(await daybook(...args, '-d', nowhere), { code: 1, stderr: `daybook: ${nowhere} does not exist.\n` })
    const empty = await daybook(...args, '-d', directory)
    t.is(empty.code, 1)
    t.regex(empty.stderr, /^daybook: .* contains no journal\. /)
    t.deepEqual(readdirSync(directory), [])
  })
}
