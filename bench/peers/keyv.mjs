/** keyv and cacheable: every call returns a promise. In memory nothing survives; `@keyv/sqlite` is keyv's store on disk. */
import { join } from 'node:path'

const CALLS = {
  get: 'cache.get(key)',
  set: 'cache.set(key, value)',
  setTtl: 'cache.set(key, value, 3600000)',
}

export const keyvMemory = {
  name: 'keyv, memory',
  package: 'keyv',
  async open({ kind }) {
    if (kind === '4 KB bytes') return undefined // JSON has no bytes
    const { default: Keyv } = await import('keyv')
    return { scope: { cache: new Keyv() }, calls: CALLS, way: 'awaited' }
  },
}

export const cacheable = {
  name: 'cacheable, memory',
  package: 'cacheable',
  async open() {
    const { Cacheable } = await import('cacheable')
    const cache = new Cacheable()
    return { scope: { cache }, calls: CALLS, way: 'awaited', close: () => cache.disconnect() }
  },
}

export const keyvSqlite = {
  name: 'keyv, sqlite (WAL)',
  package: '@keyv/sqlite',
  async open({ directory, kind }) {
    if (kind === '4 KB bytes') return undefined // JSON has no bytes
    const [{ default: Keyv }, { default: KeyvSqlite }] = await Promise.all([import('keyv'), import('@keyv/sqlite')])
    const store = new KeyvSqlite(`sqlite://${join(directory, 'keyv.sqlite')}`)
    await store.query('PRAGMA journal_mode = WAL')
    await store.query('PRAGMA synchronous = NORMAL')
    const cache = new Keyv({ store })
    return {
      scope: { cache },
      calls: CALLS,
      way: 'awaited',
      count: async () => Object.values((await store.query('SELECT count(*) FROM keyv'))[0])[0],
      close: () => cache.disconnect(),
    }
  },
}
