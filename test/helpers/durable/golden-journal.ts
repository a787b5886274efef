/**
 * The journal of docs/format.md: a cache that was opened, used and closed, with a fixed time and a fixed journal id, so that its
 * bytes are always the same. They are in test/durable/format/golden/; `node dist/test/helpers/durable/golden-journal.js` prints
 * them as the document shows them.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import { disk } from '../../../src/durable/storage/disk.js'
import type { Cache } from '../../../src/index.js'
import { openCache } from '../../../src/open.js'
import { ManualClock } from '../../../src/testing.js'

export const GOLDEN_FILE = '0000000000000001.segment'
export const GOLDEN_FOLDER = join('test', 'durable', 'format', 'golden')
/** Written by a daybook that knew version 1 only. No longer written, always read. */
export const GOLDEN_V1_FOLDER = join('test', 'durable', 'format', 'golden-v1')
export const GOLDEN_TIME_MS = 1_700_000_000_000
export const GOLDEN_ID = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

export async function openGolden(directory: string): Promise<Cache> {
  return openCache({
    journal: new FileJournal(disk, directory, () => GOLDEN_ID),
    clock: new ManualClock(GOLDEN_TIME_MS),
  })
}

export async function writeGolden(directory: string): Promise<void> {
  const cache = await openGolden(directory)
  cache.transact(() => {
    cache.set('user:1', 'Ada', { ttl: 60 })
    cache.increment('visits', 300)
    cache.set('π', Uint8Array.of(3, 1, 4))
    cache.expire('visits', 1)
    cache.delete('π')
    cache.set('news', true, { ttl: 60, stale: 3600, tags: ['ada', 'π'] })
  })
  cache.get('user:1')
  await cache.close()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const bytes = readFileSync(join(GOLDEN_FOLDER, GOLDEN_FILE))
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16)
    const hex = row.toString('hex').replaceAll(/../g, '$& ').trimEnd()
    const text = row.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.')
    console.log(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${text}`)
  }
}
