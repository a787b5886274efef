/** What is measured, in the order of the table. A topic lists its cases, each of which runs in its own process. */
import { bytes } from './bytes.mjs'
import { durable } from './durable.mjs'
import { eviction } from './eviction.mjs'
import { get } from './get.mjs'
import { growth } from './growth.mjs'
import { keys } from './keys.mjs'
import { kill } from './kill.mjs'
import { memory } from './memory.mjs'
import { objects } from './objects.mjs'
import { parts } from './parts.mjs'
import { processes } from './processes.mjs'
import { recovery } from './recovery.mjs'
import { set } from './set.mjs'
import { stalls } from './stalls.mjs'
import { streams } from './streams.mjs'
import { syncs } from './syncs.mjs'
import { threads } from './threads.mjs'
import { views } from './views.mjs'

export const TOPICS = [
  get,
  set,
  objects,
  eviction,
  durable,
  syncs,
  recovery,
  stalls,
  views,
  keys,
  parts,
  memory,
  bytes,
  streams,
  growth,
  threads,
  processes,
  kill,
]
