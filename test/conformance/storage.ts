/**
 * What the journal asks of a storage, as cases that know no test runner. The disk, the storage in memory and the simulated disk
 * of the tests pass all of them.
 */
import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { NOTE_BYTES_MAX, readAll, type Storage, type StorageFile, writeAll } from '../../src/durable/storage/storage.js'
import type { Case } from '../../src/testing/conformance/case.js'

const { join } = posix

export interface StorageUnderTest {
  storage: Storage
  /** An existing directory where the case may create files. */
  directory: string
}

export const STORAGE_CASES: readonly Case<StorageUnderTest>[] = [
  {
    name: 'what was written is read back',
    async run({ storage, directory }) {
      const file = storage.create(join(directory, 'a.segment'))
      writeAll(file, text('hello, world'), 0)
      assert.equal(file.size(), 12)
      assert.equal(await contentOf(file), 'hello, world')
      file.close()
      const again = storage.open(join(directory, 'a.segment'), 'read')
      assert.equal(await contentOf(again), 'hello, world')
      assert.equal(again.path, join(directory, 'a.segment'))
      again.close()
    },
  },

  {
    name: 'a write in the middle changes only those bytes',
    async run({ storage, directory }) {
      const file = storage.create(join(directory, 'a.segment'))
      writeAll(file, text('hello, world'), 0)
      assert.equal(file.write(text('xxHELLOxx'), 2, 5, 0), 5)
      assert.equal(await contentOf(file), 'HELLO, world')
      file.close()
    },
  },

  {
    name: 'a write past the end leaves zeros in between',
    async run({ storage, directory }) {
      const file = storage.create(join(directory, 'a.segment'))
      writeAll(file, text('ab'), 0)
      writeAll(file, text('cd'), 5)
      assert.equal(await contentOf(file), 'ab\0\0\0cd')
      file.close()
    },
  },

  {
    name: 'writeLater is ordered with the other writes',
    async run({ storage, directory }) {
      const file = storage.create(join(directory, 'a.segment'))
      assert.equal(await file.writeLater(text('hello'), 0, 5, 0), 5)
      writeAll(file, text('J'), 0)
      assert.equal(await contentOf(file), 'Jello')
      file.close()
    },
  },

  {
    name: 'reading returns how many bytes there were, and none past the end',
    async run({ storage, directory }) {
      const file = storage.create(join(directory, 'a.segment'))
      writeAll(file, text('hello'), 0)
      const target = Buffer.alloc(8, '.')
      assert.equal(await file.read(target, 2, 6, 3), 2)
      assert.equal(target.toString(), '..lo....')
      assert.equal(await file.read(target, 0, 8, 5), 0)
      assert.equal(await file.read(target, 0, 8, 99), 0)
      file.close()
    },
  },

  {
    name: 'truncated bytes are gone, and a later gap is zeros',
    async run({ storage, directory }) {
      const file = storage.create(join(directory, 'a.segment'))
      writeAll(file, text('hello, world'), 0)
      file.truncate(5)
      assert.equal(file.size(), 5)
      writeAll(file, text('!'), 7)
      assert.equal(await contentOf(file), 'hello\0\0!')
      file.close()
    },
  },

  {
    name: 'two handles of a file see the same bytes',
    async run({ storage, directory }) {
      const writer = storage.create(join(directory, 'a.segment'))
      const reader = storage.open(join(directory, 'a.segment'), 'read')
      writeAll(writer, text('now'), 0)
      assert.equal(await contentOf(reader), 'now')
      writer.close()
      reader.close()
    },
  },

  {
    name: 'a file is created once',
    async run({ storage, directory }) {
      storage.create(join(directory, 'a.segment')).close()
      assert.throws(() => storage.create(join(directory, 'a.segment')), { code: 'EEXIST' })
    },
  },

  {
    name: 'opening, renaming and unlinking a missing file fail with ENOENT',
    async run({ storage, directory }) {
      assert.throws(() => storage.open(join(directory, 'a.segment'), 'read'), { code: 'ENOENT' })
      assert.throws(() => storage.open(join(directory, 'a.segment'), 'write'), { code: 'ENOENT' })
      assert.throws(() => storage.rename(join(directory, 'a.segment'), join(directory, 'b.segment')), {
        code: 'ENOENT',
      })
      assert.throws(() => storage.unlink(join(directory, 'a.segment')), { code: 'ENOENT' })
    },
  },

  {
    name: 'a rename replaces the file that was there',
    async run({ storage, directory }) {
      const old = storage.create(join(directory, 'b.snapshot'))
      writeAll(old, text('old'), 0)
      old.close()
      const fresh = storage.create(join(directory, 'b.snapshot.tmp'))
      writeAll(fresh, text('new'), 0)
      storage.rename(join(directory, 'b.snapshot.tmp'), join(directory, 'b.snapshot'))
      fresh.close()
      assert.deepEqual(
        (await storage.list(directory)).map((entry) => entry.name),
        ['b.snapshot'],
      )
      const file = storage.open(join(directory, 'b.snapshot'), 'read')
      assert.equal(await contentOf(file), 'new')
      file.close()
    },
  },

  {
    name: 'an open file outlives its name',
    async run({ storage, directory }) {
      const file = storage.create(join(directory, 'a.segment'))
      writeAll(file, text('still here'), 0)
      storage.unlink(join(directory, 'a.segment'))
      assert.equal(await contentOf(file), 'still here')
      file.close()
      assert.throws(() => storage.open(join(directory, 'a.segment'), 'read'), { code: 'ENOENT' })
    },
  },

  {
    name: 'a listing has every name, sorted, with sizes',
    async run({ storage, directory }) {
      for (const [index, file] of ['b.segment', 'a.segment', 'c.snapshot', 'd.txt', '.e.segment'].entries()) {
        const made = storage.create(join(directory, file))
        writeAll(made, Buffer.alloc(index * 10), 0)
        made.close()
      }
      assert.deepEqual(await storage.list(directory), [
        { name: '.e.segment', isFile: true, bytes: 40 },
        { name: 'a.segment', isFile: true, bytes: 10 },
        { name: 'b.segment', isFile: true, bytes: 0 },
        { name: 'c.snapshot', isFile: true, bytes: 20 },
        { name: 'd.txt', isFile: true, bytes: 30 },
      ])
    },
  },

  {
    name: 'a missing directory lists nothing',
    async run({ storage, directory }) {
      assert.deepEqual(await storage.list(join(directory, 'nowhere')), [])
    },
  },

  {
    name: 'making an existing directory does nothing',
    async run({ storage, directory }) {
      storage.makeDirectory(directory)
      assert.deepEqual(await storage.list(directory), [])
    },
  },

  {
    name: 'syncing succeeds, for files and directories',
    async run({ storage, directory }) {
      const file = storage.create(join(directory, 'a.segment'))
      writeAll(file, text('x'), 0)
      file.syncNow()
      await Promise.all([file.sync(), file.sync()])
      storage.syncDirectory(directory)
      await storage.syncDirectoryLater(directory)
      file.close()
    },
  },

  {
    name: 'a file may be closed while it is being synced',
    async run({ storage, directory }) {
      const file = storage.create(join(directory, 'a.segment'))
      writeAll(file, text('x'), 0)
      const syncing = file.sync()
      file.close()
      file.close()
      await syncing
    },
  },

  {
    name: 'a lock has one holder, and is free after its release',
    async run({ storage, directory }) {
      const path = join(directory, 'LOCK')
      assert.equal(await storage.isLocked(path), false)
      const lock = await storage.lock(path)
      assert.ok(lock)
      assert.equal(await storage.isLocked(path), true)
      assert.equal(await storage.lock(path), undefined)
      lock.release()
      assert.equal(await storage.isLocked(path), false)
      const next = await storage.lock(path)
      assert.ok(next)
      next.release()
    },
  },

  {
    name: 'a lock file keeps the note of its holder',
    async run({ storage, directory }) {
      const path = join(directory, 'LOCK')
      assert.equal(storage.noteIn(path), '')
      const lock = await storage.lock(path)
      assert.equal(storage.noteIn(path), '')
      lock?.write('a long note\n')
      lock?.write('a note\n')
      assert.equal(storage.noteIn(path), 'a note\n')
      lock?.release()
      const next = await storage.lock(path)
      assert.equal(storage.noteIn(path), 'a note\n')
      next?.release()
    },
  },

  {
    name: 'only the beginning of a long note is read',
    async run({ storage, directory }) {
      const path = join(directory, 'LOCK')
      const lock = await storage.lock(path)
      lock?.write('x'.repeat(10_000))
      assert.equal(storage.noteIn(path), 'x'.repeat(NOTE_BYTES_MAX))
      lock?.release()
    },
  },
]

function text(content: string): Buffer {
  return Buffer.from(content, 'latin1')
}

async function contentOf(file: StorageFile): Promise<string> {
  const bytes = Buffer.alloc(file.size())
  await readAll(file, bytes, 0, bytes.length, 0)
  return bytes.toString('latin1')
}
