/** Holds up to twice `maxSize`, which its README says is the price of its speed. */
export const quickLru = {
  name: 'quick-lru',
  package: 'quick-lru',
  async open({ size }) {
    const { default: QuickLRU } = await import('quick-lru')
    return {
      scope: { cache: new QuickLRU({ maxSize: size }), hour: { maxAge: 3_600_000 } },
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
