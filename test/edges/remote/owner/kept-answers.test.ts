/**
 * A numbered command takes effect once, however often it is asked, and whoever owns the cache by then. An owner ends here without
 * a close: its directory is copied as it is, and another cache is opened on the copy.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Cache, innerOf } from '../../../../src/cache/cache.js'
import { Answers } from '../../../../src/core/evolve/answers.js'
import { DurableAnswers } from '../../../../src/edges/remote/owner/durable-answers.js'
import { KeptAnswers } from '../../../../src/edges/remote/owner/kept-answers.js'
import { Session } from '../../../../src/edges/remote/owner/session.js'
import { WriteGate } from '../../../../src/edges/remote/owner/write-gate.js'
import { OP } from '../../../../src/edges/remote/wire/codes.js'
import { LIST, toWire } from '../../../../src/edges/remote/wire/wire-value.js'
import { openCache } from '../../../../src/index.js'
import { storeValue } from '../../../../src/values/encode.js'
import { MemoryLine } from '../../../helpers/edges/memory-lines.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const CLIENT = '00000000000000aa'

class Owner {
  readonly cache: Cache
  readonly directory: string
  readonly #line: MemoryLine
  #answered: (parts: unknown[][]) => void = () => undefined

  private constructor(cache: Cache, directory: string) {
    this.cache = cache
    this.directory = directory
    const door = innerOf(cache)
    const [ours, theirs] = MemoryLine.pair({ isTakeable: false })
    new Session({ cache, door, durableAnswers: new DurableAnswers(door) }, ours, {
      extras: {},
      onClose: () => undefined,
      numbered: {
        answers: new KeptAnswers(door.numbered, CLIENT),
        gate: new WriteGate(door),
        changesAfter: () => {
          throw new Error('not asked')
        },
      },
    })
    this.#line = theirs
    theirs.onMessage((parts) => this.#answered(parts as unknown[][]))
  }

  static async begin(t: ExecutionContext, directory: string): Promise<Owner> {
    const cache = await openCache({ directory, fsync: 'never', maxSize: 10_000 })
    t.teardown(() => cache.close())
    return new Owner(cache, directory)
  }

  /** The results of a batch of requests, which are numbered from `first`. */
  async ask(received: number, first: number, ...requests: unknown[]): Promise<unknown[]> {
    const answer = new Promise<unknown[][]>((resolve) => {
      this.#answered = resolve
    })
    this.#line.post([received, [first, ...requests]])
    return ((await answer)[0] as unknown[]).slice(2)
  }

  /** The next owner, after this one was killed now. */
  async killed(t: ExecutionContext): Promise<Owner> {
    const copy = join(temporaryDirectory(t), 'copy')
    cpSync(this.directory, copy, { recursive: true })
    return Owner.begin(t, copy)
  }
}

const value = toWire(storeValue({ a: [1, 2] }, 'copy'))
const COMMANDS: Record<string, { requests: unknown[]; results: unknown[] }> = {
  increment: { requests: [OP.add, 'n', 5], results: [5] },
  set: { requests: [OP.set, 'new', value, undefined, undefined, 'absent'], results: [true] },
  take: { requests: [OP.take, 'object'], results: [value] },
  delete: { requests: [OP.delete, 'object'], results: [true] },
  deletePattern: { requests: [OP.deletePattern, '*'], results: [1] },
  clear: { requests: [OP.add, 'n', 5, OP.clear], results: [5, undefined] },
  transact: {
    requests: [
      OP.transact,
      [
        [OP.increment, ['n', 2, undefined], undefined],
        [OP.get, ['object'], undefined],
      ],
    ],
    results: [[LIST, 2, value]],
  },
}

for (const [name, { requests, results }] of Object.entries(COMMANDS)) {
  for (const between of ['nothing', 'a compaction', 'another owner']) {
    test(`${name}, asked again after the owner was killed, with ${between} between: the same answer, no second effect`, async (t) => {
      let owner = await Owner.begin(t, temporaryDirectory(t))
      owner.cache.set('object', { a: [1, 2] })
      t.deepEqual(await owner.ask(0, 1, ...requests), results)
      const { sequence } = owner.cache.stats().journal as { sequence: number }
      if (between === 'a compaction') await owner.cache.compact()
      owner = await owner.killed(t)
      if (between === 'another owner') owner = await owner.killed(t)
      t.deepEqual(await owner.ask(0, 1, ...requests), results)
      t.is((owner.cache.stats().journal as { sequence: number }).sequence, sequence)
    })
  }
}

