import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Cache } from '../../../src/index.js'
import { openWithin } from '../../../src/open.js'
import { DaybookProcess, daybook } from '../../helpers/cli/daybook-process.js'
import { damage, fileAt, openSmall, writeJournal, writeTwelve } from '../../helpers/cli/journals.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

async function journal(t: ExecutionContext, write: (cache: Cache) => Promise<void> = writeTwelve) {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  const { states } = await writeJournal(directory, write)
  return { cwd, directory, states }
}

function contentOf(directory: string): Map<string, Buffer> {
  return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]))
}

async function entriesOf(directory: string): Promise<Map<string, unknown>> {
  const cache = await openSmall(directory)
  try {
    return new Map(cache.entries())
  } finally {
    await cache.close()
  }
}

test.serial('a sound journal needs no repair', async (t) => {
  const { cwd, directory } = await journal(t)
  const before = contentOf(directory)
  for (const args of [['repair'], ['repair', '--yes']]) {
    t.like(await daybook(t, args, { cwd }), { code: 0, stdout: 'Nothing to repair: the journal is sound.\n' })
  }
  t.deepEqual(contentOf(directory), before)
})

test.serial('without --yes it only prints what it would do and what would be lost', async (t) => {
  const { cwd, directory } = await journal(t)
  damage(directory, fileAt(directory, 'segment', 1), 300)
  const before = contentOf(directory)
  const { code, stdout } = await daybook(t, ['repair'], { cwd })
  t.is(code, 4)
  t.regex(stdout, /^corrupt: journal\/0000000000000006\.segment, byte \d+, sequence 7: /)
  t.regex(stdout, /^ {2}move 0000000000000011\.segment to a \.broken file$/m)
  t.regex(stdout, /^ {2}move \d+ bytes of 0000000000000006\.segment, from byte \d+ on, to a \.broken file$/m)
  t.regex(stdout, /^It would lose: events 7–12 \(at least\)\.$/m)
  t.regex(stdout, /^Nothing was changed\. To repair: daybook repair --directory journal --yes$/m)
  t.deepEqual(contentOf(directory), before)
})

test.serial('--yes sets aside what follows the damage, keeps it, and prints what was lost', async (t) => {
  const { cwd, directory, states } = await journal(t)
  const segment = fileAt(directory, 'segment', 1)
  damage(directory, segment, 300)
  const before = contentOf(directory)
  const { code, stdout } = await daybook(t, ['repair', '--yes'], { cwd })
  t.is(code, 0)
  t.regex(stdout, /^Lost: events 7–12 \(at least\)\.$/m)
  t.regex(stdout, /^The journal opens again, through sequence 6\.$/m)

  const after = contentOf(directory)
  const cut = [...after.keys()].find((name) => /^0000000000000006\.segment\.\d+\.broken$/.test(name)) ?? ''
  t.deepEqual(Buffer.concat([after.get(segment) as Buffer, after.get(cut) as Buffer]), before.get(segment))
  t.deepEqual(after.get('0000000000000011.segment.broken'), before.get('0000000000000011.segment'))
  t.like(await daybook(t, ['verify'], { cwd }), { code: 0 })
  t.deepEqual(await entriesOf(directory), states[6])
})

test.serial('a torn tail is set aside, as by opening', async (t) => {
  const { cwd, directory, states } = await journal(t)
  appendFileSync(join(directory, fileAt(directory, 'segment', -1)), 'half a frame')
  t.like(await daybook(t, ['repair'], { cwd }), { code: 3 })
  t.like(await daybook(t, ['repair', '--yes'], { cwd }), { code: 0 })
  t.deepEqual(await entriesOf(directory), states[12])
})

test.serial('a damaged header is rebuilt from the frames that follow, and nothing is lost', async (t) => {
  const { cwd, directory, states } = await journal(t)
  const segment = fileAt(directory, 'segment', 1)
  const sound = readFileSync(join(directory, segment))
  for (const offset of [0, 20, 35, 42, 52, 63]) damage(directory, segment, offset)
  const { code, stdout } = await daybook(t, ['repair', '--yes'], { cwd })
  t.is(code, 0)
  t.regex(
    stdout,
    /the header of 0000000000000006\.segment was rebuilt; the old file is 0000000000000006\.segment\.broken/,
  )
  t.regex(stdout, /^Lost: nothing\.$/m)
  t.deepEqual(readFileSync(join(directory, segment)), sound)
  t.deepEqual(await entriesOf(directory), states[12])
})

async function writeManyRows(cache: Cache): Promise<void> {
  for (let number = 0; number < 3_000; number++) cache.set(`key:${number}`, number) // three frames of rows
  await cache.compact()
  cache.set('after', 1)
}

