/** Options that several commands share, and how their values are parsed. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Duration, toMilliseconds } from '../../cache/arguments/duration.js'
import type { EvictionPolicy } from '../../core/evolve/eviction/policy.js'
import type { Sequence } from '../../core/model/sequence.js'
import type { FsyncPolicy } from '../../durable/contract.js'

export interface DirectoryOptions {
  directory: string
}

export interface LockOptions {
  lock: boolean
}

export interface OpenOptions extends DirectoryOptions, LockOptions {
  maxSize?: number
  eviction: EvictionPolicy
  fsync: FsyncPolicy
}

export function addDirectoryOption(command: Command): Command {
  return command.option('-d, --directory <path>', 'directory of the journal', 'journal')
}

/** For commands that write. */
export function addLockOption(command: Command): Command {
  return command.option('--no-lock', 'where there are no locks: open the journal although nothing keeps others out')
}

/** For commands that open the cache for writing. */
export function addOpenOptions(command: Command): Command {
  return addFsyncOption(addEvictionOption(addMaxSizeOption(addLockOption(addDirectoryOption(command)))))
}

export function addMaxSizeOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--max-size <entries>',
      'evict entries above this number, now and later (default: as before; no limit for a new journal)',
    ).argParser(parseMaxSize),
  )
}

export function addEvictionOption(command: Command): Command {
  return command.addOption(
    new Option('--eviction <policy>', 'which entries are evicted, by this command')
      .choices(['lru', 's3-fifo'])
      .default('lru'),
  )
}

export function addFsyncOption(command: Command): Command {
  return command.addOption(
    new Option('--fsync <policy>', 'when changes are forced to disk')
      .choices(['always', 'everysec', 'never'])
      .default('everysec'),
  )
}

function parseMaxSize(text: string): number {
  if (text === 'Infinity') return Number.POSITIVE_INFINITY
  return parseWhole(text, 1)
}

/** A sequence number of the journal. */
export function parseSequence(text: string): Sequence {
  return parseWhole(text, 0) as Sequence
}

function parseWhole(text: string, least: number): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < least)
    throw new InvalidArgumentError(`It must be an integer of at least ${least}.`)
  return number
}

export function parseTtlOption(text: string): Duration {
  const ttl = parseDuration(text)
  try {
    toMilliseconds(ttl, 'It')
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message.replace(' Nothing was changed.', ''))
  }
  return ttl
}

/** `10` (seconds), `10s`, `5m`, `Infinity`. Any other text is returned as it is: the cache's own error names it. */
export function parseDuration(text: string): Duration {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) || text === 'Infinity' ? Number(text) : (text as Duration)
}

/** Whether a text looks like a duration; then it is meant as one, valid or not. */
export function looksLikeDuration(text: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)(ms|s|m|h|d)?$/.test(text) || text === 'Infinity'
}
