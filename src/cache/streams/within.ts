import type { Observable } from 'rxjs'
import { filter } from 'rxjs/internal/operators/filter'
import { map } from 'rxjs/internal/operators/map'

/** Those of the events whose keys begin with a prefix, without it; and those of all keys. */
export function within<E extends { readonly key?: string | undefined }>(
  events$: Observable<E>,
  prefix: string,
): Observable<E> {
  return events$.pipe(
    filter(({ key }) => key === undefined || key.startsWith(prefix)),
    map((event) => (event.key === undefined ? event : { ...event, key: event.key.slice(prefix.length) })),
  )
}
