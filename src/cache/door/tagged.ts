/**
 * `deleteTag` and `expireTag`: one turn, which also overrules the loads of keys that have one of the tags. Before: `door.ts`. After:
 * `turns/`.
 */
import type { TagCommand } from '../../core/model/command.js'
import { NO_TAGS } from '../../core/model/extension.js'
import { checkOptions, checkTags, type TagOptions } from '../arguments/arguments.js'
import { checkPrefix } from '../arguments/key-pattern.js'
import { METHODS } from '../arguments/methods.js'
import type { Loads } from '../loads/loads.js'
import type { Reads } from '../turns/reads.js'
import type { Turns } from '../turns/turns.js'

/** Entries with one of the tags, whose keys begin with the prefix. */
type Selected = Pick<TagCommand, 'tags' | 'prefix'>

export function checkTagged(tags: readonly unknown[], options: TagOptions): Selected {
  const { prefix = '' } = checkOptions(options, METHODS.deleteTag.options)
  checkPrefix(prefix)
  return { tags: checkTags(tags) ?? NO_TAGS, prefix }
}

export interface TaggedParts {
  turns: Turns
  reads: Reads
  loads: Loads
}

/** Returns how many entries were removed or became stale. */
export function changeTagged(
  { turns, reads, loads }: TaggedParts,
  type: TagCommand['type'],
  { tags, prefix }: Selected,
  nowMs: number,
): number {
  const command: TagCommand = { type, tags, prefix, nowMs }
  const isTagged = (key: string) => {
    const found = reads.tagsOf(key)
    return tags.some((tag) => found.includes(tag) || loads.hasTag(key, tag))
  }
  const loading = loads.keys().filter((key) => key.startsWith(prefix) && isTagged(key))
  if (loading.length === 0) return turns.run(command) as number
  return turns.transact(() => {
    const count = turns.run(command) as number
    for (const key of loading) turns.overrule(key)
    return count
  })
}
