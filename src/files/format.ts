import { extname } from 'node:path'

/** `'pickle'`: a real Python pickle. `'snapshot'`: daybook's own, which holds every value exactly and is checksummed. */
export type SaveFormat = 'pickle' | 'snapshot'

/** The format that a file's extension stands for: `.pickle` and `.pkl` for Python's, any other for daybook's own. */
export function formatOf(path: string): SaveFormat {
  const extension = extname(path).toLowerCase()
  return extension === '.pickle' || extension === '.pkl' ? 'pickle' : 'snapshot'
}

/** How far a save or a load has come: a load first reads bytes, then both write entries. What it throws ends them. */
export type SaveProgress = (done: number, total: number, unit: 'bytes' | 'entries') => void
