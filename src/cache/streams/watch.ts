import type { Observable } from 'rxjs'
import { filter } from 'rxjs/internal/operators/filter'
import { compileGlob } from '../../core/decide/glob.js'
import type { Change } from './change.js'

/** Changes to keys that match a pattern, and changes to all keys: `cleared` and `loaded`. */
export function watch<V>(changes$: Observable<Change<V>>, pattern: string): Observable<Change<V>> {
  const matches = compileGlob(pattern)
  return changes$.pipe(filter((change) => change.key === undefined || matches(change.key)))
}
