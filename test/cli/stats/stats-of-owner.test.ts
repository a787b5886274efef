import { createServer } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { firstValueFrom } from 'rxjs'
import { writeSocket } from '../../../src/durable/storage/owner-file.js'
import { bind } from '../../../src/durable/storage/socket-path.js'
import { SocketLine } from '../../../src/edges/processes/line/socket-line.js'
import { openCache } from '../../../src/index.js'
import { openSharedWithin } from '../../../src/processes.js'
import { daybook } from '../../helpers/cli/daybook-process.js'
import { serving } from '../../helpers/cli/serving.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test('stats asks the owner, which alone knows its hits and misses, and says so; with --files it reads the files', async (t) => {
  const { cwd, served, directory } = await serving(t, '--fsync', 'never') // otherwise the frame that records an fsync has the counters
  const cache = await openSharedWithin({ directory, owner: 'never', reconnectTimeout: 60 })
  await cache.set('a', 1)
  for (let read = 0; read < 3; read++) await cache.get('a')
  await cache.get('none')
  const jsonOf = async (...args: string[]) => {
    const { code, stdout, stderr } = await daybook(t, ['stats', '--json', ...args], { cwd })
    t.is(code, 0, stderr)
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const ofOwner = await jsonOf()
  const { pid } = await firstValueFrom(cache.role$)
  t.like(ofOwner, { source: 'owner', pid, isInUse: true, size: 1, hits: 3, misses: 1, sets: 1, sequence: 1 })
  t.like(ofOwner, { segments: 1, snapshot: null, entryBytes: null, expired: null, events: null })
  const ofFiles = await jsonOf('--files')
  t.like(ofFiles, {
    source: 'files',
    pid: null,
    isInUse: true,
    size: 1,
    hits: 0,
    misses: 0,
    sets: 1,
    sequence: 1,
    events: 1,
  })
  t.deepEqual(Object.keys(ofOwner).sort(), Object.keys(ofFiles).sort())
  await cache.compact()
  const { snapshot } = (await jsonOf()) as { snapshot: object }
  t.deepEqual(snapshot, (await jsonOf('--files'))['snapshot'])
  t.regex((await daybook(t, ['stats'], { cwd })).stdout, /^source +process \d+, which owns the cache$/m)
  t.regex((await daybook(t, ['stats', '--files'], { cwd })).stdout, /^source +the files: .* as of the last write$/m)
  await cache.close()
  await served.kill('SIGKILL')
  t.like(await jsonOf(), { source: 'files', isInUse: false }, 'what a killed owner left')
})

test('stats reads the files if the owner cannot be asked, and says why', async (t) => {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  await using cache = await openCache({ directory })
  cache.set('a', 1)
  await cache.flush()
  const server = createServer((socket) => {
    const line = new SocketLine(socket)
    line.onMessage(() => line.greet({ daybook: '9.9.9', protocol: 99 }))
  })
  t.teardown(() => server.close())
  writeSocket(directory, await bind(server, directory))
  const { code, stdout, stderr } = await daybook(t, ['stats'], { cwd })
  t.is(code, 0)
  t.regex(stdout, /^source +the files/m)
  t.regex(stderr, /^The owner of journal cannot be asked, so the files are read: .* runs daybook '9\.9\.9'/m)
})
