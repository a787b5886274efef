import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { temporaryDirectory } from '../helpers/temporary-directory.js'
import { daybook } from './daybook-process.js'

const COMMANDS = ['shell', 'import', 'stats', 'inspect', 'verify', 'repair', 'save', 'load', 'convert']

test.serial('--help lists the commands and the exit codes', async (t) => {
  const cwd = temporaryDirectory(t)
  const { code, stdout, stderr } = await daybook(t, ['--help'], { cwd })
  t.is(code, 0)
  t.is(stderr, '')
  for (const command of COMMANDS) t.regex(stdout, new RegExp(`^  ${command} `, 'm'))
  t.regex(stdout, /Exit codes:\n +0 /)
  t.false(existsSync(join(cwd, 'journal')))
})

for (const command of COMMANDS) {
  test.serial(`${command} --help says what it takes, and does nothing`, async (t) => {
    const cwd = temporaryDirectory(t)
    const { code, stdout } = await daybook(t, [command, '--help'], { cwd })
    t.is(code, 0)
    t.regex(stdout, new RegExp(`^Usage: daybook ${command}`))
    t.false(existsSync(join(cwd, 'journal')))
  })
}

test.serial('an unknown command says which there are, and which was probably meant', async (t) => {
  const cwd = temporaryDirectory(t)
  const { code, stdout, stderr } = await daybook(t, ['inspct'], { cwd })
  t.is(code, 2)
  t.is(stdout, '')
  t.is(
    stderr,
    `daybook: there is no command "inspct". Did you mean inspect? Commands: ${COMMANDS.join(', ')}. "daybook --help" explains them.\n`,
  )
  t.false(existsSync(join(cwd, 'journal')))
})

test.serial('an unknown option says which there are', async (t) => {
  const { code, stderr } = await daybook(t, ['inspect', '--jsn'], { cwd: temporaryDirectory(t) })
  t.is(code, 2)
  t.regex(stderr, /^daybook: unknown option '--jsn'\n\(Did you mean --json\?\)/)
  for (const option of ['--directory', '--json', '--from', '--to', '--key']) t.true(stderr.includes(option))
})

test.serial('options before the command are told where they go', async (t) => {
  const { code, stderr } = await daybook(t, ['--directory', 'x', 'inspect'], { cwd: temporaryDirectory(t) })
  t.is(code, 2)
  t.regex(stderr, /options come after the command: daybook inspect/)
})

for (const [args, complaint] of [
  [['shell', '--max-size', '0'], /'--max-size <entries>' argument '0' is invalid/],
  [['shell', '--fsync', 'sometimes'], /Allowed choices are always, everysec, never/],
  [['inspect', '--from', 'x'], /'--from <sequence>' argument 'x' is invalid/],
  [['import'], /missing required argument 'glob'/],
  [['import', '--ttl', 'soon', '*.json'], /'--ttl <duration>' argument 'soon' is invalid/],
  [['import', '--restart', '*.json'], /--restart goes with --ndjson/],
  [['convert', 'a'], /missing required argument 'to'/],
] as const) {
  test.serial(`daybook ${args.join(' ')} is refused with what is wrong`, async (t) => {
    const cwd = temporaryDirectory(t)
    const { code, stderr } = await daybook(t, args, { cwd })
    t.is(code, 2)
    t.regex(stderr, complaint)
    t.false(existsSync(join(cwd, 'journal')))
  })
}

for (const command of ['stats', 'inspect', 'verify', 'repair']) {
  test.serial(`${command} of a directory that is none, or holds no journal, is an error and creates nothing`, async (t) => {
    const cwd = temporaryDirectory(t)
    const none = await daybook(t, [command, '-d', 'nowhere'], { cwd })
    t.like(none, { code: 1, stdout: '', stderr: 'daybook: There is no directory nowhere.\n' })
    const empty = await daybook(t, [command, '-d', '.'], { cwd })
    t.is(empty.code, 1)
    t.regex(empty.stderr, /^daybook: There is no journal in \./)
    t.false(existsSync(join(cwd, 'LOCK')))
  })
}
