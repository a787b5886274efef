/**
 * Small journals, damaged in every way: `verify` and opening agree on each, and after `repair` the journal opens in exactly a
 * state that it once had (or, if the beginning was lost, with a part of one and nothing else).
 * DAYBOOK_DAMAGE_STEP: bytes from one damage to the next; with 1 every byte is tried, which takes minutes.
 */
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { applyStep } from '../../../src/cli/repair/apply-repair.js'
import { planRepair } from '../../../src/cli/repair/plan-repair.js'
import { verifyJournal } from '../../../src/cli/verify/verify-journal.js'
import { unlockedDisk } from '../../../src/durable/storage/disk.js'
import type { StorageLock } from '../../../src/durable/storage/storage.js'
import { type Cache, CorruptionError } from '../../../src/index.js'
import {
  copyOf,
  damage,
  openSmall,
  type WrittenJournal,
  writeJournal,
  writeTwelve,
} from '../../helpers/cli/journals.js'
import { countFrom } from '../../helpers/runs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const STEP = countFrom('DAYBOOK_DAMAGE_STEP', 61)

type Damage = readonly [name: string, apply: (directory: string) => void]

const JOURNALS: readonly [name: string, write: (cache: Cache, root: string) => Promise<void>, close: boolean][] = [
  ['three segments', writeTwelve, true],
  ['three segments, not closed', writeTwelve, false],
  ['a snapshot and a segment', writeCompacted, true],
  ['a loaded file', writeLoaded, true],
]

async function writeCompacted(cache: Cache): Promise<void> {
  await writeTwelve(cache)
  await cache.compact()
  cache.set('after', 1)
  cache.delete('key:1')
  await cache.flush()
  cache.set('after', 2)
}

async function writeLoaded(cache: Cache, root: string): Promise<void> {
  await writeTwelve(cache)
  await cache.save(join(root, 'saved'))
  cache.set('gone', 1)
  await cache.load(join(root, 'saved'))
  cache.set('after', 1)
}

/** Files with the names of the others, and no value that they have. */
async function writeOther(cache: Cache): Promise<void> {
  for (let number = 1; number <= 12; number++) {
    cache.set(`key:${number}`, { other: number, text: 'x'.repeat(20) })
    await cache.flush()
  }
  await cache.compact()
}

/** Every byte of LOCK, and each file of another journal beside ours, or in place of one. */
function* mixturesOf(directory: string, other: string): Generator<Damage> {
  for (let offset = 0; offset < statSync(join(directory, 'LOCK')).size; offset++)
    yield [`a bit of LOCK at ${offset}`, (target) => damage(target, 'LOCK', offset, offset % 4)]
  const ours = journalFilesOf(directory)
  for (const file of journalFilesOf(other))
    if (ours.some((name) => name !== file))
      yield [`${file} of another journal`, (target) => copyFileSync(join(other, file), join(target, file))]
  yield ['the LOCK of another journal', (target) => copyFileSync(join(other, 'LOCK'), join(target, 'LOCK'))]
}

function journalFilesOf(directory: string): string[] {
  return readdirSync(directory).filter((name) => /\.(segment|snapshot|loaded)$/.test(name))
}

/** Flipped bits, truncated files, sectors of zeros, files missing, exchanged, doubled, with garbage at the end. */
function* damagesOf(directory: string): Generator<Damage> {
  const files = journalFilesOf(directory)
  for (const file of files) {
    const size = statSync(join(directory, file)).size
    for (let offset = 0; offset < size; offset += STEP) {
      yield [`a bit of ${file} at ${offset}`, (target) => damage(target, file, offset, offset % 8)]
      yield [`${file} cut at ${offset}`, (target) => truncateSync(join(target, file), offset)]
    }
    for (let offset = 0; offset < size; offset += 5 * STEP) {
      yield [
        `zeros in ${file} at ${offset}`,
        (target) => edit(target, file, (bytes) => bytes.fill(0, offset, Math.min(bytes.length, offset + 512))),
      ]
    }
    yield [`${file} missing`, (target) => rmSync(join(target, file))]
    yield [
      `garbage after ${file}`,
      (target) => edit(target, file, (bytes) => Buffer.concat([bytes, Buffer.alloc(300, 'x')])),
    ]
    yield [`${file} twice in itself`, (target) => edit(target, file, (bytes) => Buffer.concat([bytes, bytes]))]
    for (const other of files) {
      if (other !== file)
        yield [`${file} in place of ${other}`, (target) => copyFileSync(join(target, file), join(target, other))]
    }
  }
  yield ['every file missing', (target) => files.forEach((file) => void rmSync(join(target, file)))]
}

