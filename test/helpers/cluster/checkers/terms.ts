/** Whether each term had one leader, and what was written after the next term had begun counts for nothing. Only the log decides. */
import type { Written } from './history.js'

export function brokenTerms(log: readonly Written[]): string[] {
  const found: string[] = []
  let leader: { epoch: number; node: string; hasResigned: boolean } | undefined
  let last = 0
  /** Whether a record of an earlier leader has taken the place of one of this term, which is over then. */
  let hasIntruder = false
  for (const { position, kind, epoch, node, isVoid } of log) {
    const say = (what: string) => found.push(`record ${position}: ${what}`)
    if (position !== last + 1) say(`is behind record ${last}`)
    last = position
    if (kind === 'begin') {
      if (position !== 1) say('the log begins a second time')
    } else if (kind === 'term') {
      if (leader !== undefined && epoch <= leader.epoch)
        say(`term ${epoch} of ${node} begins after term ${leader.epoch} of ${leader.node}`)
      leader = { epoch, node, hasResigned: false }
      hasIntruder = false
    } else if (isVoid) {
      const wasDeposed = leader !== undefined && (epoch < leader.epoch || leader.hasResigned)
      if (wasDeposed) hasIntruder = true
      else if (!hasIntruder) say(`counts for nothing, although term ${epoch} of ${node} had not ended`)
    } else if (epoch !== leader?.epoch || node !== leader.node)
      say(`${node} writes in term ${epoch}, during term ${leader?.epoch} of ${leader?.node}`)
    else if (leader.hasResigned) say(`${node} writes in term ${epoch}, which it has ended`)
    else leader.hasResigned = kind === 'resign'
  }
  return found
}
