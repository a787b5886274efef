/** What this machine allows. A test that it does not allow says so in its title, and is skipped. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'

const works = (command: string, ...parameters: string[]) => spawnSync(command, parameters).status === 0

export const canMount = (() => {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-mount-'))
  const can = works('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder) && works('umount', folder)
  rmSync(folder, { recursive: true })
  return can
})()
export const canLimit = works('prlimit', '--fsize=1000000:', 'true')
export const canTrace = works('strace', '-f', '-o', '/dev/null', '-e', 'inject=fdatasync:error=EIO', 'true')

export function when(can: boolean, needs: string): [typeof test | typeof test.skip, string] {
  return can ? [test, ''] : [test.skip, ` (skipped: ${needs})`]
}
