/** All peers, from which the topics choose. */
import { redisVersion } from '../harness/redis-server.mjs'
import { sqliteFull, sqliteNormal } from './better-sqlite3.mjs'
import { classicLevel } from './classic-level.mjs'
import { daybook, daybookCopy, daybookFreeze, daybookShare } from './daybook.mjs'
import { cacheable, keyvMemory, keyvSqlite } from './keyv.mjs'
import { lmdb } from './lmdb.mjs'
import { lruCache, lruCacheCloning } from './lru-cache.mjs'
import { nodeCache, nodeCacheCloning } from './node-cache.mjs'
import { quickLru } from './quick-lru.mjs'
import { redis, redisAlways, redisAlwaysPipelined, redisPipelined } from './redis.mjs'

export const OWN = [daybook, daybookShare, daybookCopy, daybookFreeze]
/** In this process, synchronous; nothing survives. */
export const IN_MEMORY = [lruCache, quickLru, nodeCache]
export const CLONING = [lruCacheCloning, nodeCacheCloning]
/** In memory, too, with promises. */
export const PROMISED = [keyvMemory, cacheable]
/** A completed call survives the process. */
export const STORES = [lmdb, sqliteNormal, classicLevel, keyvSqlite, redis, redisPipelined]
/** A completed call is on disk. */
export const DURABLE = [lmdb, sqliteFull, classicLevel, redisAlways, redisAlwaysPipelined]

/** Why a peer cannot take part; `undefined` if it can. */
export async function whyAbsent(peer) {
  if (peer.needsRedis && redisVersion() === undefined) return 'redis-server is not installed'
  if (peer.package === undefined) return undefined
  try {
    await import(peer.package)
    return undefined
  } catch (error) {
    return `${peer.package}: ${String(error.message).split('\n')[0]}`
  }
}
