/**
 * Each call to the storage fails in turn, once or from then on, in one long history: opening, writing, rotating, compacting,
 * closing, opening again. Whatever errors the caller got, what it was promised is there after a SIGKILL and after a power cut, and
 * every error is one of the cache's own.
 */
import test from 'ava'
import { type Cache, CacheError } from '../../src/index.js'
import { BROKEN_PROTOCOLS, type BrokenProtocol } from '../helpers/crash/broken-protocols.js'
import { DiskHistory } from '../helpers/crash/crash-states.js'
import { whatIsWrong } from '../helpers/crash/explore.js'
import { Ledger } from '../helpers/crash/model.js'
import { recoverImage } from '../helpers/crash/recover-image.js'
import { Stage, UNCHANGED, type Wrap } from '../helpers/crash/stage.js'
import { type Call, type Fault, SimulatedDisk } from '../helpers/durable/simulated-disk.js'
import { Random } from '../helpers/random.js'

const STATES_AT_A_PLACE = 4
/** Power cuts are tried at one of this many operations. */
const ONE_PLACE_IN = 40
const whole = { runs: 0, reported: 0, states: 0 }
const isWrite = (call: Call) => call.name === 'write' || call.name === 'writeLater'

const FAULTS: [string, (call: Call) => Fault | undefined][] = [
  ['fails', () => ({ error: 'EIO' })],
  [
    'has no space',
    (call) => (isWrite(call) || call.name === 'create' ? { error: 'ENOSPC', ...half(call) } : undefined),
  ],
  ['is short', (call) => (isWrite(call) ? { short: 50 } : undefined)],
]

function half(call: Call): { partial?: number } {
  return isWrite(call) ? { partial: 70 } : {}
}

/** Plays the history, and returns the codes of the errors that the caller got. */
async function play(stage: Stage): Promise<string[]> {
  const codes: string[] = []
  let cache: Cache | undefined
  const attempt = async (action: (cache: Cache) => unknown) => {
    try {
      cache ??= await stage.open({ fsync: 'always', compaction: { journalBytes: 1e9, segmentBytes: 900 } })
      await action(cache)
    } catch (error) {
      if (!(error instanceof CacheError)) throw error
      codes.push(error.code)
      if (error.code !== 'OUTCOME_UNKNOWN' && error.code !== 'JOURNAL_READ_ONLY') return
      await cache?.close().catch(() => undefined)
      cache = undefined
    }
  }
  const flush = (opened: Cache) => stage.flush(opened)
  for (let round = 0; round < 3; round++) {
    for (let at = 0; at < 5; at++) {
      await attempt((opened) => opened.set(`k${at}`, `${round}${'x'.repeat(260)}`))
      await attempt((opened) => opened.transact(() => [opened.increment('n'), opened.delete('k1')]))
      await attempt(flush)
      await stage.turn()
    }
    await attempt((opened) => opened.compact())
    stage.clock.advance(1)
    await attempt(flush)
    await attempt((opened) => opened.get('k0'))
    await attempt(async (opened) => {
      await opened.close() // if nothing can be written it stays open, and the next round goes on with it
      cache = undefined
    })
  }
  await cache?.close({ force: true }).catch(() => undefined)
  return codes
}

async function check(disk: SimulatedDisk, random: Random): Promise<string | undefined> {
  const history = new DiskHistory(disk)
  const ledger = new Ledger(disk)
  while (!history.isAtEnd) {
    ledger.take(history.step(), history)
    if (random.below(ONE_PLACE_IN) > 0) continue
    for (const { image } of history.statesAt(STATES_AT_A_PLACE, random)) {
      whole.states++
      const wrong = whatIsWrong(await recoverImage(image), ledger)
      if (wrong !== undefined) return `after a power cut at ${history.at} of ${disk.log.length} operations: ${wrong}`
    }
  }
  const killed = whatIsWrong(await recoverImage(disk.image()), ledger)
  return killed === undefined ? undefined : `after SIGKILL: ${killed}`
}

/** Returns the first thing that is wrong. */
async function failEachInTurn(
  fault: (call: Call) => Fault | undefined,
  isOnce: boolean,
  wrap: Wrap,
): Promise<string | undefined> {
  const sound = new SimulatedDisk()
  sound.plan = () => undefined // calls are counted by asking
  const unexpected = await play(new Stage(sound, wrap))
  if (unexpected.length > 0) return `${unexpected.join()} without a fault`
  const random = new Random(1)
  for (let place = 0; place < sound.calls; place++) {
    const disk = new SimulatedDisk()
    const stage = new Stage(disk, wrap)
    disk.plan = (call) => ((isOnce ? call.index === place : call.index >= place) ? fault(call) : undefined)
    const codes = await play(stage)
    stage.kill()
    disk.plan = undefined
    whole.runs++
    if (codes.length > 0) whole.reported++
    const wrong = await check(disk, random)
    if (wrong !== undefined) return `call ${place}, errors of the caller: ${codes.join() || 'none'}: ${wrong}`
  }
  return sound.calls > 150 ? undefined : `only ${sound.calls} calls were made to fail`
}

for (const [what, fault] of FAULTS) {
  for (const isOnce of [true, false]) {
    test.serial(`each call ${what}${isOnce ? ', once' : ', and all like it from then on'}`, async (t) => {
      t.is(await failEachInTurn(fault, isOnce, UNCHANGED), undefined)
    })
  }
}

for (const name of ['ignores a failed fsync', 'does not sync the directory']) {
  test.serial(`caught: a journal that ${name}`, async (t) => {
    const { wrap } = BROKEN_PROTOCOLS.find((broken) => broken.name === name) as BrokenProtocol
    t.not(await failEachInTurn(() => ({ error: 'EIO' }), true, wrap), undefined)
  })
}

test.after.always(() => {
  console.log(
    `Every failure: ${whole.runs} histories with a fault, ${whole.reported} of which gave the caller an error; ${whole.states} power cuts after them`,
  )
})
