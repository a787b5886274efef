/**
 * The methods that a node carries out itself: those that use its own disk, its snapshot, and its copy. Before: cluster-client, which has them
 * in place of the ones that ask the leader. After: the node's cache.
 */
import { checkOptions, type GetOptions } from '../../../cache/arguments/arguments.js'
import { type Cache, innerOf, pastOf, savedFilesOf } from '../../../cache/cache.js'
import type { RestoreOptions } from '../../../cache/history/looking-back.js'
import type { When } from '../../../cache/history/when.js'
import type { LoadReport, LoadResult, SaveOptions, SaveResult } from '../../../cache/saved-files/save-options.js'
import type { CompactionReport } from '../../../durable/contract.js'
import type { Fork } from '../../../durable/recovery/fork-journal.js'
import { CacheError, mustBe } from '../../../errors.js'
import { encodeCall } from '../../remote/client/encode-call.js'
import { RemoteClient } from '../../remote/client/remote-client.js'
import { OP } from '../../remote/wire/codes.js'
import type { ClusterNode } from '../node/cluster-node.js'
import type { ClusterGetOptions, LocalCopy } from './cluster-cache.js'

export interface ThisNode {
  readonly node: ClusterNode
  readonly cache: Cache
  readonly local: LocalCopy
  flush(): Promise<number>
  ask(code: number, parameters: readonly unknown[]): Promise<unknown>
}

const GET_OPTIONS = ['stale', 'consistency'] as const
const CONSISTENCIES: readonly unknown[] = [undefined, 'linearizable', 'local']

const { get: read } = RemoteClient.prototype as unknown as { get(key: string, options?: GetOptions): Promise<unknown> }

export const OF_THIS_NODE = {
  async get(this: ThisNode, key: string, options?: ClusterGetOptions): Promise<unknown> {
    if (options === undefined) return read.call(this, key)
    const { consistency, ...rest } = checkOptions(options, GET_OPTIONS)
    if (!CONSISTENCIES.includes(consistency))
      throw new TypeError(mustBe('consistency', "'linearizable' or 'local'", consistency))
    return consistency === 'local' ? this.local.get(key, rest) : read.call(this, key, rest)
  },

  /** After a flush: with everything that was acknowledged before this call. */
  async save(this: ThisNode, path: string, options: SaveOptions = {}): Promise<SaveResult> {
    encodeCall('save', [path, options])
    await this.flush()
    return this.cache.save(path, options)
  },

  /** Stages the rows of the file; the leader switches to them. */
  async load(this: ThisNode, path: string, options: SaveOptions = {}): Promise<LoadResult> {
    encodeCall('load', [path, options])
    await this.flush()
    const staged = await stagedInOneTerm(this, path, options)
    if (!staged.ok) return staged
    const { file, checksum, entries, expired, evicted, format } = staged
    const report = (await this.ask(OP.adopt, [file, checksum, entries])) as LoadReport
    const omitted = { expired: expired + report.expired, evicted: evicted + report.evicted }
    return { ok: true, path, format, entries: report.entries, ...omitted }
  },

  async fork(this: ThisNode, directory: string, when?: When): Promise<Fork> {
    encodeCall('fork', [directory, when])
    await this.flush()
    const { journal } = this.node
    return pastOf(this.cache).forkNow(directory, when, async () => journal.freeze(), pastGone)
  },

  async restore(this: ThisNode, when: When, options?: RestoreOptions): Promise<never> {
    encodeCall('restore', [when, options])
    innerOf(this.cache).admit()
    throw pastGone()
  },

  async compact(this: ThisNode): Promise<CompactionReport> {
    await this.flush()
    return this.node.journal.compact()
  },
}

/** Again if the term has changed meanwhile: a trim in the next one takes what is not finished for what a dead node has left. */
async function stagedInOneTerm({ cache, node }: ThisNode, path: string, options: SaveOptions) {
  const { applier } = node.journal
  for (;;) {
    const { epoch } = applier
    const staged = await savedFilesOf(cache).stage(path, options)
    if (!staged.ok || applier.epoch === epoch) return staged
  }
}

export function pastGone(): CacheError {
  return new CacheError('HISTORY_GONE', 'The log of a cluster is not kept to look back', {
    advice: 'fork() the cache into a directory now and then, and open that one.',
  })
}
