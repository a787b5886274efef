import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a directory, and those above it, that only this user may enter; returns those that it has made, the outermost first.
 * `mkdirSync(…, { recursive: true })` never returns below `/proc`, where making a directory fails as if the one above were missing.
 */
export function makeDirectories(directory: string, mode: number): string[] {
  const path = resolve(directory)
  try {
    return make(path, mode)
  } catch (error) {
    const isTop = dirname(path) === path
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isTop) throw error
    return [...makeDirectories(dirname(path), mode), ...make(path, mode)]
  }
}

function make(path: string, mode: number): string[] {
  try {
    mkdirSync(path, { mode })
    return [path]
  } catch (error) {
    if (isDirectory(path)) return []
    throw error
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
