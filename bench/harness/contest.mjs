/** One call, several contenders: opens them, fills them, lets each make the call in rounds, closes them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { whyAbsent } from '../peers/peers.mjs'
import { compileLoop } from './loop.mjs'
import { measure, rowsOf } from './measure.mjs'

const ROUND_MS = 60
/** With few entries a round takes some milliseconds; on a busy machine it takes more of them for a steady median. */
const MORE_ROUNDS_BELOW = 200_000
const CALLS_LEAST = 300
export const CALLS_MOST = 100_000
/** A key gets another value in each round: to write what is there already costs some systems nothing (SQLite: not even a sync). */
export const SHIFTS = 64

/**
 * @param contest.about What the rows say: topic, case, keys, value …
 * @param contest.peers Who takes part, ours first.
 * @param contest.call The name of the call, in `peer.calls`.
 * @param contest.fill Keys and values that are there before the first round.
 * @param contest.keys The keys of the calls, round by round; a contender that has used them up begins anew.
 * @param contest.values The values of one round.
 */
export async function contest(given) {
  const { about, peers, call, fill, keys, values, size, kind, rounds, directory, check, options } = given
  const most = Math.min(CALLS_MOST, keys.length, Math.max(1, values.length - SHIFTS))
  const entered = []
  const absent = []
  try {
    for (const [place, peer] of peers.entries()) {
      const reason = await enter(peer, join(directory, String(place)))
      if (reason !== undefined) absent.push({ ...about, system: peer.name, absent: reason })
    }
    const figures = await measure(entered, size < MORE_ROUNDS_BELOW ? rounds * 3 : rounds)
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
      return undefined // it has no such call: it is no contender, and nothing is missing
    }
    const way = wayOf(handle, call)
    if (fill !== undefined) await fillUp(handle, fill, kind)
    const loop = compileLoop(handle.calls[call], handle.scope, way)
    const settle = handle.settle ?? (() => undefined)
    check?.(peer.name, await loop(keys, values, 0, 1), keys[0])
    // Who writes a turn's calls together is as quick as its turn is long: it gets as many as we do. lmdb takes 1 µs or 6.
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

/** As many calls a round as take about ROUND_MS, so that who needs a thousand times as long doesn't hold up the others. */
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
