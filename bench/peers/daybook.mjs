import { openCache } from '../../dist/src/index.js'

const VARIANTS = {
  daybook: {},
  'daybook share': { isolation: 'share' },
  'daybook copy': { isolation: 'copy' },
  'daybook freeze': { isolation: 'freeze' },
}

/** With its journal; without compaction, which is measured separately. */
function variant(name, options) {
  return {
    name,
    async open({ size, directory, fsync = 'everysec', isolation = 'copy' }) {
      const cache = await openCache({ directory, maxSize: size, compaction: false, fsync, isolation, ...options })
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

export const [daybook, daybookShare, daybookCopy, daybookFreeze] = Object.entries(VARIANTS).map(([name, options]) =>
  variant(name, options),
)
