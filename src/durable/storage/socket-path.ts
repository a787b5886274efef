/**
 * Where the socket of a journal's directory is. The name of a unix socket has at most 108 bytes, and Node.js 20 silently cuts a
 * longer one, so that two directories with a long common beginning would share a socket. A directory with a longer path has its
 * socket in the temporary directory. Clients find it in `<directory>/owner`: temporary directories differ between services.
 */
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdtempSync, realpathSync, renameSync, rmdirSync, statSync, unlinkSync } from 'node:fs'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { CacheError } from '../../errors.js'
import { makeDirectories } from './make-directories.js'

/** On macOS a name has 104 bytes, with the zero at its end. */
const NAME_BYTES_MAX = 103
const TEMPORARY = '.socket-'
/** The name at which a socket is bound before it gets its own. */
const boundIn = (temporary: string) => join(temporary, 's')

const myUid = (): number => process.geteuid?.() ?? -1

/**
 * Refuses a directory in which others could put a socket.
 * @throws CacheError `JOURNAL_UNREADABLE`.
 */
export function checkDirectory(directory: string): void {
  const found = statSync(directory, { throwIfNoEntry: false })
  if (found === undefined || myUid() === -1) return
  const isOurs = found.uid === myUid() || myUid() === 0
  if (isOurs && (found.mode & 0o002) === 0) return
  throw new CacheError(
    'JOURNAL_UNREADABLE',
    isOurs ? `${directory} can be written by every user` : `${directory} belongs to another user`,
    {
      advice:
        'Processes share a cache only in a directory that belongs to their user and that no other user can write.',
    },
  )
}

/** Whether a socket is one that this user's owner has bound, so that nobody else gets what is sent. */
export function isOwnSocket(path: string): boolean {
  try {
    const found = lstatSync(path)
    return found.isSocket() && (myUid() === -1 || myUid() === 0 || found.uid === myUid())
  } catch {
    return false
  }
}

function socketPathOf(directory: string): string {
  const beside = join(directory, 'socket')
  if (fits(beside)) return beside
  const name = `${createHash('sha256').update(directory).digest('hex').slice(0, 16)}.sock`
  const apart = join(tmpdir(), `daybook-${myUid()}`, name)
  return fits(apart) ? apart : join('/tmp', `daybook-${myUid()}`, name)
}

function fits(path: string): boolean {
  return Buffer.byteLength(boundIn(join(dirname(path), `${TEMPORARY}XXXXXX`))) <= NAME_BYTES_MAX
}

/**
 * Binds a server to the socket of a directory, whose lock this process has, so that whatever is there is stale. It is bound
 * in a directory that no other user can enter, and gets its name when only this user can connect. Returns the name.
 */
export async function bind(server: Server, directory: string): Promise<string> {
  const path = socketPathOf(realpathSync(directory))
  if (dirname(path) !== realpathSync(directory)) makePrivate(dirname(path))
  const temporary = mkdtempSync(join(dirname(path), TEMPORARY))
  try {
    const bound = boundIn(temporary)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      // In a worker of node:cluster the primary process would bind it otherwise, with its own umask.
      server.listen({ path: bound, exclusive: true }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    chmodSync(bound, 0o600)
    renameSync(bound, path)
  } finally {
    rmdirSync(temporary)
  }
  return path
}

/** Only while this process has the lock: only then is the socket its own. */
export function removeSocket(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Whoever takes over replaces it.
  }
}

/** @throws CacheError if the directory is not this user's alone. */
function makePrivate(directory: string): void {
  makeDirectories(directory, 0o700)
  const found = lstatSync(directory)
  if (found.isDirectory() && found.uid === myUid() && (found.mode & 0o077) === 0) return
  throw new CacheError(
    'JOURNAL_UNREADABLE',
    `${directory}, where the socket should be, is not a directory of this user alone`,
  )
}
