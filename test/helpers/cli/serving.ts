import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { temporaryDirectory } from '../temporary-directory.js'
import { DaybookProcess } from './daybook-process.js'

/** `daybook serve journal` in a directory of its own, once it owns the cache. */
export async function serving(t: ExecutionContext, ...options: string[]) {
  const cwd = temporaryDirectory(t)
  const served = new DaybookProcess(t, ['serve', 'journal', ...options], { cwd })
  await served.until(/this process \(\d+\) owns journal/)
  return { cwd, served, directory: join(cwd, 'journal') }
}
