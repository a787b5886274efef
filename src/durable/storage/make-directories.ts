import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates a directory and those above it that do not exist; returns the paths of those that were created, outermost first. The path is
 * absolute. Node's `recursive: true` never returns where a directory cannot be made although the one above exists, as in /proc.
 */
export function makeDirectories(path: string, mode: number): string[] {
  if (isDirectory(path)) return []
  const parent = dirname(path)
  const above = parent === path ? [] : makeDirectories(parent, mode)
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isDirectory(path)) throw error
    return above // another process was first
  }
  return [...above, path]
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
