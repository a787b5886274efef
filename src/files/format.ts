import { extname } from 'node:path'

/** `'pickle'`: a Python pickle. `'snapshot'`: daybook's own format, which keeps every value exactly and has checksums. */
export type SaveFormat = 'pickle' | 'snapshot'

/** The format by extension: `.pickle` and `.pkl` are Python's, any other is daybook's own. */
export function formatOf(path: string): SaveFormat {
  const extension = extname(path).toLowerCase()
  return extension === '.pickle' || extension === '.pkl' ? 'pickle' : 'snapshot'
}

/** Reports the progress of a save or a load: a load first reads bytes, then both write entries. If it throws, they fail. */
export type SaveProgress = (done: number, total: number, unit: 'bytes' | 'entries') => void
