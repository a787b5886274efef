/**
 * `daybook/express-session`: the sessions of express-session 1, and of @fastify/session 11, which has the same contract.
 *
 *   app.use(session({ store: sessionStore(session, { cache }), secret, resave: false, saveUninitialized: false }))
 *
 * The contract: a subclass of the module's `Store`, whose methods take a callback. Sessions are what JSON keeps of them, as in
 * other stores. The deadline is that of the cookie; without one, `ttl` after the last `set` or `touch`.
 */
import { types } from 'node:util'
import type { SetOptions } from '../../cache/arguments/arguments.js'
import { type Duration, toMilliseconds } from '../../cache/arguments/duration.js'
import { realImmediate } from '../../durable/storage/real-timers.js'
import { mustBe } from '../../errors.js'
import { type Backing, type BackingOptions, checkAdapterOptions, entriesUnder, keysUnder, update } from './backing.js'

export type { Backing, BackingOptions } from './backing.js'

export interface SessionStoreOptions extends BackingOptions {
  /** The beginning of every key in the cache. Default `'sess:'`. */
  prefix?: string | undefined
  /** How long a session without an expiring cookie lives after its last use. Default `'1d'`. */
  ttl?: Duration | undefined
}

/** What is used of the module. */
export interface SessionModule<Store extends object> {
  Store: abstract new (...parameters: never[]) => Store
}

/** What is used of a session. */
interface SessionData {
  cookie?: { expires?: Date | string | boolean | null | undefined } | undefined
}

type Callback<T = void> = (error: unknown, result?: T) => void

/** A store for `session({ store })`. Pass the module itself: `import session from 'express-session'`. */
export function sessionStore<Store extends object>(session: SessionModule<Store>, options: SessionStoreOptions): Store {
  const { Store } = (session ?? {}) as { Store?: unknown }
  if (typeof Store !== 'function') {
    throw new TypeError(
      mustBe('The first argument', 'the module express-session, version 1.17 or later, or @fastify/session', session),
    )
  }
  const { cache: backing, prefix = 'sess:', ttl = '1d' } = checkAdapterOptions(options, ['prefix', 'ttl'])
  if (typeof prefix !== 'string') throw new TypeError(mustBe('prefix', 'a string', prefix))
  toMilliseconds(ttl, 'ttl')

  const deadlineOf = ({ cookie }: SessionData): SetOptions => {
    const expires = cookie?.expires
    const atMs = typeof expires === 'string' || types.isDate(expires) ? new Date(expires).getTime() : Number.NaN
    return Number.isNaN(atMs) ? { ttl } : { expiresAt: new Date(atMs) }
  }

  class DaybookSessionStore extends (Store as new () => object) {
    get(sid: string, callback: Callback<SessionData | null>): void {
      answer(callback, async (cache) => ((await cache.get(prefix + sid)) as SessionData | undefined) ?? null)
    }

    set(sid: string, data: SessionData, callback?: Callback): void {
      answer(callback, async (cache) => {
        await cache.set(prefix + sid, asJson(data), deadlineOf(data))
      })
    }

    /** Keeps what the session holds by now, which another request may have changed. */
    touch(sid: string, data: SessionData, callback?: Callback): void {
      answer(callback, (cache) =>
        update<SessionData>(cache, prefix + sid, (entry) => {
          const cookie = asJson(data.cookie)
          return entry === undefined ? undefined : [{ ...entry.value, cookie }, deadlineOf(data)]
        }),
      )
    }

    destroy(sid: string, callback?: Callback): void {
      answer(callback, async (cache) => {
        await cache.delete(prefix + sid)
      })
    }

    all(callback: Callback<Record<string, SessionData>>): void {
      answer(callback, async (cache) => {
        const sessions: Record<string, SessionData> = Object.create(null)
        for await (const [key, data] of entriesUnder(cache, prefix))
          sessions[key.slice(prefix.length)] = data as SessionData
        return sessions
      })
    }

    length(callback: Callback<number>): void {
      answer(callback, async (cache) => {
        let count = 0
        for await (const keys of keysUnder(cache, prefix)) count += keys.length
        return count
      })
    }

    clear(callback?: Callback): void {
      answer(callback, async (cache) => {
        await cache.deletePrefix(prefix)
      })
    }
  }

  function answer<T>(callback: Callback<T> | undefined, task: (cache: Backing) => Promise<T>): void {
    const reply = (...parameters: Parameters<Callback<T>>) => {
      // In a turn of its own: the journal has been written by then, and what the callback throws is an uncaught exception.
      if (callback !== undefined) realImmediate(() => callback(...parameters))
    }
    void (async () => task(await backing))().then((result) => reply(null, result), reply)
  }

  return new DaybookSessionStore() as Store
}

function asJson<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T)
}
