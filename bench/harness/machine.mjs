/** Describes the machine and the versions of a run. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { redisVersion } from './redis-server.mjs'
import { fileSystemOf } from './workspace.mjs'

const NAMES = [
  'lru-cache',
  'quick-lru',
  'node-cache',
  'keyv',
  '@keyv/sqlite',
  'cacheable',
  'lmdb',
  'better-sqlite3',
  'classic-level',
  'ioredis',
]

export function describeMachine(directory) {
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release().split('-')[0]}, files on ${fileSystemOf(directory)}`,
    load: loadavg()[0].toFixed(1),
    node: process.version,
    versions: versions(),
  }
}

function versions() {
  const require = createRequire(import.meta.url)
  const found = { daybook: JSON.parse(readFileSync(new URL('../../package.json', import.meta.url))).version }
  for (const name of NAMES) {
    const path = (require.resolve.paths(name) ?? []).map((folder) => `${folder}/${name}/package.json`)
    for (const candidate of path) {
      try {
        found[name] ??= JSON.parse(readFileSync(candidate)).version
      } catch {
        // not in this folder
      }
    }
  }
  const redis = redisVersion()
  if (redis !== undefined) found['redis-server'] = redis
  return found
}
