import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { disk } from '../../../src/durable/storage/disk.js'
import { removeIfThere, replaceFile } from '../../../src/durable/storage/replace-file.js'
import { type StorageFile, writeAll } from '../../../src/durable/storage/storage.js'
import { CacheError } from '../../../src/index.js'
import { storageLike } from '../../helpers/durable/storage-like.js'
import { until } from '../../helpers/loop-turn.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const write = async (file: StorageFile) => writeAll(file, Buffer.from('new'), 0)

test('when the directory cannot be synced after the rename, the outcome is unknown and no temporary file is left', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'file')
  writeFileSync(path, 'old')
  const storage = storageLike(disk, { syncDirectoryLater: () => Promise.reject(new Error('EIO')) })
  const error = await t.throwsAsync(replaceFile(storage, path, `${path}.tmp`, write), { instanceOf: CacheError })
  t.is((error as CacheError).code, 'OUTCOME_UNKNOWN')
  t.regex(error?.message ?? '', /is the new file.*EIO.*Try again/)
  t.is(readFileSync(path, 'utf8'), 'new')
  t.deepEqual(readdirSync(directory), ['file'])
})

const onLinux = process.platform === 'linux' ? test : test.skip
onLinux('a large file is closed after it was replaced or removed', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'file')
  const loseName = [() => replaceFile(disk, path, `${path}.tmp`, write), async () => removeIfThere(disk, path)]
  for (const lose of loseName) {
    writeFileSync(path, Buffer.alloc(2 * 1024 * 1024))
    await lose()
    await until(() => openIn(directory).length === 0, 'another thread to close it')
    t.deepEqual(openIn(directory), [])
  }
  t.deepEqual(readdirSync(directory), [])
})

function openIn(directory: string): string[] {
  const found: string[] = []
  for (const descriptor of readdirSync('/proc/self/fd')) {
    try {
      found.push(readlinkSync(`/proc/self/fd/${descriptor}`))
    } catch {
      // That of this listing itself.
    }
  }
  return found.filter((path) => path.startsWith(directory))
}
