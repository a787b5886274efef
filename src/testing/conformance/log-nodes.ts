/** Nodes with one log, records and followers: what the cases for logs share. */
import assert from 'node:assert/strict'
import { journalClock } from '../../cache/system-clock.js'
import type { Log, LogFollower, LogRecord, Position } from '../../edges/cluster/log.js'

/** What the cases are run on: the log of one name, which is new for each case, as the given node has it. */
export type LogsOfOneName = (node: string) => Log

type Several = readonly [Log, Log, Log]

/** Opens the nodes' logs, and closes them in the end. */
export async function opened(
  logs: LogsOfOneName,
  names: readonly string[],
  run: (nodes: Several) => Promise<void>,
): Promise<void> {
  const nodes = names.map((name) => logs(name))
  try {
    for (const node of nodes) await node.open()
    await run(nodes as unknown as Several)
  } finally {
    for (const node of nodes) await node.close()
  }
}

export const text = (content: string): Uint8Array => Uint8Array.from(Buffer.from(content))

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

export function record(content: string): LogRecord {
  return { kind: 'frame', epoch: 1, node: 'a', body: text(content) }
}

/** Records what a follower receives. */
export class Collected implements LogFollower {
  readonly records: (LogRecord & { at: Position })[] = []
  gaps = 0
  onTake: (at: Position) => unknown = () => undefined

  take(one: LogRecord, at: Position): void {
    this.records.push({ ...one, at })
    this.onTake(at)
  }

  gap(): void {
    this.gaps++
  }

  get last(): Position | undefined {
    return this.records.at(-1)?.at
  }

  positions(): Position[] {
    return this.records.map(({ at }) => at)
  }

  bodies(): string[] {
    return this.records.map(({ body }) => textOf(body))
  }

  plain(): unknown[] {
    return this.records.map(({ kind, epoch, node, body, at }) => ({ kind, epoch, node, body: [...body], at }))
  }
}

const POLL_MS = 2

export function pause(): Promise<void> {
  return new Promise((resolve) => journalClock.setTimeout(resolve, POLL_MS, true))
}

/** Resolves when it holds; rejects if it does not within 20 s. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let polls = 0; !holds(); polls++) {
    if (polls === 20_000 / POLL_MS) assert.fail(`${what} did not come`)
    await pause()
  }
}
