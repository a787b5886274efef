/** What happens in a simulated history: calls and faults, one after the other. It is data, so that it can be printed and shortened. */
import type { FaultRates } from '../../../src/edges/cluster/memory/network.js'
import type { Step } from './checkers/history.js'

/** A place for a node, which may be empty; or that of whichever node leads. */
export type Place = number | 'leader'

/** A call whose result no checker knows; it must end. */
export type OtherCall =
  | { readonly method: 'expire' | 'touch'; readonly key: string; readonly ttlMs: number }
  | { readonly method: 'persist' | 'take' | 'use'; readonly key: string }
  | { readonly method: 'cleanup' | 'compact' }
  | { readonly method: 'resize'; readonly maxSize: number }

/** Options of `getOrSet`. A ttl of 0 stands for none. */
export interface LoadedLife {
  readonly ttlMs: number
  readonly staleMs: number
  readonly tags: readonly string[]
}

/** What happens to a message: it is lost, its answer is, it arrives late or twice, its answer arrives late, or (an append) it is refused. */
export type MessageFault = 'lost' | 'unanswered' | 'late' | 'doubled' | 'answered late' | 'refused'

export type Action = { readonly afterMs: number } & (
  | { readonly do: 'call'; readonly at: Place; readonly steps: readonly Step[] }
  | ({ readonly do: 'other'; readonly at: Place } & OtherCall)
  /** `getOrSet`, whose loader takes so long. */
  | ({ readonly do: 'getOrSet'; readonly at: Place; readonly key: string; readonly loadMs: number } & LoadedLife)
  /** Iterates over `changesSince`, from so many changes before the last one. */
  | { readonly do: 'changesSince'; readonly at: Place; readonly back: number }
  | { readonly do: 'sample'; readonly at: Place }
  /**
   * Until the end of that time. `cut`: no message from or to it; `isolate`: none from or to other nodes. `leave` is a close in order; then, as after a crash, a
   * new node comes in its place.
   */
  | { readonly do: 'cut' | 'isolate' | 'stop' | 'crash' | 'leave'; readonly at: Place; readonly forMs: number }
  /** From now on its clock is ahead by that much. */
  | { readonly do: 'skew'; readonly at: Place; readonly ms: number }
  /** Happens to the next messages of this kind that it sends. */
  | {
      readonly do: 'fault'
      readonly at: Place
      readonly what: string
      readonly fault: MessageFault
      readonly count: number
      /** How late; by chance if it is not given. */
      readonly byMs?: number
    }
)

export interface Script {
  /** Of latencies, delays and elections. */
  readonly seed: number
  readonly nodes: number
  readonly maxSize: number
  /** Bytes of the log after which a snapshot is due. */
  readonly snapshotBytes: number
  /** The longest body of a record: what is longer becomes an object. 1 MiB if it is not given. */
  readonly bodyBytesMax?: number
  /** What chance does beside the actions. */
  readonly rates: Partial<FaultRates>
  readonly actions: readonly Action[]
}

export function shown(script: Script): string {
  const { actions, ...rest } = script
  const lines = actions.map((action) => `    ${JSON.stringify(action)},`)
  return [`${JSON.stringify(rest)} with`, ...lines].join('\n')
}
