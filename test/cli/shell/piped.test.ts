import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openCache } from '../../../src/index.js'
import { DaybookProcess, daybook, MAIN } from '../../helpers/cli/daybook-process.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test.serial('values set by one piped run are there in the next', async (t) => {
  const cwd = temporaryDirectory(t)
  const first = await daybook(t, ['shell'], {
    cwd,
    input: [
      'set user:1 {"name": "Ada", "born": 1815}',
      'set greeting "hello world"',
      'set plain text',
      'set soon {"a": [1, 2]} 1h',
      'increment count 41',
      'increment count',
      'get user:1',
      'get missing',
      'exists plain',
    ].join('\n'),
  })
  t.deepEqual(
    { code: first.code, stdout: first.stdout.split('\n') },
    { code: 0, stdout: ['OK', 'OK', 'OK', 'OK', '41', '42', '{"name":"Ada","born":1815}', '(nil)', 'true', ''] },
  )
  t.regex(first.stderr, /New journal in journal/)

  const second = await daybook(t, [], {
    cwd,
    input: 'get greeting\nget plain\nget count\nkeys user:*\nttl plain\nttl soon\n',
  })
  t.is(second.code, 0)
  const lines = second.stdout.trimEnd().split('\n')
  t.deepEqual(lines.slice(0, -1), ['"hello world"', '"text"', '42', 'user:1', 'none'])
  const secondsLeft = Number(lines.at(-1))
  t.true(secondsLeft > 3500 && secondsLeft <= 3600)
  t.regex(second.stderr, /^Recovered 5 entries from 6 events in 1 segment in journal: .* in .* ms\.\n$/)
})

test.serial('resize changes the limits, which are remembered', async (t) => {
  const cwd = temporaryDirectory(t)
  const lines = ['set a 1', 'set b 2', 'set c 3', 'resize 2 1000', 'resize many', 'resize 0', 'keys', 'resize Infinity']
  const first = await daybook(t, ['shell'], { cwd, input: lines.join('\n') })
  t.is(first.code, 1)
  t.deepEqual(first.stdout.trimEnd().split('\n').slice(3), ['1', 'b', 'c', '0'])
  t.regex(first.stderr, /line 5: maxSize must be a positive integer or Infinity; NaN is not/)
  t.regex(first.stderr, /line 6: maxSize must be a positive integer or Infinity; 0 is not/)
  const second = await daybook(t, ['shell'], { cwd, input: 'stats' })
  t.regex(second.stdout, /^limits +no limit on entries, 1\.0 kB$/m)
})

test.serial('diff shows another deadline, not only other values', async (t) => {
  const cwd = temporaryDirectory(t)
  const lines = ['set a 1', 'set b 2', 'set gone 3', 'expire a 1h', 'set b 4', 'delete gone', 'set new 5', 'diff @3']
  const { code, stdout } = await daybook(t, ['shell'], { cwd, input: lines.join('\n') })
  t.is(code, 0)
  const differences = stdout.trimEnd().split('\n').slice(-4)
  t.deepEqual(differences.filter((line) => !line.startsWith('~ a')).sort(), ['+ new = 5', '- gone = 3', '~ b = 2 → 4'])
  t.regex(stdout, /^~ a = 1 → 1 expires 20\d\d-\d\d-\d\dT/m)
})

test.serial('take, touch and delete-prefix', async (t) => {
  const cwd = temporaryDirectory(t)
  const lines = ['set a*:1 {"n":1}', 'set a*:2 2', 'set ab 3', 'set c text', 'touch a*:1', 'touch a*:2 1h', 'ttl ab']
  const more = ['touch none', 'keys', 'take c', 'take c', 'delete-prefix a*:', 'delete-prefix a*:', 'keys']
  const { code, stdout } = await daybook(t, ['shell'], { cwd, input: [...lines, ...more].join('\n') })
  t.is(code, 0)
  t.deepEqual(stdout.trimEnd().split('\n').slice(4), [
    ...['OK', 'OK', 'none', '(nil)', 'ab', 'c', 'a*:1', 'a*:2', '"text"', '(nil)', '2', '0', 'ab'],
  ])
})

test.serial('a line that fails is reported with its number, the other lines run, and the exit code is 1', async (t) => {
  const cwd = temporaryDirectory(t)
  const input = [
    'set a 1',
    '',
    '# a remark',
    'sett a 2',
    'set text hello\r', // as Windows ends lines
    'increment text',
    'get',
    'set b hello world',
    'set c {"a": 1',
    'set d "never closed',
    'expire a -1',
    'set e 1 5parsecs',
    'get a',
  ].join('\n')
  const { code, stdout, stderr } = await daybook(t, [], { cwd, input })
  t.is(code, 1)
  t.deepEqual(stdout, 'OK\nOK\n1\n')
  const failures = stderr.split('\n').filter((line) => line.startsWith('daybook: '))
  t.deepEqual(
    failures.map((line) => Number(/^daybook: line (\d+): /.exec(line)?.[1])),
    [4, 6, 7, 8, 9, 10, 11, 12],
  )
  t.regex(failures[0] ?? '', /unknown command "sett"\. Did you mean set\? Commands: set, get, .*exit/)
  t.regex(failures[1] ?? '', /not a finite number|'hello'/i)
  t.regex(failures[2] ?? '', /Usage: get KEY/)
  t.regex(failures[3] ?? '', /in quotes: set KEY "hello world"/)
  t.regex(failures[4] ?? '', /looks like JSON but does not parse/)
})

