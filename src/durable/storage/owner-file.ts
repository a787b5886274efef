/**
 * `owner` in a journal's directory: the process that has the directory open, for the error of whoever finds it locked.
 *
 *   {"pid":4242,"startId":"2f1c…:81234","socket":"/srv/app/journal/socket"}
 *
 * `socket` is there if other processes can ask that one.
 * Only the lock decides who may open the directory. This file is a hint: it is written after the lock is held and removed
 * before it is released, and a process that was killed leaves it behind. So a reader checks that the process still runs.
 */
import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAME = 'owner'

interface Owner {
  pid: number
  /** Differs between two processes that had the same pid one after the other. `null` where the system does not say. */
  startId: string | null
  socket?: string
}

/** A journal that cannot write its hint can still be used. */
export function writeOwner(directory: string): void {
  const owner: Owner = { pid: process.pid, startId: startIdOf(process.pid) }
  removeOwner(directory) // what a killed process left, or a link, which must not be followed
  unlessRefused(() => writeFileSync(join(directory, NAME), `${JSON.stringify(owner)}\n`, { flag: 'wx', mode: 0o600 }))
}

/** Adds the socket to the hint that {@link writeOwner} wrote. Whoever reads it meanwhile finds the old or the new one. */
export function writeSocket(directory: string, socket: string): void {
  const owner: Owner = { pid: process.pid, startId: startIdOf(process.pid), socket }
  const path = join(directory, NAME)
  const temporary = `${path}.tmp`
  unlessRefused(() => unlinkSync(temporary))
  writeFileSync(temporary, `${JSON.stringify(owner)}\n`, { flag: 'wx', mode: 0o600 })
  renameSync(temporary, path)
}

/** The socket of the process that has, or had, the directory open. */
export function socketOf(directory: string): string | undefined {
  const { socket } = readOwner(directory)
  return typeof socket === 'string' ? socket : undefined
}

export function removeOwner(directory: string): void {
  unlessRefused(() => unlinkSync(join(directory, NAME)))
}

/** The pid of the process that has the directory open; `undefined` if the file does not say, or names one that has ended. */
export function ownerOf(directory: string): number | undefined {
  const { pid, startId } = readOwner(directory)
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined
  return startIdOf(pid) === startId && (startId !== null || isRunning(pid)) ? pid : undefined
}

function readOwner(directory: string): Partial<Owner> {
  return unlessRefused(() => JSON.parse(readFileSync(join(directory, NAME), 'utf8')) as Partial<Owner> | null) ?? {}
}

/** Linux: the boot, and the time of the start in ticks since then. */
function startIdOf(pid: number): string | null {
  const id = unlessRefused(() => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in parentheses, which may contain anything. The 22nd is the time.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return `${boot}:${ticks}`
  })
  return id ?? null
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // it runs, as another user
  }
}

function unlessRefused<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch {
    return undefined
  }
}
