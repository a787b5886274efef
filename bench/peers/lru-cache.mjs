/** Only `max`: its README says that features that are not used (ttl, size, dispose) cost nothing. */
export const lruCache = {
  name: 'lru-cache',
  package: 'lru-cache',
  async open({ size }) {
    const { LRUCache } = await import('lru-cache')
    return {
      scope: { cache: new LRUCache({ max: size }), hour: { ttl: 3_600_000 } },
      calls: {
        get: 'cache.get(key)',
        set: 'cache.set(key, value)',
        setTtl: 'cache.set(key, value, hour)',
        setEvicting: 'cache.set(key, value)',
        increment: 'cache.set(key, (cache.get(key) ?? 0) + 1)',
      },
    }
  },
}

/** The equivalent of `isolation: 'copy'`. */
export const lruCacheCloning = {
  name: 'lru-cache + structuredClone',
  package: 'lru-cache',
  async open({ size }) {
    const { LRUCache } = await import('lru-cache')
    return {
      scope: { cache: new LRUCache({ max: size }) },
      calls: {
        get: 'structuredClone(cache.get(key))',
        set: 'cache.set(key, structuredClone(value))',
        setGet: '(cache.set(key, structuredClone(value)), structuredClone(cache.get(key)))',
      },
    }
  },
}