// Before the others, which need what it takes away.
test.serial('without the answers in the snapshot a command would take effect twice', async (t) => {
  const { notes } = Answers.prototype
  let owner = await Owner.begin(t, temporaryDirectory(t))
  t.deepEqual(await owner.ask(0, 1, OP.add, 'n', 1), [1])
  Answers.prototype.notes = () => []
  await owner.cache.compact()
  Answers.prototype.notes = notes
  owner = await owner.killed(t)
  t.deepEqual(await owner.ask(0, 1, OP.add, 'n', 1), [2])
})

test('a command that changed nothing is decided anew as long as its client has changed nothing after it', async (t) => {
  let owner = await Owner.begin(t, temporaryDirectory(t))
  owner.cache.set('text', 'x')
  t.deepEqual(await owner.ask(0, 1, OP.delete, 'none'), [false])
  owner = await owner.killed(t)
  owner.cache.set('none', 1)
  t.deepEqual(await owner.ask(0, 1, OP.delete, 'none'), [true])
})

test('a command that changed nothing, or was refused, is not decided anew after a later change of its client', async (t) => {
  let owner = await Owner.begin(t, temporaryDirectory(t))
  owner.cache.set('text', 'x')
  const requests = [OP.delete, 'none', OP.add, 'text', 1, OP.add, 'n', 5]
  const answers = await owner.ask(0, 1, ...requests)
  t.is(answers[0], false)
  t.regex(JSON.stringify(answers[1]), /INVALID_VALUE/)
  t.is(answers[2], 5)
  owner = await owner.killed(t)
  owner.cache.set('none', 1)
  owner.cache.set('text', 1)
  t.deepEqual(await owner.ask(0, 1, ...requests), answers)
  t.is(owner.cache.get('none'), 1)
  t.is(owner.cache.get('text'), 1)
})

test('whoever waits for each answer leaves no notes of what changed nothing', async (t) => {
  const owner = await Owner.begin(t, temporaryDirectory(t))
  for (let number = 1; number <= 5; number++) await owner.ask(number - 1, number, OP.delete, 'none')
  t.deepEqual(await owner.ask(5, 6, OP.add, 'n', 5), [5])
  const { numbered } = innerOf(owner.cache)
  t.deepEqual(
    [1, 2, 3, 4, 5, 6].map((number) => numbered.find(CLIENT, number)),
    [undefined, undefined, undefined, undefined, undefined, { answer: 5 }],
  )
})

test('answers are forgotten when the client says that it has them, and bounded', async (t) => {
  let owner = await Owner.begin(t, temporaryDirectory(t))
  const { numbered } = innerOf(owner.cache)
  const text = 'x'.repeat(20_000)
  owner.cache.set('small', text)
  owner.cache.set('large', 'x'.repeat(70_000))
  t.deepEqual(await owner.ask(0, 1, OP.take, 'small', OP.take, 'large'), [text, 'x'.repeat(70_000)])
  t.true(numbered.bytesFor(CLIENT) < 70_000)
  owner = await owner.killed(t)
  const [small, large] = (await owner.ask(0, 1, OP.take, 'small', OP.take, 'large')) as [string, unknown[]]
  t.is(small, text)
  t.true(JSON.stringify(large).includes('OUTCOME_UNKNOWN'))
  t.true(JSON.stringify(large).includes('exactly once'))
  await owner.ask(2, 3, OP.add, 'n', 1)
  t.true(innerOf(owner.cache).numbered.bytesFor(CLIENT) < 100)
  t.is(innerOf(owner.cache).numbered.find(CLIENT, 1), undefined)
  innerOf(owner.cache).numbered.forget(CLIENT)
  t.deepEqual(innerOf(owner.cache).numbered.clients, [])
})

test('clear and load keep the answers; a saved file has none', async (t) => {
  const owner = await Owner.begin(t, temporaryDirectory(t))
  const file = join(temporaryDirectory(t), 'saved')
  await owner.ask(0, 1, OP.add, 'n', 1)
  t.like(await owner.cache.save(file), { ok: true })
  owner.cache.clear()
  t.like(await owner.cache.load(file), { ok: true })
  t.deepEqual(await owner.ask(0, 1, OP.add, 'n', 1), [1])
  t.is(owner.cache.get('n'), 1)
  const other = await Owner.begin(t, temporaryDirectory(t))
  t.like(await other.cache.load(file), { ok: true })
  t.deepEqual(innerOf(other.cache).numbered.clients, [])
})