test.serial('the sound rows of a damaged snapshot are kept, and so are the events after it', async (t) => {
  const { cwd, directory } = await journal(t, writeManyRows)
  damage(directory, fileAt(directory, 'snapshot', 0), 20_000)
  const dry = await daybook(t, ['repair'], { cwd })
  t.is(dry.code, 4)
  t.regex(dry.stdout, /It would lose: 1,000 of the 3,000 entries of 0000000000003000\.snapshot\./)
  t.like(await daybook(t, ['repair', '--yes'], { cwd }), { code: 0 })
  const entries = await entriesOf(directory)
  t.is(entries.size, 2_001)
  t.is(entries.get('after'), 1)
  t.true(readdirSync(directory).includes('0000000000003000.snapshot.broken'))
})

test.serial('nothing is lost to a damaged snapshot while the segments before it exist', async (t) => {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  const { states } = await writeJournal(directory, writeTwelve)
  const before = contentOf(directory)
  await daybook(t, ['shell'], { cwd, input: 'compact\n' })
  for (const [name, bytes] of before) if (name.endsWith('.segment')) writeFileSync(join(directory, name), bytes)
  damage(directory, fileAt(directory, 'snapshot', 0), 100)
  const { stdout } = await daybook(t, ['repair', '--yes'], { cwd })
  t.regex(stdout, /^Lost: nothing\.$/m)
  t.deepEqual(await entriesOf(directory), states[12])
})

test.serial('when the beginning is missing, the events after it are kept', async (t) => {
  const { cwd, directory } = await journal(t, writeManyRows)
  rmSync(join(directory, fileAt(directory, 'snapshot', 0)))
  const { stdout } = await daybook(t, ['repair', '--yes'], { cwd })
  t.regex(stdout, /^Lost: everything through sequence 3,000: no file holds it\.$/m)
  t.deepEqual(await entriesOf(directory), new Map([['after', 1]]))
})

test.serial('files set aside by earlier repairs are kept', async (t) => {
  const { cwd, directory } = await journal(t)
  const segment = join(directory, fileAt(directory, 'segment', -1))
  for (const garbage of ['first', 'second', 'third']) {
    appendFileSync(segment, garbage)
    t.is((await daybook(t, ['repair', '--yes'], { cwd })).code, 0)
  }
  const broken = [...contentOf(directory)].filter(([name]) => name.endsWith('.broken'))
  t.deepEqual(broken.map(([, bytes]) => bytes.toString()).sort(), ['first', 'second', 'third'])
})

test.serial('a directory that is in use is not repaired', async (t) => {
  const { cwd, directory } = await journal(t)
  const shell = new DaybookProcess(t, ['shell'], { cwd })
  shell.write('get key:1\n')
  await shell.until(/number/)
  const before = contentOf(directory)
  for (const args of [['repair'], ['repair', '--yes']]) {
    const { code, stderr } = await daybook(t, args, { cwd })
    t.is(code, 1)
    t.regex(stderr, /is open in another/)
  }
  t.deepEqual(contentOf(directory), before)
  await shell.end()
})

test.serial('--to without --yes says what it would set aside, and changes nothing', async (t) => {
  const { cwd, directory } = await journal(t)
  const before = contentOf(directory)
  const { code, stdout } = await daybook(t, ['repair', '--to', '7'], { cwd })
  t.is(code, 0)
  t.regex(stdout, /^sound: it would end with sequence 7$/m)
  t.regex(stdout, /^ {2}move 0000000000000011\.segment to a \.broken file$/m)
  t.regex(stdout, /^ {2}move \d+ bytes of 0000000000000006\.segment, from byte \d+ on, to a \.broken file$/m)
  t.regex(stdout, /^It would lose: events 8–12/m)
  t.regex(stdout, /^Nothing was changed\. To repair: daybook repair --directory journal --to 7 --yes$/m)
  t.deepEqual(contentOf(directory), before)
})

for (let to = 0; to <= 12; to++) {
  test.serial(`--to ${to}: the journal ends there, what followed is kept, and it goes on`, async (t) => {
    const { cwd, directory, states } = await journal(t)
    const before = contentOf(directory)
    const { code, stdout } = await daybook(t, ['repair', '--to', `${to}`, '--yes'], { cwd })
    t.is(code, 0)
    t.regex(
      stdout,
      to === 12
        ? /^Nothing to do: the journal ends with sequence 12\.$/m
        : new RegExp(`^The journal opens again, through sequence ${to}\\.$`, 'm'),
    )
    t.like(await daybook(t, ['verify'], { cwd }), { code: 0 })
    const after = contentOf(directory)
    for (const [name, bytes] of before) {
      if (!name.endsWith('.segment')) continue
      const kept = [...after].filter(([other]) => other.startsWith(name)).sort(([a], [b]) => (a < b ? -1 : 1))
      t.deepEqual(Buffer.concat(kept.map(([, part]) => part)), bytes, name)
    }
    const cache = await openSmall(directory)
    t.deepEqual(new Map(cache.entries()), states[to])
    cache.set('after', 1)
    t.is(cache.stats().journal.sequence, to + 1)
    await cache.close()
    t.is((await entriesOf(directory)).get('after'), 1)
  })
}

