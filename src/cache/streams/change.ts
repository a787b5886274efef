/** What subscribers of `changes$` get: one object for every event in the journal. */
export interface Change<V = unknown> {
  readonly type: 'set' | 'deleted' | 'expired' | 'evicted' | 'rescheduled' | 'cleared' | 'loaded'
  /** The event's number in the journal: 1, 2, 3, … */
  readonly sequence: number
  /** Missing for `cleared` and `loaded`. */
  readonly key?: string
  /** What a `set` stored. */
  readonly value?: V
  /** The deadline that a `set` or `rescheduled` event gave, epoch milliseconds; missing without one. */
  readonly expiresAtMs?: number
}
