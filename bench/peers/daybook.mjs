import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openCache } from '../../dist/src/index.js'

const SOURCE = new URL('../../dist/src/', import.meta.url)
const COPY = new URL('../../dist/bench-copy/', import.meta.url)

const VARIANTS = {
  daybook: {},
  'daybook share': { isolation: 'share' },
  'daybook copy': { isolation: 'copy' },
  'daybook freeze': { isolation: 'freeze' },
}

/** With its journal; without compaction, which is measured separately. */
function variant(name, options, opener = async () => openCache) {
  return {
    name,
    async open({ size, directory, fsync = 'everysec', isolation = 'copy' }) {
      const open = await opener()
      const cache = await open({ directory, maxSize: size, compaction: false, fsync, isolation, ...options })
      return {
        cache,
        scope: { cache, hour: { ttl: 3600 } },
        calls: {
          get: 'cache.get(key)',
          set: 'cache.set(key, value)',
          setTtl: 'cache.set(key, value, hour)',
          setEvicting: 'cache.set(key, value)',
          setGet: '(cache.set(key, value), cache.get(key))',
          increment: 'cache.increment(key)',
          setDurable: '(cache.set(key, value), cache.flush())',
        },
        way: { setDurable: 'awaited' },
        count: () => cache.size,
        close: () => cache.close(),
      }
    },
  }
}

/** Beside another daybook in its process: V8 would compile one code for both policies, where a program has one of them. */
async function openerOfCopy() {
  cpSync(fileURLToPath(SOURCE), fileURLToPath(COPY), { recursive: true })
  return (await import(new URL('index.js', COPY).href)).openCache
}

export const [daybook, daybookShare, daybookCopy, daybookFreeze] = Object.entries(VARIANTS).map(([name, options]) =>
  variant(name, options),
)

export const daybookS3Fifo = variant('daybook s3-fifo', { eviction: 's3-fifo' }, openerOfCopy)
