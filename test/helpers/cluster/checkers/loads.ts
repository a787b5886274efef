/**
 * Whether `getOrSet` returned what its key had at some moment of the call, or what a loader of the key returned and was not stored; and
 * whether what a loader returned was stored at most once, and by the leader that had asked for it: another one does not know what has
 * overruled the load meanwhile.
 */
import type { LoadCall, LoadedValue, LoggedEvent, Written } from './history.js'

/** When a loaded value was under its key: from one position of the log to another. */
interface Stay {
  readonly from: number
  readonly key: string
  to: number
}

export function notLoaded(
  calls: readonly LoadCall[],
  log: readonly Written[],
  loaded: ReadonlyMap<number, LoadedValue>,
): string[] {
  const { stays, found } = staysIn(log, loaded)
  for (const { client, key, logAtCall, value, logAtReturn } of calls) {
    if (value === undefined || logAtReturn === undefined) continue
    const say = (what: string) => found.push(`${client}: getOrSet ${key} returned ${value}, ${what}`)
    if (loaded.get(value)?.key !== key) say('which no loader of that key has returned')
    const stay = stays.get(value)
    if (stay === undefined) continue
    if (stay.from > logAtReturn) say(`which is at ${stay.from}, when the log ended at ${logAtReturn}`)
    if (stay.to <= logAtCall) say(`which was there until ${stay.to}, when the log had reached ${logAtCall} before`)
  }
  return found
}

function staysIn(log: readonly Written[], loaded: ReadonlyMap<number, LoadedValue>) {
  const stays = new Map<number, Stay>()
  const found: string[] = []
  const present = new Map<string, Stay>()
  const end = (key: string, at: number) => {
    const stay = present.get(key)
    if (stay !== undefined) stay.to = at
    present.delete(key)
  }
  for (const { position, epoch, events } of log) {
    for (const event of events) {
      for (const key of emptied(event, present)) end(key, position)
      const value = (event as { value?: unknown }).value as number
      const asked = loaded.get(value)
      if (event.type !== 'set' || asked === undefined) continue
      if (stays.has(value)) found.push(`${value}, which was loaded once, is in the log twice`)
      if (asked.key !== event.key) found.push(`${value} was loaded for another key than ${event.key}`)
      if (asked.epoch !== epoch) found.push(`${value} was loaded in term ${asked.epoch}, and stored in term ${epoch}`)
      const stay = { from: position, key: event.key, to: Number.POSITIVE_INFINITY }
      stays.set(value, stay)
      present.set(event.key, stay)
    }
  }
  return { stays, found }
}

/** The keys that have another value after an event, or none. */
function emptied(event: LoggedEvent, present: ReadonlyMap<string, Stay>): string[] {
  if (event.type === 'cleared' || event.type === 'loaded') return [...present.keys()]
  return 'key' in event && event.type !== 'rescheduled' ? [event.key] : []
}