test.serial('results go to stdout, remarks to stderr, both without colours', async (t) => {
  const cwd = temporaryDirectory(t)
  const commands = ['set a 1', 'get a', 'get b', 'help', 'help set', 'stats', 'watch', 'set a 2 1h', 'foo', 'keys zz*']
  const { stdout, stderr } = await daybook(t, ['shell'], { cwd, input: commands.join('\n') })
  t.notRegex(stdout + stderr, /\u001b/)
  t.notRegex(stdout, /new journal|unknown command|watching|no keys/)
  for (const name of [
    'delete-pattern',
    'delete-prefix',
    'take',
    'touch',
    'increment',
    'compact',
    'flush',
    'clear',
    'expire',
    'exit',
  ]) {
    t.regex(stdout, new RegExp(`^${name}`, 'm'))
  }
  t.regex(stdout, /^size +1$/m)
})

test.serial('a long value is shortened without --full', async (t) => {
  const cwd = temporaryDirectory(t)
  const long = JSON.stringify('x'.repeat(5_000))
  const list = JSON.stringify(Array.from({ length: 2_000 }, (_, number) => number))
  const input = `set long ${long}\nset list ${list}\nget long\nget list\nget long --full\nget --full list\nget --full\nget a b\n`
  const { stdout, stderr } = await daybook(t, [], { cwd, input })
  const [, , cutText = '', cutList = '', ...rest] = stdout.trimEnd().split('\n')
  t.is(cutText, `"${'x'.repeat(1_999)}… (5002 characters) "get KEY --full" prints all of it`)
  t.true(cutList.startsWith('[0,1,2,') && cutList.length < 2_100)
  t.deepEqual(rest, [long, list, '(nil)'])
  t.regex(stderr, /line 8: get takes one key\. Usage: get KEY \[--full\]$/m)
})

test.serial('watch prints changes until it is turned off', async (t) => {
  const cwd = temporaryDirectory(t)
  const input = 'watch user:*\nset user:1 {"a": 1}\nset other 1\ndelete user:1\nwatch off\nset user:2 2\n'
  const { stdout } = await daybook(t, ['shell'], { cwd, input })
  t.deepEqual(stdout.split('\n'), [
    '#1 set         user:1 = {"a":1}',
    'OK',
    'OK',
    '#3 deleted     user:1',
    '1',
    'OK',
    '',
  ])
})

