/** A Redis server on the same machine, through ioredis over loopback; each `awaited` call is a round trip, as in most programs. */
import { JSON_LIKE } from '../harness/objects.mjs'
import { startRedis } from '../harness/redis-server.mjs'

function variant(name, { settings, options = {}, way }) {
  return {
    name,
    package: 'ioredis',
    needsRedis: true,
    async open({ directory, kind }) {
      const server = await startRedis(directory, settings)
      const { default: Redis } = await import('ioredis')
      const client = new Redis(server.port, '127.0.0.1', options)
      await client.ping()
      const isJson = kind === JSON_LIKE
      const isBytes = kind === '4 KB bytes'
      const value = isJson ? 'JSON.stringify(value)' : isBytes ? 'Buffer.from(value.buffer)' : 'value'
      const set = `redis.set(key, ${value})`
      return {
        client,
        server,
        scope: { redis: client },
        calls: {
          get: isBytes ? 'redis.getBuffer(key)' : isJson ? 'redis.get(key).then(JSON.parse)' : 'redis.get(key)',
          set,
          setTtl: `redis.set(key, ${value}, 'EX', 3600)`,
          increment: 'redis.incr(key)',
          ...(settings.appendfsync === 'always' ? { setDurable: set } : { setAcknowledged: set }),
        },
        way,
        count: () => client.dbsize(),
        async close() {
          client.disconnect()
          await server.stop()
        },
      }
    },
  }
}

const everysec = { appendonly: 'yes', appendfsync: 'everysec' }
const always = { appendonly: 'yes', appendfsync: 'always' }
const options = { enableAutoPipelining: true }

export const redis = variant('Redis everysec, awaited', { settings: everysec, way: 'awaited' })
export const redisPipelined = variant('Redis everysec, 1000 in flight', { settings: everysec, options, way: 1000 })
export const redisAlways = variant('Redis always', { settings: always, way: 'awaited' })
export const redisAlwaysPipelined = variant('Redis always, auto-pipelining', {
  settings: always,
  options,
  way: 'awaited',
})
