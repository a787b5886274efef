import { setImmediate as nextTurn } from 'node:timers/promises'

const PORTION = 32 * 1024

/**
 * Room for numbers that the system has really given: written once, a portion a turn. The first write to new memory makes the
 * system find and clear it; all in one turn, for a million entries, that took 15 ms where copying takes 2.
 */
export async function touchedRoom(length: number): Promise<Uint32Array> {
  const room = new Uint32Array(length)
  for (let at = 0; at < length; at += PORTION) {
    if (at > 0) await nextTurn()
    room.fill(1, at, at + PORTION)
  }
  return room
}
