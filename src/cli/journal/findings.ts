/** What `verify` finds in each file, and in the journal as a whole. */
import type { JournalFile } from '../../durable/format/journal-files.js'
import type { Damage } from '../../errors.js'

export type FileKindName = 'segment' | 'snapshot' | 'loaded'

export type FileStatus =
  | 'sound'
  | 'torn' // ends with an incomplete frame, as a crash leaves it: opening sets it aside
  | 'being written' // the same, while another process has the journal open
  | 'corrupt'
  | 'unreachable' // sound or not, but something before it is damaged
  | 'unneeded' // a newer snapshot covers it, or nothing refers to it: opening ignores it
  | 'past' // opening ignores it, and looking back needs it
  | 'unfinished' // its creation was interrupted: opening removes it

export interface FileFinding {
  file: string
  kind: FileKindName
  bytes: number
  status: FileStatus
  frames: number
  /** Events of a segment, entries of a snapshot. */
  items: number
  damage: FileDamage | undefined
}

export interface FileDamage {
  offset: number
  sequence: number
  reason: string
  /** Sound frames after the damage in the same file. Opening does not read them. */
  soundFramesAfter: number
  soundItemsAfter: number
}

export interface Verification {
  directory: string
  status: 'sound' | 'torn' | 'corrupt'
  /** Whether another process is writing to it. Determined only if something looked unfinished. */
  isLive: boolean
  /** The last sequence that opening can reach. */
  sequence: number
  files: FileFinding[]
  /** What opening would refuse, if anything. */
  problem: Damage | undefined
}

export function findingOf(file: JournalFile, kind: FileKindName, status: FileStatus = 'sound'): FileFinding {
  return { file: file.name, kind, bytes: file.bytes, status, frames: 0, items: 0, damage: undefined }
}
