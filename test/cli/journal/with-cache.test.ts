/** Commands that end on a full disk: the exit code is 1, and what is lost is printed. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { openCache } from '../../../src/index.js'
import { DaybookProcess, daybook } from '../../helpers/cli/daybook-process.js'
import { canMount, when } from '../../helpers/crash/machine.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const [onTmpfs, noMount] = when(canMount, 'mounting a tmpfs takes root')

/** A directory for a journal with room for about 200 KB. */
function smallDisk(t: ExecutionContext): string {
  const folder = temporaryDirectory(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder])
  t.teardown(() => spawnSync('umount', ['-l', folder]))
  return join(folder, 'journal')
}

/** The last sequence that was written, as the message says; the journal must end there. */
async function checkLoss(t: ExecutionContext, directory: string, stderr: string): Promise<void> {
  const [, changes, last] =
    /Lost: (\d+) changes?, \d+ bytes\. The journal ends with sequence (\d+)\./.exec(stderr) ?? []
  t.true(Number(changes) > 0, stderr)
  execFileSync('mount', ['-o', 'remount,size=4m', join(directory, '..')])
  await using cache = await openCache({ directory, maxSize: Number.POSITIVE_INFINITY })
  t.is(cache.recovery.sequence, Number(last))
}

onTmpfs(`import on a full disk ends with 1, and says what is lost${noMount}`, async (t) => {
  const directory = smallDisk(t)
  const cwd = temporaryDirectory(t)
  for (let at = 0; at < 60; at++) writeFileSync(join(cwd, `${at}.txt`), 'x'.repeat(7_000))
  const { code, stderr } = await daybook(t, ['import', '*.txt', '--directory', directory], { cwd })
  t.is(code, 1)
  t.regex(stderr, /^daybook: The changes \d+ to \d+ could not be written \(ENOSPC/m)
  t.notRegex(stderr, /pending/)
  await checkLoss(t, directory, stderr)
})

onTmpfs(`a piped shell on a full disk ends with 1, and says what is lost${noMount}`, async (t) => {
  const directory = smallDisk(t)
  const shell = new DaybookProcess(t, ['shell', '--directory', directory], { cwd: temporaryDirectory(t) })
  const { code, stderr } = await shell.end(`set k ${'x'.repeat(300_000)}\n`)
  t.is(code, 1)
  await checkLoss(t, directory, stderr)
})
