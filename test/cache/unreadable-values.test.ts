/**
 * Journals with matching checksums whose values are none. Opening does not decode values, so each is found when it is asked for:
 * by an error that says so, never by a wrong value, a call that does not return, or an uncaught error.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { EncodedPlain, EncodedValue } from '../../src/core/model/stored-value.js'
import { connect } from '../../src/edges/threads/threads.js'
import { type Expiration, openCache, ValueError } from '../../src/index.js'
import { set } from '../../src/testing/conformance/recording.js'
import { ManualClock } from '../../src/testing.js'
import { forgedFile } from '../helpers/durable/forged-file.js'
import { loopTurn } from '../helpers/loop-turn.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const START = 1_704_110_400_000
const structured = (...bytes: number[]) => new EncodedValue('structured', Uint8Array.from(bytes))

const VALUES: Record<string, EncodedPlain | EncodedValue> = {
  'is plain data that ends too early': new EncodedPlain('\x12\x02\x00'),
  'is plain data of an unknown kind': new EncodedPlain('\x12\x01\x63'),
  'breaks off': structured(0xff, 0x0f, 0x6f, 0x22),
  'is not encoded': structured(1, 2, 3),
  'is of a newer version of V8': structured(0xff, 0x7f, 0x6f, 0x7b, 0x00),
  'is undefined': structured(0xff, 0x0f, 0x5f),
  'is empty': structured(),
}

/** A cache of a journal in which `bad` and `mortal` hold the value, and `good` holds 1. */
async function opened(t: ExecutionContext, value: EncodedPlain | EncodedValue, maxSize = 10) {
  const directory = join(temporaryDirectory(t), 'journal')
  mkdirSync(directory)
  const events = [set('bad', value), set('mortal', value, START + 10_000), set('good', 1)]
  writeFileSync(join(directory, '0000000000000001.segment'), forgedFile('segment', 1, [{ events }]))
  const clock = new ManualClock(START)
  const cache = await openCache<unknown>({ directory, clock, maxSize })
  t.teardown(() => cache.close())
  return { cache, clock, directory }
}

for (const [what, value] of Object.entries(VALUES)) {
  test(`a value that ${what}: whoever reads it is told, and the others are answered`, async (t) => {
    const { cache } = await opened(t, value)
    const refusal = { instanceOf: ValueError, message: /^Cannot read a value of the journal: / }
    t.throws(() => cache.get('bad'), refusal)
    t.throws(() => cache.peek('bad'), refusal)
    t.throws(() => cache.getMany(['good', 'bad']), refusal)
    t.throws(() => [...cache.entries()], refusal)
    await t.throwsAsync(
      cache.getOrSet('bad', () => 1),
      refusal,
    )
    t.true(cache.has('bad'))
    t.is(cache.get('good'), 1)
    t.true(cache.set('bad', 'good again'))
    t.is(cache.get('bad'), 'good again')
    t.true(cache.delete('mortal'))
  })

  test(`a value that ${what}: a client's call for it is refused, and the calls beside it are answered`, async (t) => {
    const { cache } = await opened(t, value)
    const client = await connect(cache.share())
    t.teardown(() => client.close())
    const refusal = { instanceOf: ValueError }
    const calls = [client.get('good'), client.get('bad'), client.getMany(['bad']), client.entries(), client.has('bad')]
    const answers = (await Promise.allSettled(calls)) as { status: string; value?: unknown; reason?: Error }[]
    t.deepEqual(
      answers.map((answer) => answer.value ?? answer.reason?.constructor),
      [1, ValueError, ValueError, ValueError, true],
    )
    await t.throwsAsync(client.transact([{ type: 'require', key: 'bad', equals: { a: 1 } }]), refusal)
    t.is(await client.increment('good'), 2)
  })

  test(`a value that ${what}: a client's streams have \`undefined\` for it, and continue`, async (t) => {
    const { cache, clock } = await opened(t, value, 3)
    const client = await connect<unknown>(cache.share())
    t.teardown(() => client.close())
    const emitted: unknown[] = []
    client.expirations$.subscribe(({ key, value }) => emitted.push([key, value]))
    client.evictions$.subscribe(({ key, value }) => emitted.push([key, value]))
    await client.get('good')
    clock.advance(10)
    cache.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    await client.get('a')
    t.deepEqual(emitted, [
      ['mortal', undefined],
      ['bad', undefined],
      ['good', 1],
    ])
  })

  test.serial(`a value that ${what}: its expiration and its eviction are told without it, in order`, async (t) => {
    const warnings: string[] = []
    const onWarning = ({ name, message }: Error) => warnings.push(`${name}: ${message}`)
    process.on('warning', onWarning)
    t.teardown(() => process.off('warning', onWarning))
    const { cache, clock } = await opened(t, value, 3)
    const told: unknown[] = []
    cache.changes$.subscribe(({ type, key }) => told.push([type, key]))
    cache.expirations$.subscribe(({ key, value, expiresAtMs }: Expiration) => told.push([key, value, expiresAtMs]))
    cache.evictions$.subscribe(({ key, value }) => told.push([key, value]))
    clock.advance(10)
    cache.setMany([
      ['a', 1],
      ['b', 2],
    ])
    for (let turn = 0; turn < 5; turn++) await loopTurn()
    t.deepEqual(told, [
      ['expired', 'mortal'],
      ['mortal', undefined, START + 10_000],
      ['set', 'a'],
      ['evicted', 'bad'],
      ['bad', undefined],
      ['set', 'b'],
    ])
    t.is(warnings.length, 1)
    t.regex(warnings[0] as string, /^DaybookWarning: .*Cannot read a value of the journal/)
  })

  test(`a value that ${what}: what a save keeps of it, a load refuses by its key`, async (t) => {
    const { cache, directory } = await opened(t, value)
    const saved = join(directory, '..', 'saved.dbk')
    t.true((await cache.save(saved)).ok)
    const loaded = await cache.load(saved)
    t.true(!loaded.ok && loaded.error instanceof ValueError && loaded.error.message.includes("'bad'"))
    const pickled = await cache.save(join(directory, '..', 'saved.pickle'))
    t.true(!pickled.ok && pickled.error instanceof ValueError)
    t.is(cache.size, 3)
  })
}
