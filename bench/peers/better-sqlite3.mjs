/** A prepared statement; each call is a transaction (autocommit); WAL mode, as its documentation advises. */
import { join } from 'node:path'
import { JSON_LIKE } from '../harness/objects.mjs'

function variant(name, synchronous) {
  return {
    name,
    package: 'better-sqlite3',
    async open({ directory, kind }) {
      const { default: Database } = await import('better-sqlite3')
      const db = new Database(join(directory, 'cache.sqlite'))
      db.pragma('journal_mode = WAL')
      db.pragma(`synchronous = ${synchronous}`)
      db.exec('CREATE TABLE IF NOT EXISTS cache (key TEXT PRIMARY KEY, value) WITHOUT ROWID')
      const write = db.prepare('INSERT INTO cache VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
      const read = db.prepare('SELECT value FROM cache WHERE key = ?').pluck()
      const count = db.prepare(
        'INSERT INTO cache VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value',
      )
      const isJson = kind === JSON_LIKE
      const set = isJson ? 'write.run(key, JSON.stringify(value))' : 'write.run(key, value)'
      return {
        db,
        scope: { write, read, count },
        calls: {
          get: isJson ? 'JSON.parse(read.get(key) ?? null)' : 'read.get(key)',
          set,
          increment: 'count.get(key)',
          ...(synchronous === 'FULL' ? { setDurable: set } : { setAcknowledged: set }),
        },
        fill: (keys, values) =>
          db.transaction(() =>
            keys.forEach((key, index) => {
              write.run(key, isJson ? JSON.stringify(values[index]) : values[index])
            }),
          )(),
        count: () => db.prepare('SELECT count(*) FROM cache').pluck().get(),
        close: () => db.close(),
      }
    },
  }
}

export const sqliteNormal = variant('better-sqlite3 WAL NORMAL', 'NORMAL')
export const sqliteFull = variant('better-sqlite3 WAL FULL', 'FULL')
