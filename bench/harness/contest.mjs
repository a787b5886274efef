/** One call, several contenders: opens and fills them, has each make the call in rounds, and closes them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { whyAbsent } from '../peers/peers.mjs'
import { compileLoop } from './loop.mjs'
import { measure, rowsOf } from './measure.mjs'
import { scaled } from './smoke.mjs'

const ROUND_MS = 60
/**
 * With few entries in memory a round takes only milliseconds; on a busy machine a steady median needs more rounds. Not where
 * stores on disk take part, which use all of ROUND_MS.
 */
const MORE_ROUNDS_BELOW = 200_000
const PEERS_IN_MEMORY_MOST = 4
export const roundsFor = (entries, peers, rounds) =>
  entries < MORE_ROUNDS_BELOW && peers.length <= PEERS_IN_MEMORY_MOST ? rounds * 3 : rounds
const CALLS_LEAST = scaled(300)
export const CALLS_MOST = scaled(100_000)
/** A key gets a different value in each round: writing the same value again costs some systems nothing (SQLite: not even a sync). */
export const SHIFTS = 64

/**
 * @param contest.about The fields that all rows have: topic, case, keys, kind …
 * @param contest.peers The contenders, daybook first.
 * @param contest.call The name of the call, in `peer.calls`.
 * @param contest.fill Keys and values to set before the first round.
 * @param contest.keys The keys of the calls, round by round; a contender that has used all of them starts again.
 * @param contest.key The source of a call's key, if it is not one of `keys` as it is.
 * @param contest.values The values of one round.
 */
export async function contest({
  about,
  peers,
  call,
  fill,
  keys,
  key,
  values,
  size,
  kind,
  rounds,
  directory,
  check,
  options,
}) {
  const most = Math.min(CALLS_MOST, keys.length, Math.max(1, values.length - SHIFTS))
  const entered = []
  const absent = []
  try {
    for (const [place, peer] of peers.entries()) {
      const reason = await enter(peer, join(directory, String(place)))
      if (reason !== undefined) absent.push({ ...about, system: peer.name, absent: reason })
    }
    const figures = await measure(entered, roundsFor(size, peers, rounds))
    return [...rowsOf({ ...about, unit: 'ns/call' }, figures, peers[0].name), ...absent]
  } finally {
    for (const { handle } of entered) await handle.close?.()
  }

  async function enter(peer, own) {
    const missing = await whyAbsent(peer)
    if (missing !== undefined) return missing
    mkdirSync(own, { recursive: true })
    let handle
    try {
      handle = await peer.open({ size, kind, directory: own, ...options })
    } catch (error) {
      return String(error.message).split('\n')[0]
    }
    if (handle?.calls[call] === undefined) {
      await handle?.close?.()
      return undefined // it does not have this call, so it does not take part
    }
    const way = wayOf(handle, call)
    if (fill !== undefined) await fillUp(handle, fill, kind)
    const loop = compileLoop(handle.calls[call], handle.scope, way, key)
    // The first reads of an object decode it. Otherwise that would be in the pace and in all rounds.
    if (fill !== undefined && call === 'get')
      for (let read = 0; read < 2; read++) await loop(fill.keys, fill.values, 0, fill.keys.length)
    const settle = handle.settle ?? (() => undefined)
    check?.(peer.name, await loop(keys, values, 0, 1), keys[0])
    // A system that writes the calls of a turn together is faster the longer the turn (lmdb: 1 µs or 6), so it gets as many as daybook.
    const calls = handle.settle === undefined ? await pace(loop, settle, keys, values, most) : most
    const windows = Math.floor(keys.length / calls)
    const run =
      way === 'sync' && handle.settle === undefined
        ? (round) => {
            loop(keys, values, (round % windows) * calls, calls, round % SHIFTS)
          }
        : async (round) => {
            await loop(keys, values, (round % windows) * calls, calls, round % SHIFTS)
            await settle()
          }
    entered.push({ name: peer.name, handle, calls, run })
    return undefined
  }
}

export const wayOf = (handle, call) => (typeof handle.way === 'object' ? handle.way[call] : handle.way) ?? 'sync'

export async function fillUp(handle, { keys, values }, kind) {
  if (handle.fill !== undefined) return handle.fill(keys, values, kind)
  const way = wayOf(handle, 'set')
  await compileLoop(handle.calls.set, handle.scope, way === 'awaited' ? 200 : way)(keys, values, 0, keys.length)
  await handle.settle?.()
}

/** How many calls take about ROUND_MS, so that a system that is a thousand times slower does not hold up the others. */
async function pace(loop, settle, keys, values, most) {
  for (let calls = Math.min(CALLS_LEAST, most); ; calls = Math.min(most, calls * 4)) {
    const startMs = performance.now()
    await loop(keys, values, 0, calls)
    await settle()
    const tookMs = performance.now() - startMs
    if (tookMs < ROUND_MS / 4 && calls < most) continue
    return Math.max(Math.min(CALLS_LEAST, most), Math.min(most, Math.floor((calls * ROUND_MS) / tookMs)))
  }
}
