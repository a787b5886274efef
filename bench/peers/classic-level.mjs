/** LevelDB, with many calls in flight, because each goes through the thread pool. `sync` is its fsync. */
export const classicLevel = {
  name: 'classic-level',
  package: 'classic-level',
  async open({ directory, kind }) {
    const { ClassicLevel } = await import('classic-level')
    const valueEncoding = { '4 KB bytes': 'view', '40-byte text': 'utf8' }[kind] ?? 'json'
    const db = new ClassicLevel(directory, { valueEncoding })
    await db.open()
    return {
      scope: { db, synced: { sync: true } },
      calls: {
        get: 'db.get(key)',
        set: 'db.put(key, value)',
        setAcknowledged: 'db.put(key, value)',
        setDurable: 'db.put(key, value, synced)',
      },
      way: { get: 1000, set: 1000, setAcknowledged: 'awaited', setDurable: 'awaited' },
      count: async () => (await db.keys().all()).length,
      close: () => db.close(),
    }
  },
}
