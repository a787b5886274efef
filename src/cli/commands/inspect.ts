/** `daybook inspect`: prints the journal's events, also while another process writes to it. */
import { setTimeout } from 'node:timers/promises'
import type { Command } from 'commander'
import { compileGlob } from '../../core/decide/glob.js'
import type { CacheEvent } from '../../core/model/event.js'
import type { Sequence } from '../../core/model/sequence.js'
import { readHeaderOf } from '../../durable/format/file-header.js'
import type { Frame } from '../../durable/format/frame.js'
import { ChangeCursor, type Polled } from '../../durable/history/change-cursor.js'
import { eventsOf } from '../../durable/history/frame-events.js'
import { type Chain, readChain, troubleOf } from '../../durable/history/read-chain.js'
import { startAfter } from '../../durable/history/replay.js'
import { disk } from '../../durable/storage/disk.js'
import { CacheError } from '../../errors.js'
import { planOpening, readJournal } from '../journal/journal-directory.js'
import { addDirectoryOption, type DirectoryOptions, parseSequence } from '../journal/options.js'
import { FILES_HELP } from '../journal/past.js'
import { eventText } from '../terminal/event-text.js'
import { EXIT } from '../terminal/exit-codes.js'
import { Interruption } from '../terminal/interruption.js'
import { LineBatch, output, remark } from '../terminal/output.js'
import { showBytes, showCount } from '../terminal/quantities.js'
import { VALUE_LENGTH_MAX } from '../terminal/show-value.js'

interface InspectOptions extends DirectoryOptions {
  json?: true
  full?: true
  from?: number
  to?: number
  key?: string
  follow?: true
}

export function addInspectCommand(program: Command): void {
  addDirectoryOption(program.command('inspect'))
    .description("print the journal's events; also while it is in use")
    .option('--json', 'print a line of JSON for each event, with full values')
    .option('--from <sequence>', 'start at this sequence number', parseSequence)
    .option('--to <sequence>', 'stop after this sequence number', parseSequence)
    .option('--key <pattern>', 'only events of matching keys (* ? [a-z]), and events that affect all keys')
    .option('--follow', 'continue with new events, as they are written, until interrupted')
    .option('--full', `show more than ${VALUE_LENGTH_MAX} characters of a value`)
    .addHelpText(
      'after',
      `\nEvents that a snapshot covers are no longer in any file. "daybook stats" shows the last sequence number.\n${FILES_HELP}`,
    )
    .action(async (options: InspectOptions) => {
      output.onClosed = () => process.exit(EXIT.fine)
      process.exitCode = await new Inspection(options).run()
    })
}

class Inspection {
  readonly #options: InspectOptions
  readonly #from: number
  readonly #to: number
  readonly #matches: (key: string) => boolean
  readonly #lines = new LineBatch()
  /** The next sequence number to print: reading again after files have changed continues here. */
  #next: number

  constructor(options: InspectOptions) {
    this.#options = options
    this.#from = this.#next = Math.max(1, options.from ?? 1)
    this.#to = options.to ?? Number.MAX_SAFE_INTEGER
    this.#matches = compileGlob(options.key ?? '*')
  }

  async run(): Promise<number> {
    const { result, isLive } = await this.#read().finally(() => this.#lines.end())
    const code = this.#judge(result, isLive)
    return this.#options.follow === true ? this.#follow() : code
  }

  /**
   * Whether another process writes or not: what comes is printed, until Ctrl-C. When reading on is not possible, all is read again,
   * to tell damage from what is being written or has been compacted.
   */
  async #follow(): Promise<number> {
    const interruption = new Interruption()
    let cursor = this.#cursor()
    let lastTrouble: string | undefined
    while (!interruption.isStopped && this.#next <= this.#to) {
      const { events, trouble } = await cursor.poll().catch(overtaken)
      for (const { event, sequence, timeMs } of events) {
        if (sequence <= this.#to && this.#isWanted(event)) await this.#lines.add(this.#textOf(event, sequence, timeMs))
        this.#next = sequence + 1
      }
      await this.#lines.end()
      if (trouble !== undefined && trouble !== lastTrouble) {
        const { result } = await this.#read().finally(() => this.#lines.end())
        refuseDamaged(result)
        cursor = this.#cursor()
      }
      lastTrouble = trouble
      if (events.length === 0) await waitUnlessStopped(POLL_MS, interruption.signal)
    }
    interruption.release()
    return interruption.exitCode(EXIT.fine)
  }

  #cursor(): ChangeCursor {
    return new ChangeCursor(disk, this.#options.directory, (this.#next - 1) as Sequence)
  }

  #read(): Promise<{ result: Chain; isLive: boolean }> {
    const { directory, to } = this.#options
    return readJournal(directory, async (files) => {
      const plan = planOpening(files, directory)
      if (plan.snapshot !== undefined) this.#noteCovered(plan.snapshot.name, plan.snapshot.sequence)
      const start = startAfter(plan.snapshot && (await readHeaderOf(disk, plan.snapshot, 'snapshot')))
      const visit = (frame: Frame, bytes: Buffer, { path }: { path: string }) => this.#print(frame, bytes, path)
      const chain = await readChain(disk, directory, plan, start, visit, to as Sequence)
      return { result: chain, trouble: troubleOf(chain) }
    })
  }

  #judge(chain: Chain, isLive: boolean): number {
    refuseDamaged(chain)
    const { verdict } = chain
    if (verdict.verdict === 'torn' && !isLive) {
      const { file, offset, reason } = verdict.stop
      remark(
        `${file.name} ends with ${showBytes(file.bytes - offset)} of an incomplete frame (${reason}), as a crash leaves it; the next opening sets it aside.`,
      )
    }
    return EXIT.fine
  }

  /** A snapshot has replaced events that would have been printed. */
  #noteCovered(name: string, sequence: number): void {
    const first = this.#next
    if (sequence < first || first > this.#to) return
    const covered =
      first === sequence ? `Event ${showCount(sequence)} is` : `Events ${showCount(first)}–${showCount(sequence)} are`
    remark(
      `${covered} covered by ${name}${first > this.#from ? ', written meanwhile' : ''}: their result is kept, the events are not.`,
    )
    this.#next = sequence + 1
  }

  async #print(frame: Frame, bytes: Buffer, path: string): Promise<void> {
    if (frame.firstSequence + frame.count <= this.#next) return
    let sequence: number = frame.firstSequence
    for (const event of eventsOf(frame, bytes, path)) {
      if (sequence > this.#to) break
      if (sequence >= this.#next && this.#isWanted(event)) {
        await this.#lines.add(this.#textOf(event, sequence, frame.writtenAtMs))
      }
      sequence++
    }
    this.#next = Math.max(this.#next, sequence)
  }

  #isWanted(event: CacheEvent): boolean {
    return !('key' in event) || this.#matches(event.key)
  }

  #textOf(event: CacheEvent, sequence: number, atMs: number): string {
    const { json, full } = this.#options
    return eventText(event, sequence, atMs, { json: json === true, full: full === true })
  }
}

function refuseDamaged({ verdict }: Chain): void {
  if (verdict.verdict === 'corrupt') throw verdict.error
}

/** A compaction has removed the next event: the journal goes on with a snapshot. */
function overtaken(error: unknown): Polled {
  if (error instanceof CacheError && error.code === 'HISTORY_GONE') return { events: [], trouble: error.message }
  throw error
}

/** How often a journal is looked at for new events. */
const POLL_MS = 200

async function waitUnlessStopped(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined)
}
