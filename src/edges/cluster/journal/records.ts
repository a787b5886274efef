/**
 * The bodies of the records of a cluster's log.
 *
 *   begin    the settings, as JSON: the first record of a log
 *   term     the same with the limits as of now, and the time: from here on, its node leads
 *   frame    frames of events and notes, as the journal in files has them (durable/format/frame.ts), each chained to the previous one;
 *            or, as JSON, the name and the checksum of an object that holds them, because they are too large for a record;
 *            or nothing, while such an object is being written: its node still leads
 *   resign   nothing: its node leads no more
 *
 * A frame counts only if its node is the one whose term it is: what a deposed leader has appended behind another's term is skipped, and
 * ends that term, on every node alike (applier.ts). In the log each body is sealed. Before: term-writer. After: sealed-record, and
 * replicated-journal.
 */
import { createHash } from 'node:crypto'
import type { EvictionPolicy } from '../../../core/evolve/eviction/policy.js'
import type { Limits } from '../../../core/model/limits.js'
import { checksum } from '../../../durable/format/checksum.js'
import { VERSION } from '../../../durable/format/format.js'
import { CacheError, describe } from '../../../errors.js'
import type { Position } from '../log.js'
import { damagedRecord } from './damage.js'

/** Of what nodes say to each other through the log. */
const CLUSTER_PROTOCOL = 1

/** What is the same on all nodes of a cluster. */
export interface Settings extends Limits {
  /** The name of the cache. */
  readonly name: string
  /** The default ttl in milliseconds. */
  readonly ttlMs: number
  readonly eviction: EvictionPolicy
}

/** What all frames and snapshots of a cache begin their checksums with: those of another cache do not match. */
export function identityOf(name: string): { id: Buffer; seed: number } {
  const id = createHash('sha256').update(`daybook cluster ${name}`).digest().subarray(0, 16)
  return { id, seed: checksum(id) }
}

/** JSON has no Infinity. */
export function writeSettings({ name, ttlMs, eviction, maxSize, maxBytes }: Settings): Record<string, unknown> {
  const finite = (number: number) => (Number.isFinite(number) ? number : null)
  return {
    protocol: CLUSTER_PROTOCOL,
    format: VERSION,
    name,
    ttlMs: finite(ttlMs),
    eviction,
    maxSize: finite(maxSize),
    maxBytes: finite(maxBytes),
  }
}

/** @throws CacheError `UNSUPPORTED_VERSION` for another protocol; `OPTIONS_DIFFER` for the log of another cache. */
export function readSettings(written: unknown, name: string): Settings {
  const { protocol, format, ...settings } = (written ?? {}) as Record<string, unknown>
  if (protocol !== CLUSTER_PROTOCOL || !(typeof format === 'number' && format <= VERSION))
    throw new CacheError(
      'UNSUPPORTED_VERSION',
      `The log of the cluster has protocol ${describe(protocol)} and format ${describe(format)}; this node knows protocol ${CLUSTER_PROTOCOL} and formats up to ${VERSION}`,
      { advice: 'Use the same daybook on all nodes.' },
    )
  if (settings['name'] !== name)
    throw new CacheError(
      'OPTIONS_DIFFER',
      `The log is that of the cache ${describe(settings['name'])}, not ${describe(name)}`,
      {
        consequence: 'Nothing was changed.',
        advice: 'Pass that name to openCluster(), or give this cache a log of its own.',
      },
    )
  const infinite = (number: unknown) => (number === null ? Number.POSITIVE_INFINITY : (number as number))
  return {
    name,
    ttlMs: infinite(settings['ttlMs']),
    eviction: settings['eviction'] as EvictionPolicy,
    maxSize: infinite(settings['maxSize']),
    maxBytes: infinite(settings['maxBytes']),
  }
}

export function jsonBody(content: object): Uint8Array {
  return Buffer.from(JSON.stringify(content))
}

/** @throws SyntaxError if it is none. */
export function readJson(body: Uint8Array): unknown {
  return JSON.parse(bufferOf(body).toString('utf8'))
}

/** Of the record at this position of the log. @throws CorruptionError if it is none. */
export function readRecordJson(body: Uint8Array, at: Position): unknown {
  try {
    return readJson(body)
  } catch (cause) {
    throw damagedRecord(at, 'this is no record of a cluster', { cause })
  }
}

const JSON_BEGINS = '{'.charCodeAt(0)

/** The object that holds the frames of a record, because they are too large for it. */
export interface StagedBody {
  /** Its name. */
  readonly object: string
  readonly checksum: number
}

/** What a record has in place of its frames; undefined if it has the frames. */
export function stagedIn(body: Uint8Array, at: Position): StagedBody | undefined {
  return body[0] === JSON_BEGINS ? (readRecordJson(body, at) as StagedBody) : undefined
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