function edit(directory: string, file: string, change: (bytes: Buffer) => Buffer): void {
  const path = join(directory, file)
  writeFileSync(path, change(readFileSync(path)))
}

async function openedOrRefused(directory: string): Promise<'opens' | CorruptionError> {
  try {
    await (await openSmall(directory)).close()
    return 'opens'
  } catch (error) {
    if (error instanceof CorruptionError) return error
    throw error
  }
}

/** Repairs until the journal is sound; returns whether nothing was reported as lost. */
async function repair(t: ExecutionContext, directory: string): Promise<boolean> {
  const lock = (await unlockedDisk.lock(join(directory, 'LOCK'))) as StorageLock
  try {
    return await repairLocked(t, directory, lock)
  } finally {
    lock.release()
  }
}

async function repairLocked(t: ExecutionContext, directory: string, lock: StorageLock): Promise<boolean> {
  let isLossless = true
  for (let round = 0; round < 20; round++) {
    const plan = await planRepair(directory)
    if (plan.status === 'sound') return isLossless
    if (plan.losses.length > 0) isLossless = false
    const before = new Map(readdirSync(directory).map((name) => [name, statSync(join(directory, name)).size]))
    for (const step of plan.steps) await applyStep(directory, step, lock)
    const bytesBefore = [...before.values()].reduce((sum, size) => sum + size, 0)
    const bytesAfter = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
    t.true(bytesAfter >= bytesBefore, 'nothing is deleted')
  }
  t.fail('the repair does not end')
  return false
}

/** Returns whether nothing was reported as lost. */
async function check(
  t: ExecutionContext,
  { directory, states }: WrittenJournal,
  root: string,
  [name, apply]: Damage,
): Promise<boolean> {
  const damaged = copyOf(directory, join(root, 'damaged'))
  apply(damaged)
  const opened = copyOf(damaged, join(root, 'opened'))
  try {
    const found = await verifyJournal(damaged, () => undefined)
    const outcome = await openedOrRefused(opened)
    if (outcome === 'opens') t.not(found.status, 'corrupt', name)
    else {
      const { offset, sequence, reason } = outcome
      t.is(found.status, 'corrupt', name)
      t.like(found.problem, { offset, sequence, reason }, name)
    }
    t.is((await planRepair(damaged)).status, found.status, name)

    const isLossless = await repair(t, damaged)
    t.is((await verifyJournal(damaged, () => undefined)).status, 'sound', name)
    const cache = await openSmall(damaged)
    const entries = new Map(cache.entries())
    const state = states[cache.recovery.sequence] ?? new Map()
    await cache.close()
    if (isLossless) t.deepEqual(entries, state, name)
    else
      t.true(
        [...entries].every(([key, value]) => isDeepStrictEqual(value, state.get(key))),
        name,
      )
    return isLossless
  } finally {
    rmSync(damaged, { recursive: true })
    rmSync(opened, { recursive: true })
  }
}

for (const [name, write, close] of JOURNALS) {
  test.serial(`verify, opening and repair agree on every damage of ${name}`, async (t) => {
    t.timeout(600_000)
    const root = temporaryDirectory(t)
    const written = await writeJournal(join(root, 'journal'), (cache) => write(cache, root), { close })
    let count = 0
    for (const one of damagesOf(written.directory)) {
      await check(t, written, root, one)
      count++
    }
    t.log(`${count} damages`)
  })

  test.serial(
    `a wrong LOCK of ${name} costs nothing, and no file of another journal is taken for its own`,
    async (t) => {
      const root = temporaryDirectory(t)
      const written = await writeJournal(join(root, 'journal'), (cache) => write(cache, root), { close })
      const other = await writeJournal(join(root, 'other'), writeOther)
      for (const one of mixturesOf(written.directory, other.directory)) {
        const isLossless = await check(t, written, root, one)
        if (one[0].includes('LOCK')) t.true(isLossless, one[0])
      }
    },
  )
}
