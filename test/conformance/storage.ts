/**
 * What the journal asks of a storage. The disk, the storage in memory and the simulated disk of the tests all pass it:
 *
 *     testStorage('memory', async () => ({ storage: new MemoryStorage(), directory: 'memory' }))
 */
import { posix } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { NOTE_BYTES_MAX, readAll, type Storage, type StorageFile, writeAll } from '../../src/durable/storage/storage.js'

export interface StorageUnderTest {
  storage: Storage
  /** Where the test may put files. It has been made. */
  directory: string
}

type Body = (t: ExecutionContext, under: StorageUnderTest & { at: (file: string) => string }) => Promise<void>

export function testStorage(name: string, make: (t: ExecutionContext) => Promise<StorageUnderTest>): void {
  const on = (title: string, body: Body) => {
    test(`${name}: ${title}`, async (t) => {
      const made = await make(t)
      await body(t, { ...made, at: (file) => posix.join(made.directory, file) })
    })
  }

  on('what was written is read back', async (t, { storage, at }) => {
    const file = storage.create(at('a.segment'))
    writeAll(file, text('hello, world'), 0)
    t.is(file.size(), 12)
    t.is(await contentOf(file), 'hello, world')
    file.close()
    const again = storage.open(at('a.segment'), 'read')
    t.is(await contentOf(again), 'hello, world')
    t.is(again.path, at('a.segment'))
    again.close()
  })

  on('a write in the middle changes only those bytes', async (t, { storage, at }) => {
    const file = storage.create(at('a.segment'))
    writeAll(file, text('hello, world'), 0)
    t.is(file.write(text('xxHELLOxx'), 2, 5, 0), 5)
    t.is(await contentOf(file), 'HELLO, world')
    file.close()
  })

  on('a write past the end leaves zeros in between', async (t, { storage, at }) => {
    const file = storage.create(at('a.segment'))
    writeAll(file, text('ab'), 0)
    writeAll(file, text('cd'), 5)
    t.is(await contentOf(file), 'ab\0\0\0cd')
    file.close()
  })

  on('a later write is in order with the others', async (t, { storage, at }) => {
    const file = storage.create(at('a.segment'))
    t.is(await file.writeLater(text('hello'), 0, 5, 0), 5)
    writeAll(file, text('J'), 0)
    t.is(await contentOf(file), 'Jello')
    file.close()
  })

  on('reading answers how many bytes there were, and none past the end', async (t, { storage, at }) => {
    const file = storage.create(at('a.segment'))
    writeAll(file, text('hello'), 0)
    const target = Buffer.alloc(8, '.')
    t.is(await file.read(target, 2, 6, 3), 2)
    t.is(target.toString(), '..lo....')
    t.is(await file.read(target, 0, 8, 5), 0)
    t.is(await file.read(target, 0, 8, 99), 0)
    file.close()
  })

  on('what is cut off is gone, and zeros come in its place', async (t, { storage, at }) => {
    const file = storage.create(at('a.segment'))
    writeAll(file, text('hello, world'), 0)
    file.truncate(5)
    t.is(file.size(), 5)
    writeAll(file, text('!'), 7)
    t.is(await contentOf(file), 'hello\0\0!')
    file.close()
  })

  on('two openings of a file see the same bytes', async (t, { storage, at }) => {
    const writer = storage.create(at('a.segment'))
    const reader = storage.open(at('a.segment'), 'read')
    writeAll(writer, text('now'), 0)
    t.is(await contentOf(reader), 'now')
    writer.close()
    reader.close()
  })

  on('a file is created once', async (t, { storage, at }) => {
    storage.create(at('a.segment')).close()
    t.throws(() => storage.create(at('a.segment')), { code: 'EEXIST' })
  })

  on('a missing file is ENOENT to open, rename and unlink', async (t, { storage, at }) => {
    t.throws(() => storage.open(at('a.segment'), 'read'), { code: 'ENOENT' })
    t.throws(() => storage.open(at('a.segment'), 'write'), { code: 'ENOENT' })
    t.throws(() => storage.rename(at('a.segment'), at('b.segment')), { code: 'ENOENT' })
    t.throws(() => storage.unlink(at('a.segment')), { code: 'ENOENT' })
  })

  on('a rename takes the place of what was there', async (t, { storage, directory, at }) => {
    const old = storage.create(at('b.snapshot'))
    writeAll(old, text('old'), 0)
    old.close()
    const fresh = storage.create(at('b.snapshot.tmp'))
    writeAll(fresh, text('new'), 0)
    storage.rename(at('b.snapshot.tmp'), at('b.snapshot'))
    fresh.close()
    t.deepEqual(
      (await storage.list(directory)).map((entry) => entry.name),
      ['b.snapshot'],
    )
    const file = storage.open(at('b.snapshot'), 'read')
    t.is(await contentOf(file), 'new')
    file.close()
  })

  on('an open file outlives its name', async (t, { storage, at }) => {
    const file = storage.create(at('a.segment'))
    writeAll(file, text('still here'), 0)
    storage.unlink(at('a.segment'))
    t.is(await contentOf(file), 'still here')
    file.close()
    t.throws(() => storage.open(at('a.segment'), 'read'), { code: 'ENOENT' })
  })

  on('a listing has every name, sorted, with sizes', async (t, { storage, directory, at }) => {
    for (const [index, file] of ['b.segment', 'a.segment', 'c.snapshot', 'd.txt', '.e.segment'].entries()) {
      const made = storage.create(at(file))
      writeAll(made, Buffer.alloc(index * 10), 0)
      made.close()
    }
    t.deepEqual(await storage.list(directory), [
      { name: '.e.segment', isFile: true, bytes: 40 },
      { name: 'a.segment', isFile: true, bytes: 10 },
      { name: 'b.segment', isFile: true, bytes: 0 },
      { name: 'c.snapshot', isFile: true, bytes: 20 },
      { name: 'd.txt', isFile: true, bytes: 30 },
    ])
  })

  on('a missing directory lists nothing', async (t, { storage, at }) => {
    t.deepEqual(await storage.list(at('nowhere')), [])
  })

  on('making a directory that is there does nothing', async (t, { storage, directory }) => {
    storage.makeDirectory(directory)
    t.pass()
  })

  on('syncing succeeds, for files and directories', async (t, { storage, directory, at }) => {
    const file = storage.create(at('a.segment'))
    writeAll(file, text('x'), 0)
    file.syncNow()
    await Promise.all([file.sync(), file.sync()])
    storage.syncDirectory(directory)
    await storage.syncDirectoryLater(directory)
    file.close()
    t.pass()
  })

  on('a file may be closed while it is being synced', async (t, { storage, at }) => {
    const file = storage.create(at('a.segment'))
    writeAll(file, text('x'), 0)
    const syncing = file.sync()
    file.close()
    file.close()
    await t.notThrowsAsync(syncing)
  })

  on('a lock is held by one opener, and is free after its release', async (t, { storage, at }) => {
    t.false(storage.isLocked(at('LOCK')))
    const lock = storage.lock(at('LOCK'))
    t.truthy(lock)
    t.true(storage.isLocked(at('LOCK')))
    t.is(storage.lock(at('LOCK')), undefined)
    lock?.release()
    t.false(storage.isLocked(at('LOCK')))
    const next = storage.lock(at('LOCK'))
    t.truthy(next)
    next?.release()
  })

  on('a lock file keeps the note of its holder', async (t, { storage, at }) => {
    t.is(storage.noteIn(at('LOCK')), '')
    const lock = storage.lock(at('LOCK'))
    t.is(storage.noteIn(at('LOCK')), '')
    lock?.write('a long note\n')
    lock?.write('a note\n')
    t.is(storage.noteIn(at('LOCK')), 'a note\n')
    lock?.release()
    const next = storage.lock(at('LOCK'))
    t.is(storage.noteIn(at('LOCK')), 'a note\n')
    next?.release()
  })

  on('of a note that is too long only the beginning is read', async (t, { storage, at }) => {
    const lock = storage.lock(at('LOCK'))
    lock?.write('x'.repeat(10_000))
    t.is(storage.noteIn(at('LOCK')), 'x'.repeat(NOTE_BYTES_MAX))
    lock?.release()
  })
}

function text(content: string): Buffer {
  return Buffer.from(content, 'latin1')
}

async function contentOf(file: StorageFile): Promise<string> {
  const bytes = Buffer.alloc(file.size())
  await readAll(file, bytes, 0, bytes.length, 0)
  return bytes.toString('latin1')
}