test.serial('watch prints expirations while there is no input', async (t) => {
  const shell = new DaybookProcess(t, ['shell'], { cwd: temporaryDirectory(t) })
  shell.write('watch\nset a 1 50ms\n')
  await shell.until(/#2 expired +a/)
  t.is((await shell.end()).code, 0)
})

test.serial('keys with spaces, quotes and control characters are printed so that they can be typed', async (t) => {
  const cwd = temporaryDirectory(t)
  const keys = ['a b', "it's", '"', 'tab\t', '\\', '', 'ключ', '\ud800']
  const input = keys.map((key) => `set ${JSON.stringify(key)} 1`).join('\n')
  await daybook(t, ['shell'], { cwd, input })
  const { stdout } = await daybook(t, ['shell'], { cwd, input: 'keys' })
  const printed = stdout.trimEnd().split('\n')
  t.deepEqual(printed, ['"a b"', '"it\'s"', '"\\""', '"tab\\t"', '"\\\\"', '""', 'ключ', '"\\ud800"'])
  const again = await daybook(t, ['shell'], { cwd, input: printed.map((key) => `get ${key}`).join('\n') })
  t.is(again.stdout, '1\n'.repeat(keys.length))
})

test.serial('values that JSON cannot express are printed as util.inspect prints them', async (t) => {
  const cwd = temporaryDirectory(t)
  await using cache = await openCache({ directory: join(cwd, 'journal') })
  cache.set('map', new Map([['a', 1n]]))
  cache.set('date', new Date(0))
  cache.set('nan', Number.NaN)
  cache.set('zero', -0)
  cache.set('bytes', Uint8Array.of(1, 2))
  cache.set('nested', [{ a: null }, 'x'])
  await cache.close()
  const input = 'get map\nget date\nget nan\nget zero\nget bytes\nget nested\n'
  const { stdout } = await daybook(t, ['shell'], { cwd, input })
  t.deepEqual(stdout.trimEnd().split('\n'), [
    "Map(1) { 'a' => 1n }",
    '1970-01-01T00:00:00.000Z',
    'NaN',
    '-0',
    'Uint8Array(2) [ 1, 2 ]',
    '[{"a":null},"x"]',
  ])
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test.serial(`${signal} closes the journal cleanly and ends with ${code}`, async (t) => {
    const cwd = temporaryDirectory(t)
    const shell = new DaybookProcess(t, ['shell'], { cwd })
    shell.write('set a 1\n')
    await shell.until(/OK/)
    t.like(await shell.kill(signal), { code, signal: null })
    const stats = await daybook(t, ['stats', '--json'], { cwd })
    t.like(JSON.parse(stats.stdout), { size: 1, isClosedCleanly: true })
  })
}

test.serial('flushed values are there after a kill -9', async (t) => {
  const cwd = temporaryDirectory(t)
  const shell = new DaybookProcess(t, ['shell'], { cwd })
  for (let number = 0; number < 500; number++) shell.write(`set key:${number} ${number}\n`)
  shell.write('flush\n')
  await shell.until(/durable through sequence 500/)
  await shell.kill('SIGKILL')
  const { stdout, stderr } = await daybook(t, ['shell'], { cwd, input: 'get key:0\nget key:499\n' })
  t.is(stdout, '0\n499\n')
  t.regex(stderr, /Recovered 500 entries.*\nThe last run did not close the journal/)
})

test.serial('exit ends the shell even if there is more input', async (t) => {
  const shell = new DaybookProcess(t, ['shell'], { cwd: temporaryDirectory(t) })
  shell.write('set a 1\nexit\nset b 2\n')
  t.like(await shell.ended, { code: 0, stdout: 'OK\n' })
})

test.serial('the commands still run after stdout was closed', async (t) => {
  const cwd = temporaryDirectory(t)
  const shell = new DaybookProcess(t, ['shell'], { cwd })
  shell.write('set a 1\n')
  await shell.until(/OK/)
  shell.stopReading()
  for (let number = 0; number < 50; number++) shell.write(`set key:${number} 1\n`)
  const { code, stderr } = await shell.end()
  t.is(code, 0)
  t.notRegex(stderr, /EPIPE/)
  t.is((await daybook(t, ['shell'], { cwd, input: 'keys key:*' })).stdout.trimEnd().split('\n').length, 50)
})

test.serial('the commands still run after stderr was closed', async (t) => {
  const cwd = temporaryDirectory(t)
  const shell = new DaybookProcess(t, ['shell'], { cwd })
  shell.write('set a 1\n')
  await shell.until(/OK/)
  shell.stopReading('stderr')
  for (let number = 0; number < 50; number++) shell.write('nonsense\n')
  t.like(await shell.end('set b 2\nget b\n'), { code: 1, stdout: 'OK\nOK\n2\n' })
})

const FULL = '/dev/full'
const fullTest = existsSync(FULL) ? test.serial : test.serial.skip
fullTest('if the output cannot be written, one error is printed, and the commands still run', async (t) => {
  const cwd = temporaryDirectory(t)
  const full = openSync(FULL, 'w')
  t.teardown(() => closeSync(full))
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'shell'], {
    cwd,
    input: 'set a 1\nset b 2\n',
    stdio: ['pipe', full, 'pipe'],
    encoding: 'utf8',
  })
  t.is(status, 1)
  t.regex(stderr, /^daybook: the output could not be written: ENOSPC.*\n$/m)
  t.notRegex(stderr, /at .*\.js/)
  t.is((await daybook(t, ['shell'], { cwd, input: 'get b\n' })).stdout, '2\n')
})

test.serial('a directory that is in use is refused', async (t) => {
  const cwd = temporaryDirectory(t)
  const shell = new DaybookProcess(t, ['shell'], { cwd })
  shell.write('set a 1\n')
  await shell.until(/OK/)
  const second = await daybook(t, ['shell'], { cwd, input: 'get a\n' })
  t.is(second.code, 1)
  t.regex(second.stderr, /^daybook: .*journal is open in another cache/)
  await shell.end()
})

test.serial('the number of entries is unlimited without --max-size', async (t) => {
  const cwd = temporaryDirectory(t)
  const input = Array.from({ length: 1_500 }, (_, number) => `set key:${number} 1`).join('\n')
  const unlimited = await daybook(t, ['shell'], { cwd, input: `${input}\nkeys` })
  t.is(unlimited.stdout.match(/^key:/gm)?.length, 1_500)
  const limited = await daybook(t, ['shell', '--max-size', '10'], { cwd, input: 'keys' })
  t.is(limited.stdout.match(/^key:/gm)?.length, 10)
  t.regex(limited.stderr, /1,490 entries were evicted/)
})
