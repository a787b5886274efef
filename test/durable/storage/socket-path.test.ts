import { chmodSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { bind, checkDirectory, isOwnSocket } from '../../../src/durable/storage/socket-path.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

async function bound(t: ExecutionContext, directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true })
  const server = createServer()
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return bind(server, directory)
}

test('the socket is in the directory, only for its user, and nothing else is left', async (t) => {
  const directory = temporaryDirectory(t)
  const path = await bound(t, directory)
  t.is(path, join(directory, 'socket'))
  t.is(lstatSync(path).mode & 0o777, 0o600)
  t.deepEqual(readdirSync(directory), ['socket'])
  t.true(isOwnSocket(path))
})

test('a stale socket, or a file in its place, is replaced', async (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'socket'), 'stale')
  t.false(isOwnSocket(join(directory, 'socket')))
  t.true(isOwnSocket(await bound(t, directory)))
  t.true(isOwnSocket(await bound(t, directory)))
})

test('a path of 104 and of 300 bytes, and two with the same first 108: each has a socket of its own', async (t) => {
  const root = temporaryDirectory(t)
  const long = (bytes: number, end = '') => {
    let path = root
    while (path.length < bytes - end.length)
      path = join(path, 'd'.repeat(Math.min(100, Math.max(1, bytes - end.length - path.length - 1))))
    return path + end
  }
  const paths = []
  for (const directory of [long(104), long(300), long(150, 'a'), long(150, 'b')]) paths.push(await bound(t, directory))
  t.is(new Set(paths).size, 4)
  for (const path of paths) {
    t.true(Buffer.byteLength(path) <= 103)
    t.true(isOwnSocket(path))
  }
})

test('a directory through a link has the socket of the directory itself', async (t) => {
  const root = temporaryDirectory(t)
  mkdirSync(join(root, 'real'))
  symlinkSync(join(root, 'real'), join(root, 'link'))
  t.is(await bound(t, join(root, 'link')), join(root, 'real', 'socket'))
})

test('a directory that everybody can write is refused; one that is not there is not', (t) => {
  const directory = temporaryDirectory(t)
  t.notThrows(() => checkDirectory(directory))
  t.notThrows(() => checkDirectory(join(directory, 'none')))
  chmodSync(directory, 0o777)
  t.throws(() => checkDirectory(directory), { code: 'JOURNAL_UNREADABLE' })
  chmodSync(directory, 0o700)
})
