/** What an adapter can stand on, each over a cache in memory whose clock is moved by hand. */
import type { ExecutionContext } from 'ava'
import type { Backing } from '../../../src/edges/adapters/backing.js'
import type { CacheOptions } from '../../../src/index.js'
import { type Opened, openMemory } from '../open-memory.js'
import { connectOver } from './connected.js'

export interface OpenedBacking extends Opened<unknown> {
  backing: Backing | Promise<Backing>
}

type Options = Omit<CacheOptions, 'clock' | 'journal'>

const clientOf = ({ cache }: Opened<unknown>) => connectOver(cache, { isTakeable: false }).client

const KINDS: Readonly<Record<string, (opened: Opened<unknown>) => Backing | Promise<Backing>>> = {
  'a cache': ({ cache }) => cache,
  'a promise of a cache': async ({ cache }) => cache,
  'a namespace': ({ cache }) => cache.namespace('mine:'),
  'a client': clientOf,
  'a namespace of a client': (opened) => clientOf(opened).namespace('mine:'),
}

/** Each kind: its name, and a function that opens one. */
export const BACKINGS = Object.entries(KINDS).map(([kind, from]) => ({
  kind,
  open: async (t: ExecutionContext, options: Options = {}): Promise<OpenedBacking> => {
    const opened = await openMemory<unknown>(t, options)
    return { ...opened, backing: from(opened) }
  },
}))
