import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'

const entry = (name: string) => JSON.stringify(new URL(`../../../../src/${name}.js`, import.meta.url).href)

test('a node keeps its process alive until it is closed, also one of a log in memory', async (t) => {
  const program = `
    import { openCluster } from ${entry('cluster')}
    import { memoryLog } from ${entry('testing')}
    const cache = await openCluster({ name: 'sessions', engine: memoryLog() })
    setTimeout(async () => {
      console.log('alive')
      await cache.close()
    }, 200).unref()`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  t.is(stdout, 'alive\n')
})
