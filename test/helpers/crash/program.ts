/**
 * The program that the tests of real processes start, kill and starve: `node program.js MODE DIRECTORY [FSYNC]`. It prints a
 * line for everything that the cache has promised it.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { chdir } from 'node:process'
import { type Cache, type FsyncPolicy, openCache } from '../../../src/index.js'

const [mode, directory, fsync = 'everysec'] = process.argv.slice(2) as [string, string, FsyncPolicy?]

/** Synchronously, so that the line is out even if the next instruction is the last. */
function print(line: string): void {
  const bytes = Buffer.from(`${line}\n`)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

const codeOf = (error: unknown) => `${(error as { code?: string }).code ?? error}`

function open(options: Parameters<typeof openCache>[0] = {}): Promise<Cache> {
  return openCache({ directory, fsync, maxSize: 100_000, ...options })
}

/** Round n of the counted writes: `checkRounds` in processes.ts knows what they leave. */
export function writeRound(cache: Cache, round: number): void {
  cache.set(`key ${round % 97}`, `${round} ${'x'.repeat(round % 300)}`)
  cache.transact(() => {
    cache.set('left', round)
    cache.set('right', round)
  })
  if (round % 11 === 0) cache.delete(`key ${(round + 5) % 97}`)
  if (round % 5 === 0) cache.get(`key ${round % 97}`)
}

const modes: Record<string, () => Promise<void>> = {
  /** Writes endlessly. Prints a round when an immediate that was queued after its calls runs. */
  async rounds() {
    const cache = await open({ compaction: { journalBytes: 48 * 1024, factor: 1, segmentBytes: 16 * 1024 } })
    const start = (cache.get('right') as number | undefined) ?? 0
    for (let round = start + 1; ; round++) {
      writeRound(cache, round)
      const isPrinted = new Promise<void>((resolve) => {
        setImmediate(() => {
          print(`${round}`)
          resolve()
        })
      })
      // Sometimes several rounds share one turn of the loop.
      if (round % 7 > 2) await isPrinted
    }
  },

  /** Writes endlessly. Prints a round and the time when it is durable; ends when nothing can be made durable any more. */
  async durable() {
    const cache = await open({ compaction: { journalBytes: 24 * 1024, factor: 1, segmentBytes: 8 * 1024 } })
    const start = (cache.get('right') as number | undefined) ?? 0
    for (let round = start + 1; ; round++) {
      writeRound(cache, round)
      if (round % 4 > 0) await new Promise((resolve) => setImmediate(resolve))
      else {
        await cache.flush()
        print(`${round} ${process.hrtime.bigint()}`)
      }
    }
  },

  async exit() {
    const cache = await open()
    for (let round = 1; round <= 100; round++) writeRound(cache, round)
    process.exit(3)
  },

  /** Sets in an `exit` listener that was added after the journal's own, one by one and as a transaction. */
  async exitListener() {
    const cache = await open()
    writeRound(cache, 1)
    process.on('exit', () => {
      for (let round = 2; round <= 100; round++) writeRound(cache, round)
    })
    process.exit(3)
  },

  /** The same at the end of the event loop. */
  async exitListenerAtEnd() {
    const cache = await open()
    process.on('exit', () => {
      for (let round = 1; round <= 100; round++) writeRound(cache, round)
      process.exitCode = 3
    })
  },

  async throw() {
    const cache = await open()
    for (let round = 1; round <= 100; round++) writeRound(cache, round)
    setImmediate(() => undefined)
    throw new Error('uncaught')
  },

  async reject() {
    const cache = await open()
    await new Promise((resolve) => setImmediate(resolve))
    for (let round = 1; round <= 100; round++) writeRound(cache, round)
    Promise.reject(new Error('unhandled'))
  },

  async hold() {
    const cache = await open()
    for (let round = 1; round <= 10; round++) writeRound(cache, round)
    setImmediate(() => print('open'))
    setInterval(() => undefined, 1_000)
  },

  async try() {
    try {
      const cache = await open()
      print(`opened ${cache.get('right')}`)
      await cache.close()
    } catch (error) {
      print(codeOf(error))
    }
  },

  /** A relative directory, and a program that changes its own. */
  async chdir() {
    chdir(directory)
    const cache = await openCache({ directory: 'here', compaction: { journalBytes: 1e9, segmentBytes: 1_000 } })
    chdir('elsewhere')
    for (let at = 0; at < 20; at++) {
      cache.set(`k${at}`, 'x'.repeat(300))
      await cache.flush()
    }
    await cache.compact()
    cache.set('end', 1)
    await cache.close()
    print('closed')
  },

  /** Writes until it is refused; after a line of input it resumes when it can. */
  async fill() {
    const cache = await open({ compaction: false })
    let round = 0
    const write = async (rounds: number): Promise<string> => {
      for (; rounds > 0; rounds--) {
        try {
          writeRound(cache, round + 1)
          round++
          await new Promise((resolve) => setImmediate(resolve))
        } catch (error) {
          return codeOf(error)
        }
      }
      return 'enough'
    }
    print(`${await write(100_000)} ${round}`)
    print(`reads ${cache.get('right')}`)
    print(
      `flush ${await cache.flush().then(
        () => 'resolved',
        (error) => codeOf(error),
      )}`,
    )
    await new Promise((resolve) => process.stdin.once('data', resolve))
    const until = Date.now() + 60_000
    let outcome = await write(1)
    while (outcome !== 'enough' && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      outcome = await write(1)
    }
    print(`${outcome} ${round}`)
    print(
      `close ${await cache.close().then(
        () => 'resolved',
        (error) => codeOf(error),
      )}`,
    )
    process.exit(0)
  },

  /** Takes all file handles for a while, during which segments should be rotated and snapshots written. */
  async starve() {
    const cache = await open({ compaction: { journalBytes: 4_000, factor: 0.1, segmentBytes: 2_000 } })
    const taken: number[] = []
    const outcomes = new Set<string>()
    for (let round = 1; round <= 40; round++) {
      if (round === 10) {
        execFileSync('prlimit', [`--pid=${process.pid}`, '--nofile=200:'])
        try {
          for (;;) taken.push(openSync('/dev/null', 'r'))
        } catch (error) {
          if (codeOf(error) === 'EMFILE') print('starved')
        }
      }
      writeRound(cache, round)
      await cache.flush()
      if (round > 10 && round < 30 && round % 5 === 0)
        await cache.compact().catch((error) => outcomes.add(codeOf(error)))
      if (round === 30) for (const handle of taken) closeSync(handle)
    }
    print([...outcomes].join())
    print('40')
    await cache.close()
    print('close resolved')
  },

  /** Opens the journal with no file handle left, then with one, two, …, until it opens. */
  async cramped() {
    const taken: number[] = []
    execFileSync('prlimit', [`--pid=${process.pid}`, '--nofile=100:'])
    try {
      for (;;) taken.push(openSync('/dev/null', 'r'))
    } catch {
      // No handle is left.
    }
    for (let cache: Cache | undefined; cache === undefined; ) {
      try {
        cache = await open()
        print(`opened ${cache.get('right')}`)
        const file = `${directory}.saved.pkl`
        for (let isSaved = false; !isSaved; ) {
          isSaved = (await cache.save(file)).ok
          if (!isSaved) closeSync(taken.pop() as number)
        }
        print('saved')
        await cache.close()
      } catch (error) {
        print(`${codeOf(error)} ${codeOf((error as Error).cause)}`)
        closeSync(taken.pop() as number)
      }
    }
  },

  /** Prints how much waits in memory during a slow fsync. */
  async slow() {
    const cache = await open({ compaction: false })
    writeRound(cache, 1)
    await cache.flush()
    writeRound(cache, 2)
    const flushed = cache.flush()
    let pendingBytes = 0
    for (let round = 3; round <= 3_000; round++) {
      writeRound(cache, round)
      pendingBytes = Math.max(pendingBytes, cache.stats().journal.pendingBytes)
      if (round % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    print(`pending ${pendingBytes}`)
    await flushed
    await cache.close()
    print('close resolved')
  },

  /** Writes a number of rounds and flushes each until it is durable. Compacts now and then. */
  async persist() {
    const cache = await open({ compaction: { journalBytes: 1e9, segmentBytes: 2_000 } })
    for (let round = 1; round <= 40; round++) {
      writeRound(cache, round)
      for (let isDurable = false; !isDurable; ) {
        try {
          await cache.flush()
          isDurable = true
          print(`${round}`)
        } catch (error) {
          print(codeOf(error))
          if (codeOf(error) !== 'JOURNAL_WRITE_FAILED') process.exit(1)
        }
      }
      if (round % 10 === 0) await cache.compact().catch((error) => print(codeOf(error)))
    }
    await cache.close()
    print('close resolved')
  },

  /** Writes and flushes a number of rounds; prints each one that is durable. */
  async flush() {
    const cache = await open({ compaction: { journalBytes: 4_000, factor: 0.1, segmentBytes: 2_000 } })
    const start = (cache.get('right') as number | undefined) ?? 0
    for (let round = start + 1; round <= start + 40; round++) {
      try {
        writeRound(cache, round)
        await cache.flush()
        print(`${round}`)
      } catch (error) {
        print(codeOf(error))
        break
      }
      if (round % 10 === 0) await cache.compact().catch((error) => print(codeOf(error)))
    }
    print(
      `close ${await cache.close().then(
        () => 'resolved',
        (error) => codeOf(error),
      )}`,
    )
  },
}

if (mode !== undefined && modes[mode] !== undefined) await modes[mode]()
