/**
 * Whether `changes$` of every node, and every iteration of `changesSince`, has each event of the log once and in order, from where it began;
 * only `resynced` may leave some out.
 */
import type { LoggedEvent, Stream, Told, Written } from './history.js'

export function brokenStreams(streams: readonly Stream[], log: readonly Written[]): string[] {
  const events = new Map<number, LoggedEvent>()
  for (const { firstSequence, events: some } of log)
    for (const [at, event] of some.entries()) events.set(firstSequence + at, event)
  return streams.flatMap((stream) => brokenStream(stream, events))
}

function brokenStream({ node, after, items }: Stream, events: ReadonlyMap<number, LoggedEvent>): string[] {
  const found: string[] = []
  let last = after
  for (const item of items) {
    if (item.type === 'resynced') {
      if (item.sequence < last) found.push(`${node}: resynced to ${item.sequence} after ${last}`)
    } else {
      if (item.sequence !== last + 1) found.push(`${node}: ${item.sequence} was told after ${last}`)
      const event = events.get(item.sequence)
      if (event === undefined) found.push(`${node}: ${item.sequence} (${item.type}) was told, and is not in the log`)
      else if (!isSame(item, event))
        found.push(
          `${node}: ${item.sequence} is ${JSON.stringify(event)} in the log, and was told as ${JSON.stringify(item)}`,
        )
    }
    last = item.sequence
  }
  return found
}

function isSame(item: Told, event: LoggedEvent): boolean {
  const {
    type,
    key,
    value,
    expiresAtMs,
    freshUntilMs,
    tags = [],
  } = {
    ...(event as Partial<Told>),
    ...(event.type === 'set' ? event.extension : {}),
  }
  return (
    item.type === type &&
    item.key === key &&
    Object.is(item.value, value) &&
    isSameTime(item.expiresAtMs, expiresAtMs) &&
    isSameTime(item.freshUntilMs, freshUntilMs) &&
    `${item.tags ?? []}` === `${tags}`
  )
}

function isSameTime(one = Number.POSITIVE_INFINITY, other = Number.POSITIVE_INFINITY): boolean {
  return one === other
}
