/** The state that a journal comes to, by the same `evolve` as everywhere, without opening it. */

import { planReading } from '../../cli/journal-directory.js'
import { evolve } from '../../core/evolve/evolve.js'
import { Replacement } from '../../core/evolve/replacement.js'
import { State } from '../../core/evolve/state.js'
import type { LoadedEvent } from '../../core/model/event.js'
import { encodedBytes } from '../format/encode-event.js'
import type { Frame } from '../format/frame.js'
import type { JournalFile, JournalFiles } from '../format/journal-files.js'
import { readSnapshot, takeRows } from '../snapshot/read-snapshot.js'
import { disk } from '../storage/disk.js'
import { readLoaded } from './loaded-file.js'
import { type Chain, eventsOf, JOURNAL_BEGIN, readChain } from './read-chain.js'
import type { ChainStart } from './read-segments.js'

export interface Replayed {
  state: State
  chain: Chain
  snapshot: JournalFile | undefined
  segments: JournalFile[]
  events: number
}

export async function replay(
  directory: string,
  files: JournalFiles,
  progress: (doneBytes: number, totalBytes: number) => void,
): Promise<Replayed> {
  const { snapshot, segments } = planReading(files, directory)
  const totalBytes = [snapshot, ...segments].reduce((sum, file) => sum + (file?.bytes ?? 0), 0)
  const state = new State({
    maxSize: Number.POSITIVE_INFINITY,
    maxBytes: Number.MAX_SAFE_INTEGER, // not a limit, but what makes it count bytes
    weigh: encodedBytes,
  })
  let doneBytes = 0
  let events = 0
  const done = (frame: Frame) => progress((doneBytes += frame.length), totalBytes)

  const start = await readRows(snapshot, state, done)
  const chain = await readChain(directory, segments, start, snapshot !== undefined, async (frame, bytes, file) => {
    for (const event of eventsOf(frame, bytes, file.path)) {
      if (event.type === 'loaded') await load(directory, event, state)
      else evolve(state, event)
      events++
    }
    state.counters.copyFrom(frame.counters)
    done(frame)
  })
  return { state, chain, snapshot, segments, events }
}

async function readRows(
  snapshot: JournalFile | undefined,
  state: State,
  done: (frame: Frame) => void,
): Promise<ChainStart> {
  if (snapshot === undefined) return JOURNAL_BEGIN
  const { path, sequence } = snapshot
  const found = await readSnapshot(disk, { path, kind: 'snapshot', sequence }, (frame, bytes) => {
    takeRows(frame, bytes, (key, value, expiresAtMs) => evolve(state, { type: 'set', key, value, expiresAtMs }))
    done(frame)
  })
  state.counters.copyFrom(found.counters)
  const { journalId, previousChecksum } = found
  return { journalId, nextSequence: sequence + 1, previousChecksum }
}

async function load(directory: string, event: LoadedEvent, state: State): Promise<void> {
  const rows = new Replacement(state)
  const found = await readLoaded(directory, event, (frame, bytes) => {
    takeRows(frame, bytes, (key, value, expiresAtMs) => rows.add(key, value, expiresAtMs))
  })
  rows.counters.copyFrom(found.counters)
  evolve(state, event, rows)
}
