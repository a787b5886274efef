/** Journals for the tests of the command line: small, and of several files. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cache, openCache } from '../../../src/index.js'

export interface WrittenJournal {
  directory: string
  /** The entries after each sequence; index 0 is the empty journal. */
  states: Map<string, unknown>[]
}

/** A new segment after every other frame, so that there are frames before and after any damage. */
const SEGMENT_BYTES = 700

export async function openSmall(directory: string): Promise<Cache> {
  return openCache({
    directory,
    maxSize: Number.POSITIVE_INFINITY,
    fsync: 'never',
    compaction: { segmentBytes: SEGMENT_BYTES, journalBytes: Number.POSITIVE_INFINITY },
  })
}

/** Runs `write`, and records the entries after each change. */
export async function writeJournal(
  directory: string,
  write: (cache: Cache) => Promise<void>,
  options: { close?: boolean } = {},
): Promise<WrittenJournal> {
  const cache = await openSmall(directory)
  const states: Map<string, unknown>[] = [new Map()]
  cache.changes$.subscribe(({ sequence }) => {
    states[sequence] = new Map(cache.entries())
  })
  await write(cache)
  if (options.close !== false) await cache.close()
  return { directory, states }
}

/** Twelve events in several frames and segments. */
export async function writeTwelve(cache: Cache): Promise<void> {
  for (let number = 1; number <= 12; number++) {
    if (number % 5 === 0) cache.delete(`key:${number - 2}`)
    else cache.set(`key:${number}`, { number, text: 'x'.repeat(20) })
    await cache.flush()
  }
}

export function filesOf(directory: string, extension: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(`.${extension}`))
    .sort()
}

export function copyOf(directory: string, target: string): string {
  cpSync(directory, target, { recursive: true })
  return target
}

/** Flips one bit. */
export function damage(directory: string, file: string, offset: number, bit = 0): void {
  const path = join(directory, file)
  const bytes = readFileSync(path)
  bytes[offset] = (bytes[offset] as number) ^ (1 << bit)
  writeFileSync(path, bytes)
}

/** The name of a file by its index among those of its kind. */
export function fileAt(directory: string, extension: string, index: number): string {
  const name = filesOf(directory, extension).at(index)
  if (name === undefined) throw new Error(`${directory} has no such .${extension}`)
  return name
}
