/** The files to import: those that match any of the patterns, each once, in order of their paths. */
import { statSync } from 'node:fs'

export interface FoundFile {
  /** As the pattern yields it; the key of its entry. */
  path: string
  bytes: number
}

export interface Found {
  files: FoundFile[]
  /** Patterns that no file matches. */
  unmatched: string[]
}

export async function findFiles(patterns: readonly string[], options: { dot: boolean }): Promise<Found> {
  const { default: glob } = await import('fast-glob') // no other command needs it
  const found = new Map<string, FoundFile>()
  const unmatched: string[] = []
  for (const pattern of patterns) {
    const entries = await glob(isFile(pattern) ? glob.escapePath(pattern) : pattern, {
      dot: options.dot || isFile(pattern),
      followSymbolicLinks: false, // a link into a parent directory would never end
      suppressErrors: true, // an unreadable directory is skipped
      stats: true,
    })
    if (entries.length === 0) unmatched.push(pattern)
    for (const { path, stats } of entries) found.set(path, { path, bytes: stats?.size ?? 0 })
  }
  return { files: [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1)), unmatched }
}

/** A name that a shell has expanded may contain characters that have a meaning in patterns: `[id].json`. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}
