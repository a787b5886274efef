import { exec } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { EncodedValue } from '../../../src/core/model/stored-value.js'
import { openCache } from '../../../src/index.js'
import { set } from '../../../src/testing/conformance/recording.js'
import { DaybookProcess, daybook, MAIN } from '../../helpers/cli/daybook-process.js'
import { damage, fileAt, writeJournal, writeTwelve } from '../../helpers/cli/journals.js'
import { forgedFile } from '../../helpers/durable/forged-file.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

async function twelve(t: ExecutionContext): Promise<{ cwd: string; directory: string }> {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  await writeJournal(directory, writeTwelve)
  return { cwd, directory }
}

function jsonLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test.serial('every event is a line, in order, across all segments', async (t) => {
  const { cwd } = await twelve(t)
  const { code, stdout, stderr } = await daybook(t, ['inspect'], { cwd })
  t.is(code, 0)
  t.is(stderr, '')
  const lines = stdout.trimEnd().split('\n')
  t.is(lines.length, 12)
  t.regex(lines[0] ?? '', /^#1 \d{4}-\d\d-\d\dT[\d:.]+Z set {9}key:1 = \{"number":1,"text":"x{20}"\}$/)
  t.regex(lines[4] ?? '', /^#5 .*Z deleted {5}key:3$/)
})

test.serial('--json prints a line of JSON for each event; --from, --to and --key select events', async (t) => {
  const { cwd } = await twelve(t)
  const all = jsonLines((await daybook(t, ['inspect', '--json'], { cwd })).stdout)
  t.deepEqual(
    all.map(({ sequence }) => sequence),
    Array.from({ length: 12 }, (_, index) => index + 1),
  )
  t.like(all[1], { sequence: 2, type: 'set', key: 'key:2', value: { number: 2, text: 'x'.repeat(20) } })
  t.like(all[4], { type: 'deleted', key: 'key:3' })

  const some = jsonLines((await daybook(t, ['inspect', '--json', '--from', '3', '--to', '8'], { cwd })).stdout)
  t.deepEqual(some, all.slice(2, 8))
  const keyed = jsonLines((await daybook(t, ['inspect', '--json', '--key', 'key:[38]'], { cwd })).stdout)
  t.deepEqual(
    keyed.map(({ sequence }) => sequence),
    [3, 5, 8, 10],
  )
})

test.serial('a value that cannot be read is shown as the reason, and the events after it are printed', async (t) => {
  const cwd = temporaryDirectory(t)
  mkdirSync(join(cwd, 'journal'))
  const events = [set('bad', new EncodedValue('structured', Uint8Array.of(1, 2))), set('good', 1)]
  writeFileSync(join(cwd, 'journal', '0000000000000001.segment'), forgedFile('segment', 1, [{ events }]))
  const { code, stdout } = await daybook(t, ['inspect', '--full'], { cwd })
  t.is(code, 0)
  t.regex(stdout, /bad = \[Cannot read a value of the journal: .*\]\n#2 .*good = 1\n$/)
  const [first, second] = jsonLines((await daybook(t, ['inspect', '--json'], { cwd })).stdout)
  t.regex(first?.['valueText'] as string, /^\[Cannot read a value of the journal: /)
  t.like(second, { key: 'good', value: 1 })
})

test.serial('every kind of event and value is printed', async (t) => {
  const cwd = temporaryDirectory(t)
  const cache = await openCache({ directory: join(cwd, 'journal'), maxSize: 3 })
  cache.set('bytes', Uint8Array.of(1, 2, 255))
  cache.set('map', new Map([[1, 2n]]))
  cache.set('\ud800', 'x'.repeat(1000), { ttl: '1h' })
  cache.expire('map', 10)
  cache.persist('map')
  cache.set('one too many', null)
  cache.clear()
  await cache.save(join(cwd, 'saved'))
  await cache.load(join(cwd, 'saved'))
  await cache.close()
  const events = jsonLines((await daybook(t, ['inspect', '--json'], { cwd })).stdout)
  t.deepEqual(
    events.map(({ type }) => type),
    ['set', 'set', 'set', 'rescheduled', 'rescheduled', 'evicted', 'set', 'cleared', 'loaded'],
  )
  t.is(events[0]?.['valueBase64'], 'AQL/')
  t.is(events[1]?.['valueText'], 'Map(1) { 1 => 2n }')
  t.is(events[2]?.['key'], '\ud800')
  t.is(new Date(events[2]?.['expiresAt'] as string).getTime() > Date.now(), true)
  t.is(events[4]?.['expiresAt'], null)
  t.like(events[8], { entries: 0 })

  const plain = (await daybook(t, ['inspect'], { cwd })).stdout.split('\n')
  t.regex(plain[2] ?? '', /"\\ud800" = "x{199}… \(1002 characters\) expires \d{4}/)
  t.regex(plain[4] ?? '', /rescheduled map never expires$/)
  t.is((await daybook(t, ['inspect', '--full'], { cwd })).stdout.includes('x'.repeat(1000)), true)
})

test.serial('events covered by a snapshot are reported as covered, and not printed', async (t) => {
  const cwd = temporaryDirectory(t)
  await writeJournal(join(cwd, 'journal'), async (cache) => {
    await writeTwelve(cache)
    await cache.compact()
    cache.set('after', 1)
  })
  const { stdout, stderr } = await daybook(t, ['inspect', '--json'], { cwd })
  t.deepEqual(
    jsonLines(stdout).map(({ sequence }) => sequence),
    [13],
  )
  t.is(stderr, 'Events 1–12 are covered by 0000000000000012.snapshot: their result is kept, the events are not.\n')
  t.is((await daybook(t, ['inspect', '--from', '13'], { cwd })).stderr, '')
})

test.serial('events before damage are printed, and the exit code says that the journal is corrupt', async (t) => {
  const { cwd, directory } = await twelve(t)
  damage(directory, fileAt(directory, 'segment', 1), 200)
  const { code, stdout, stderr } = await daybook(t, ['inspect', '--json'], { cwd })
  t.is(code, 4)
  t.deepEqual(
    jsonLines(stdout).map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5],
  )
  t.regex(stderr, /0000000000000006\.segment is damaged at byte 64, where sequence 6 should be/)
})

test.serial('a slow reader of the output gets everything, without a warning', async (t) => {
  const cwd = temporaryDirectory(t)
  const cache = await openCache({ directory: join(cwd, 'journal'), maxSize: 20_000 })
  cache.setMany(Array.from({ length: 20_000 }, (_, number) => [`key:${number}`, 'x'.repeat(100)] as const))
  await cache.close()
  const { stdout, stderr } = await promisify(exec)(`'${process.execPath}' '${MAIN}' inspect | tail -n 1`, { cwd })
  t.is(stderr, '')
  t.regex(stdout, /^#20000 /)
})

test.serial('a reader of the output that stops early is not an error', async (t) => {
  const cwd = temporaryDirectory(t)
  const cache = await openCache({ directory: join(cwd, 'journal'), maxSize: 20_000 })
  cache.setMany(Array.from({ length: 20_000 }, (_, number) => [`key:${number}`, 'x'.repeat(100)] as const))
  await cache.close()
  const inspect = new DaybookProcess(t, ['inspect', '--json'], { cwd })
  await inspect.until(/"sequence":1,/)
  inspect.stopReading()
  t.like(await inspect.ended, { code: 0, signal: null, stderr: '' })
})
