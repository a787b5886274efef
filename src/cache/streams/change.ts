/**
 * An item of `changes$`: one for every event in the journal. In a cluster, a node that was too far behind to receive each event
 * emits one `resynced` instead: any entry may have changed.
 */
export interface Change<V = unknown> {
  readonly type:
    | 'set'
    | 'deleted'
    | 'expired'
    | 'evicted'
    | 'rescheduled'
    | 'cleared'
    | 'loaded'
    | 'limited'
    | 'resynced'
  /** The event's number in the journal: 1, 2, 3, … Of `resynced`, in a cluster: of the last event that this copy has. */
  readonly sequence: number
  /** Missing for `cleared`, `loaded`, `limited` and `resynced`. */
  readonly key?: string
  /** The value that a `set` event stored. */
  readonly value?: V
  /** The deadline that a `set` or `rescheduled` event assigned, epoch milliseconds; missing if there is none. */
  readonly expiresAtMs?: number
  /** From then until its deadline the entry is stale, epoch milliseconds; missing if it never is. */
  readonly freshUntilMs?: number
  /** The tags that a `set` event gave the entry; missing if there are none. */
  readonly tags?: readonly string[]
  /** The limits that a `limited` event set; Infinity for none. */
  readonly maxSize?: number
  readonly maxBytes?: number
}
