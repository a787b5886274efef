/**
 * Power cuts of a real file system: ext4 on a loop device, and the ioctl that shuts it down at once without writing anything
 * more (`EXT4_IOC_SHUTDOWN` with `NOLOGFLUSH`), while a program writes. Then it is mounted again, as after a reboot.
 * DAYBOOK_POWER_CUTS: how many. DAYBOOK_POWER_CUT_SEED: other moments.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openCache } from '../../src/index.js'
import { checkEntries, checkRounds, Rounds, start } from '../helpers/crash/processes.js'
import { Random } from '../helpers/random.js'
import { countFrom } from '../helpers/runs.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const CUTS = countFrom('DAYBOOK_POWER_CUTS', 6)
const SEED = countFrom('DAYBOOK_POWER_CUT_SEED', Date.now())
/** With each of these the file system treats unsynced bytes differently. */
const KINDS = [
  { fsync: 'always', options: 'data=ordered' },
  { fsync: 'everysec', options: 'data=writeback' },
  { fsync: 'never', options: 'nodelalloc' },
] as const
const UNSYNCED = 'x'.repeat(10_000)
const whole = {
  cuts: 0,
  acknowledged: 0,
  lost: 0,
  beyond: 0,
  torn: 0,
  snapshots: 0,
  unsyncedGone: 0,
  tooLate: 0,
  tooLateLost: 0,
}

/**
 * Waits for a line; then writes a file without an fsync, as something to lose, and cuts the power. Prints the time just before:
 * lines that are printed later do not count, because an fsync that runs while the ioctl aborts ext4's journal may report success.
 * After a real power cut no one would receive that report.
 */
const CUT = `
import fcntl, os, struct, sys, time
folder = os.open(sys.argv[1], os.O_RDONLY)
print('ready', flush=True)
sys.stdin.readline()
with open(sys.argv[1] + '/unsynced', 'w') as file: file.write(sys.argv[2])
print(time.monotonic_ns(), flush=True)
fcntl.ioctl(folder, 0x8004587d, struct.pack('I', 2))
`

class Machine {
  readonly folder: string
  readonly #image: string
  readonly #options: string

  constructor(folder: string, options: string) {
    this.#image = join(folder, 'image')
    this.folder = join(folder, 'mounted')
    this.#options = options
    mkdirSync(this.folder)
    execFileSync('truncate', ['--size=24M', this.#image])
    execFileSync('mkfs.ext4', ['-q', '-F', this.#image])
  }

  boot(...more: string[]): void {
    const options = ['loop', this.#options, ...more].join()
    execFileSync('mount', ['-t', 'ext4', '-o', options, this.#image, this.folder], { stdio: 'pipe' })
  }

  /** Returns a function that cuts the power at once, and returns when: nanoseconds, as `process.hrtime` counts them. */
  async holdSwitch(): Promise<() => Promise<bigint>> {
    const child = spawn('python3', ['-c', CUT, this.folder, UNSYNCED])
    let errors = ''
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      errors += chunk
    })
    const ended = new Promise<void>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(errors.trim().split('\n').at(-1)))))
    })
    await Promise.race([once(child.stdout, 'data'), ended])
    return async () => {
      child.stdin.end('\n')
      await ended
      return BigInt(output.trim().split('\n').at(-1) as string)
    }
  }

  shutDown(...how: string[]): void {
    spawnSync('umount', [...how, this.folder])
  }
}

/** Why power cuts are not possible here, found by trying one. */
const obstacle = await (async () => {
  if (process.platform !== 'linux') return 'ext4 needs Linux'
  const folder = mkdtempSync(join(tmpdir(), 'daybook-power-'))
  let machine: Machine | undefined
  try {
    machine = new Machine(folder, KINDS[0].options)
    machine.boot()
    const cutPower = await machine.holdSwitch()
    await cutPower()
    return undefined
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: Buffer }
    return `${stderr ?? ''}`.trim().split('\n').at(-1) || message
  } finally {
    machine?.shutDown('-l')
    rmSync(folder, { recursive: true, force: true })
  }
})()

const whenPossible = obstacle === undefined ? test : test.skip
const skipped = obstacle === undefined ? '' : ` (skipped: no ext4 on a loop device here: ${obstacle})`

KINDS.forEach(({ fsync, options }, place) => {
  whenPossible(`a power cut of ext4 (${options}) under ${fsync}: nothing acknowledged is lost${skipped}`, async (t) => {
    t.timeout(60 * 60_000)
    const machine = new Machine(temporaryDirectory(t), options)
    t.teardown(() => machine.shutDown('-l'))
    const directory = join(machine.folder, 'journal')
    const random = new Random(SEED + place * 7919)
    const rounds = await Rounds.begin()
    const unsynced = join(machine.folder, 'unsynced')
    // Without a program whose fsyncs would also write it, the unsynced file is lost: these are power cuts.
    machine.boot('commit=600')
    await (await machine.holdSwitch())()
    machine.shutDown()
    machine.boot()
    t.true(isGone(unsynced), 'these are not power cuts: nothing was lost')
    machine.shutDown()
    let before = 0
    for (let cut = 0; cut < Math.ceil(CUTS / KINDS.length); cut++) {
      machine.boot()
      const cutPower = await machine.holdSwitch()
      const running = start(t, ['durable', directory, fsync])
      await running.printed(1 + random.below(80))
      const cutAt = await cutPower()
      running.child.kill('SIGKILL')
      await running.ended
      const acknowledged = running.lines.map((line) => line.split(' ') as [string, string])
      const inTime = acknowledged.filter(([, at]) => BigInt(at) < cutAt)
      t.true(inTime.length > 0, `something was acknowledged: ${acknowledged.length}`)
      whole.tooLate += acknowledged.length - inTime.length
      const last = Number(inTime.at(-1)?.[0])
      machine.shutDown()
      machine.boot()
      if (isGone(unsynced)) whole.unsyncedGone++
      before = await look(t, directory, last, before, rounds)
      whole.tooLateLost += acknowledged.filter(([round]) => Number(round) > before).length
      machine.shutDown()
    }
  })
})

function isGone(path: string): boolean {
  return !existsSync(path) || statSync(path).size === 0 || readFileSync(path, 'latin1') !== UNSYNCED
}

async function look(
  t: ExecutionContext,
  directory: string,
  acknowledged: number,
  before: number,
  rounds: Rounds,
): Promise<number> {
  const cache = await openCache({ directory, maxSize: 100_000, compaction: false })
  const found = checkRounds(t, cache, acknowledged)
  checkEntries(t, cache, rounds, found)
  whole.cuts++
  whole.acknowledged += acknowledged - before
  whole.lost += Math.max(0, acknowledged - found)
  whole.beyond += Math.max(0, found - acknowledged)
  if (cache.recovery.setAside !== undefined) whole.torn++
  if (cache.recovery.snapshot !== undefined) whole.snapshots++
  await cache.close()
  return found
}

test.after.always(() => {
  console.log(
    obstacle === undefined
      ? `Real power cuts: ${whole.cuts} of ext4, ${whole.acknowledged} acknowledged rounds, ${whole.lost} lost; ${whole.beyond} kept beyond those; ` +
          `${whole.torn} torn tails, ${whole.snapshots} recoveries from a snapshot; an unsynced file was lost ${whole.unsyncedGone} times; ` +
          `${whole.tooLate} rounds printed during the cut, ${whole.tooLateLost} of them lost (seed ${SEED})`
      : `Real power cuts: skipped, no ext4 on a loop device here: ${obstacle}`,
  )
})
