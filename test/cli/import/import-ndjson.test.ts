import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openCache } from '../../../src/index.js'
import { DaybookProcess, daybook } from '../../helpers/cli/daybook-process.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

/** Enough for a signal to arrive before the end of the import. */
const LINES = 200_000

function manyLines(): string {
  return Array.from({ length: LINES }, (_, number) => JSON.stringify({ key: `key:${number}`, value: { number } })).join(
    '\n',
  )
}

async function entriesOf(cwd: string): Promise<Map<string, unknown>> {
  await using cache = await openCache({ directory: join(cwd, 'journal'), maxSize: Number.POSITIVE_INFINITY })
  return new Map(cache.entries())
}

function checkpointsIn(cwd: string): string[] {
  return readdirSync(join(cwd, 'journal')).filter((name) => name.endsWith('.progress'))
}

test.serial('every line becomes an entry; an invalid one is reported with its number and left out', async (t) => {
  const cwd = temporaryDirectory(t)
  const lines = [
    '\ufeff{"key": "first", "value": 1}',
    '{"key": "windows", "value": {"a": [null]}}\r',
    '',
    '{"key": "no value"}',
    '{"key": 5, "value": 1}',
    '[1]',
    '{"key": "cut',
    '{"key": "ttl", "value": 2, "ttl": "1h"}',
    '{"key": "bare ttl", "value": 2, "ttl": 60}',
    '{"key": "bad ttl", "value": 2, "ttl": "5 parsecs"}',
    '{"key": "no ttl", "value": 2, "ttl": null}',
    `{"key": "long", "value": "${'x'.repeat(3_000_000)}"}`,
    '{"key": "first", "value": "again"}',
    '{"key": "__proto__", "value": {"__proto__": 1}}',
  ]
  const latin1 = Buffer.from('{"key": "\xe9", "value": 1}\n', 'latin1')
  writeFileSync(join(cwd, 'lines.ndjson'), Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), latin1]))
  const { code, stdout, stderr } = await daybook(t, ['import', '--ndjson', 'lines.ndjson'], { cwd })
  t.is(code, 1)
  t.regex(stdout, /^Imported 8 lines \(3\.0 MB\) .* 6 failed\.\n$/)
  const reported = [...stderr.matchAll(/^daybook: lines\.ndjson:(\d+) was left out: (.*)$/gm)]
  t.deepEqual(
    reported.map(([, line]) => Number(line)),
    [4, 5, 6, 7, 10, 15],
  )
  t.regex(reported[0]?.[2] ?? '', /"value" is missing; a line looks like \{"key": "user:1"/)
  t.regex(reported[4]?.[2] ?? '', /'5 parsecs'/)
  t.regex(reported[5]?.[2] ?? '', /not UTF-8/)

  await using cache = await openCache({ directory: join(cwd, 'journal') })
  t.is(cache.get('first'), 'again')
  t.deepEqual(cache.get('windows'), { a: [null] })
  t.is((cache.get('long') as string).length, 3_000_000)
  t.deepEqual(Object.keys(cache.get('__proto__') as object), ['__proto__'])
  t.is(cache.ttl('no ttl'), Number.POSITIVE_INFINITY)
  t.true((cache.ttl('ttl') as number) > 3500)
  t.true((cache.ttl('bare ttl') as number) <= 60)
  t.deepEqual(checkpointsIn(cwd), [])
})

test.serial('an import interrupted by Ctrl-C continues after its last line', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'many.ndjson'), manyLines())
  const args = ['import', '--ndjson', 'many.ndjson']
  const interrupted = new DaybookProcess(t, args, { cwd })
  await interrupted.until(/New journal in/, 'stderr')
  const { code, stdout } = await interrupted.kill('SIGINT')
  t.is(code, 130)
  t.regex(stdout, /Interrupted: run the same command again to continue\./)
  const done = Number(/Imported (\S+) line/.exec(stdout)?.[1]?.replaceAll(',', ''))
  t.true(done < LINES)

  if (done > 0) {
    t.is(checkpointsIn(cwd).length, 1)
    const again = await daybook(t, args, { cwd })
    t.is(again.code, 0)
    t.regex(
      again.stderr,
      new RegExp(`continuing after line ${done.toLocaleString('en-US')}, where the last run stopped`),
    )
    t.regex(again.stdout, new RegExp(`^Imported ${(LINES - done).toLocaleString('en-US')} lines`))
    t.is((await entriesOf(cwd)).size, LINES)
    t.deepEqual(checkpointsIn(cwd), [])
  }
})

test.serial('after a kill -9 no line is skipped', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'many.ndjson'), manyLines())
  const args = ['import', '--ndjson', 'many.ndjson']
  const killed = new DaybookProcess(t, args, { cwd })
  await killed.until(/New journal in/, 'stderr')
  await killed.kill('SIGKILL')
  t.is((await daybook(t, args, { cwd })).code, 0)
  const entries = await entriesOf(cwd)
  t.is(entries.size, LINES)
  t.deepEqual(entries.get(`key:${LINES - 1}`), { number: LINES - 1 })
})
