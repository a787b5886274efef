/**
 * Batches the writes of an event-loop turn on its own thread, as its README advises (`put`, not `putSync`). A `put` resolves
 * when it is committed, which a SIGKILL of the process does not undo; `flushed` resolves when it is on disk.
 */
export const lmdb = {
  name: 'lmdb',
  package: 'lmdb',
  async open({ directory }) {
    const { open } = await import('lmdb')
    const db = open({ path: directory, separateFlushed: true })
    const state = { db, last: undefined }
    return {
      scope: { db, state },
      calls: {
        get: 'db.get(key)',
        set: '(state.last = db.put(key, value))',
        setDurable: 'db.put(key, value).then(() => db.flushed)',
        setAcknowledged: 'db.put(key, value)',
      },
      way: { setDurable: 'awaited', setAcknowledged: 'awaited' },
      settle: () => state.last,
      count: () => db.getCount(),
      close: () => db.close(),
    }
  },
}
