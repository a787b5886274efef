/** The directory that the benchmarks write to. Nothing is left behind, neither files nor servers, even after errors and signals. */
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

/** Stops servers whose parent was killed; each has left its process id below the directory. */
export function endServersIn(directory) {
  for (const path of readdirSync(directory, { recursive: true })) {
    if (basename(path) !== 'redis.pid') continue
    try {
      const pid = Number(readFileSync(join(directory, path), 'utf8'))
      // Only if it is still that server: the process id may have been reused.
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('redis-server')) process.kill(pid, 'SIGKILL')
    } catch {
      // it has already exited
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
