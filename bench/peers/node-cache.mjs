/** With `useClones: false`, which its README recommends for speed. It does not evict (if full, it throws), so no `setEvicting`. */
function variant(name, useClones) {
  return {
    name,
    package: 'node-cache',
    async open() {
      const { default: NodeCache } = await import('node-cache')
      const cache = new NodeCache({ useClones, checkperiod: 0 })
      return {
        scope: { cache },
        calls: {
          get: 'cache.get(key)',
          set: 'cache.set(key, value)',
          setTtl: 'cache.set(key, value, 3600)',
          increment: 'cache.set(key, (cache.get(key) ?? 0) + 1)',
        },
        close: () => cache.close(),
      }
    },
  }
}

export const nodeCache = variant('node-cache', false)
export const nodeCacheCloning = variant('node-cache, useClones', true)
