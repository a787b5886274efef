/** An item of `changes$`: one for every event in the journal. */
export interface Change<V = unknown> {
  readonly type: 'set' | 'deleted' | 'expired' | 'evicted' | 'rescheduled' | 'cleared' | 'loaded' | 'limited'
  /** The event's number in the journal: 1, 2, 3, … */
  readonly sequence: number
  /** Missing for `cleared`, `loaded` and `limited`. */
  readonly key?: string
  /** The value that a `set` event stored. */
  readonly value?: V
  /** The deadline that a `set` or `rescheduled` event assigned, epoch milliseconds; missing if there is none. */
  readonly expiresAtMs?: number
  /** The limits that a `limited` event set; Infinity for none. */
  readonly maxSize?: number
  readonly maxBytes?: number
}
