/**
 * The streams of a node: those of its own copy, which has the same events with the same sequences as every other one. Only warnings, of
 * loads for example, come from the leader, where they arise. Before: cluster-client. After: the node's cache, and edges/remote.
 */
import { merge } from 'rxjs/internal/observable/merge'
import { filter } from 'rxjs/internal/operators/filter'
import { map } from 'rxjs/internal/operators/map'
import { type Cache, innerOf } from '../../../cache/cache.js'
import { restoreValue } from '../../../values/encode.js'
import type { StreamsOf } from '../../remote/client/remote-cache.js'

/** `ofLeader$`: the lifecycle of the leader's cache, whichever that is. */
export function streamsOf<V>(cache: Cache<V>, ofLeader$: Cache<V>['lifecycle$']): Omit<StreamsOf<V>, 'watch'> {
  const { changes$, expirations$, evictions$, stats$, lifecycle$ } = cache
  const removals$: StreamsOf<V>['removals$'] = innerOf(cache).streams.removals$.pipe(
    map((removal) =>
      removal.key === undefined ? removal : { ...removal, value: restoreValue(removal.value, 'copy') as V },
    ),
  )
  const own$ = lifecycle$.pipe(filter(({ warning }) => warning === undefined))
  const warnings$ = ofLeader$.pipe(filter(({ warning }) => warning !== undefined))
  return { changes$, expirations$, evictions$, removals$, stats$, lifecycle$: merge(own$, warnings$) }
}
