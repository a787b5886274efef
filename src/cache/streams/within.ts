import type { Observable } from 'rxjs'
import { filter } from 'rxjs/internal/operators/filter'
import { map } from 'rxjs/internal/operators/map'

/** Those of the events whose keys begin with a prefix, without it; and those of all keys. A `limited` event changes no key. */
export function within<E extends { readonly type?: string; readonly key?: string | undefined }>(
  events$: Observable<E>,
  prefix: string,
): Observable<E> {
  return events$.pipe(
    filter(({ type, key }) => (key === undefined ? type !== 'limited' : key.startsWith(prefix))),
    map((event) => (event.key === undefined ? event : { ...event, key: event.key.slice(prefix.length) })),
  )
}
