/** An owner that hangs keeps the lock. It takes real seconds: the signs of life of an owner are as slow. */
import { join } from 'node:path'
import test from 'ava'
import { filter, firstValueFrom } from 'rxjs'
import { openSharedWithin } from '../../../src/processes.js'
import { DaybookProcess } from '../../helpers/cli/daybook-process.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test('when the owner is stopped, role$ warns after 5 s, calls wait, nobody takes over, and all goes on when it continues', async (t) => {
  t.timeout(120_000)
  const cwd = temporaryDirectory(t)
  const owner = new DaybookProcess(t, ['serve', 'journal'], { cwd })
  await owner.until(/this process \(\d+\) owns journal/)
  const cache = await openSharedWithin({ directory: join(cwd, 'journal'), owner: 'prefer', reconnectTimeout: 60 })
  t.is(await cache.increment('n'), 1)
  const warned = firstValueFrom(cache.role$.pipe(filter(({ warning }) => warning !== undefined)))
  owner.kill('SIGSTOP')
  const call = cache.increment('n')
  const { role, warning } = await warned
  t.is(role, 'client')
  t.is(warning?.code, 'OWNER_STALLED')
  const relieved = firstValueFrom(cache.role$.pipe(filter(({ warning }) => warning === undefined)))
  owner.kill('SIGCONT')
  t.is(await call, 2)
  t.is((await relieved).role, 'client')
  await cache.close()
  await owner.kill('SIGTERM')
})
