/** Where the benches write, and that nothing of it is left: no file and no server, after errors and signals too. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

export function openWorkspace(parent = tmpdir()) {
  const directory = mkdtempSync(join(parent, 'daybook-bench-'))
  process.once('exit', () => {
    endServersIn(directory)
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))
  return directory
}

/** Servers whose starter was killed before it could end them: each has left its number below the directory. */
export function endServersIn(directory) {
  for (const path of readdirSync(directory, { recursive: true })) {
    if (basename(path) !== 'redis.pid') continue
    try {
      const pid = Number(readFileSync(join(directory, path), 'utf8'))
      // Only if it is still that server: the number may be another's by now.
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('redis-server')) process.kill(pid, 'SIGKILL')
    } catch {
      // it ended by itself
    }
  }
}

const FILE_SYSTEMS = {
  61267: 'ext4',
  16914836: 'tmpfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
}

export function fileSystemOf(directory) {
  const { type } = statfsSync(directory)
  return FILE_SYSTEMS[type] ?? `type 0x${type.toString(16)}`
}