test.serial('--to inside a frame keeps the frames before it', async (t) => {
  const { cwd, directory } = await journal(t, async (cache) => {
    cache.set('a', 1)
    await cache.flush()
    cache.setMany([
      ['b', 2],
      ['c', 3],
      ['d', 4],
    ])
  })
  const dry = await daybook(t, ['repair', '--to', '3'], { cwd })
  t.regex(dry.stdout, /^sound: sequences 2–4 are one frame, so it would end with sequence 1$/m)
  t.like(await daybook(t, ['repair', '--to', '3', '--yes'], { cwd }), { code: 0 })
  t.deepEqual(await entriesOf(directory), new Map([['a', 1]]))
})

test.serial(
  '--to the sequence of the snapshot keeps that alone; before it, and beyond the end, is refused',
  async (t) => {
    const { cwd, directory } = await journal(t, writeManyRows)
    const before = contentOf(directory)
    for (const [to, reason] of [
      ['2999', /cannot end with sequence 2999: 0000000000003000\.snapshot covers the events through 3000/],
      ['3002', /cannot end with sequence 3002: it ends with 3001\./],
      ['x', /'x'.*integer/],
      ['-1', /integer/],
    ] as const) {
      for (const more of [[], ['--yes']]) {
        const { code, stderr } = await daybook(t, ['repair', `--to=${to}`, ...more], { cwd })
        t.is(code, 2)
        t.regex(stderr, reason)
      }
    }
    t.deepEqual(contentOf(directory), before)
    t.like(await daybook(t, ['repair', '--to', '3000', '--yes'], { cwd }), { code: 0 })
    const entries = await entriesOf(directory)
    t.is(entries.size, 3_000)
    t.false(entries.has('after'))
  },
)

test.serial('--to before damage sets the damage aside; behind it, it is refused', async (t) => {
  const { cwd, directory, states } = await journal(t)
  damage(directory, fileAt(directory, 'segment', 1), 300)
  const { code, stderr } = await daybook(t, ['repair', '--to', '9', '--yes'], { cwd })
  t.is(code, 2)
  t.regex(stderr, /cannot end with sequence 9: it is damaged behind 6 \(.*which "daybook repair" is for/)
  for (const to of [6, 4, 2]) {
    t.like(await daybook(t, ['repair', '--to', `${to}`, '--yes'], { cwd }), { code: 0 })
    t.like(await daybook(t, ['verify'], { cwd }), { code: 0 })
    t.deepEqual(await entriesOf(directory), states[to])
  }
})

test.serial('a journal with too many entries opens after the repair that its error names', async (t) => {
  const { cwd, directory } = await journal(t)
  const options = { directory, maxSize: Number.POSITIVE_INFINITY }
  const error = await t.throwsAsync(openWithin(options, { entriesMax: 5 }), { code: 'JOURNAL_UNREADABLE' })
  const [, command = ''] = /"daybook (repair --to \d+)"/.exec(error?.message ?? '') ?? []
  t.like(await daybook(t, [...command.split(' '), '--yes'], { cwd }), { code: 0 })
  const cache = await openWithin(options, { entriesMax: 5 })
  t.is(cache.size, 5)
  await cache.close()
})

test.serial(
  'a LOCK that names a journal of which there is no file is written again, and nothing is lost',
  async (t) => {
    const { cwd, directory, states } = await journal(t)
    const right = readFileSync(join(directory, 'LOCK'))
    damage(directory, 'LOCK', 3)
    t.like(await daybook(t, ['verify'], { cwd }), { code: 4 })
    const shown = await daybook(t, ['repair'], { cwd })
    t.is(shown.code, 4)
    t.regex(
      shown.stdout,
      /^corrupt: journal\/LOCK names a journal that no file is of; 0000000000000001\.segment is of another one$/m,
    )
    t.regex(shown.stdout, /^It would lose: nothing\.$/m)
    const { code, stdout } = await daybook(t, ['repair', '--yes'], { cwd })
    t.is(code, 0)
    t.regex(stdout, /^ {2}LOCK was written again$/m)
    t.deepEqual(readFileSync(join(directory, 'LOCK')), right)
    t.deepEqual(await entriesOf(directory), states[12])
  },
)
