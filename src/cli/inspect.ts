/** `daybook inspect`: the journal's events as they were written, also while another process goes on writing. */
import type { Command } from 'commander'
import type { Change } from '../cache/streams/change.js'
import { compileGlob } from '../core/decide/glob.js'
import type { CacheEvent } from '../core/model/event.js'
import type { Sequence } from '../core/model/sequence.js'
import type { StoredValue } from '../core/model/stored-value.js'
import { readHeaderOf } from '../durable/format/file-header.js'
import type { Frame } from '../durable/format/frame.js'
import { eventsOf } from '../durable/history/frame-events.js'
import { type Chain, readChain, troubleOf } from '../durable/history/read-chain.js'
import { startAfter } from '../durable/history/replay.js'
import { disk } from '../durable/storage/disk.js'
import { restoreValue } from '../values/encode.js'
import { changeJson } from './change-json.js'
import { changeText } from './change-text.js'
import { EXIT } from './exit-codes.js'
import { planOpening, readJournal } from './journal-directory.js'
import { addDirectoryOption, type DirectoryOptions, parseSequence } from './options.js'
import { LineBatch, output, remark } from './output.js'
import { showBytes, showCount, showCountOf } from './quantities.js'

interface InspectOptions extends DirectoryOptions {
  json?: true
  full?: true
  from: number
  to: number
  key?: string
}

const VALUE_LENGTH_MAX = 200

export function addInspectCommand(program: Command): void {
  addDirectoryOption(program.command('inspect'))
    .description("print the journal's events; also of a directory that is in use")
    .option('--json', 'a line of JSON for each event, values in full')
    .option('--from <sequence>', 'from this sequence on', parseSequence, 0)
    .option('--to <sequence>', 'through this sequence', parseSequence, Number.MAX_SAFE_INTEGER)
    .option('--key <pattern>', 'events of keys that match (* ? [a-z]), and those that concern all keys')
    .option('--full', `don't cut values after ${VALUE_LENGTH_MAX} characters`)
    .addHelpText(
      'after',
      '\nEvents that a snapshot covers are in no file any more: "daybook stats" says how many there were.',
    )
    .action(async (options: InspectOptions) => {
      output.onClosed = () => process.exit(EXIT.fine)
      process.exitCode = await new Inspection(options).run()
    })
}

class Inspection {
  readonly #options: InspectOptions
  readonly #matches: (key: string) => boolean
  readonly #lines = new LineBatch()
  /** The next sequence to print: reading again after a change of files goes on from here. */
  #next: number

  constructor(options: InspectOptions) {
    this.#options = options
    this.#next = options.from
    this.#matches = compileGlob(options.key ?? '*')
  }

  async run(): Promise<number> {
    const { result, isLive } = await this.#read().finally(() => this.#lines.end())
    return this.#judge(result, isLive)
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

  #judge({ verdict }: Chain, isLive: boolean): number {
    if (verdict.verdict === 'corrupt') throw verdict.error
    if (verdict.verdict === 'torn' && !isLive) {
      const { file, offset, reason } = verdict.stop
      remark(
        `${file.name} ends with ${showBytes(file.bytes - offset)} that are no whole frame (${reason}): a crash cut it short, and the next opening sets it aside.`,
      )
    }
    return EXIT.fine
  }

  /** A snapshot took the place of events that would have been printed. */
  #noteCovered(name: string, sequence: number): void {
    const { from, to } = this.#options
    const first = Math.max(1, this.#next)
    if (sequence < first || first > to) return
    const covered =
      first === sequence
        ? `Sequence ${showCount(sequence)} is`
        : `Sequences ${showCount(first)} to ${showCount(sequence)} are`
    remark(
      `${covered} covered by ${name}${this.#next > from ? ', written meanwhile' : ''}: what they came to is there, the events are not.`,
    )
    this.#next = sequence + 1
  }

  async #print(frame: Frame, bytes: Buffer, path: string): Promise<void> {
    const { to } = this.#options
    if (frame.firstSequence + frame.count <= this.#next) return
    let sequence: number = frame.firstSequence
    for (const event of eventsOf(frame, bytes, path)) {
      if (sequence > to) break
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
    if (this.#options.json) return changeJson(event, sequence, atMs)
    const text = changeText(toChange(event, sequence), {
      colors: output.colors,
      valueLengthMax: this.#options.full ? Number.POSITIVE_INFINITY : VALUE_LENGTH_MAX,
      atMs,
    })
    return event.type === 'loaded' ? `${text} ${showCountOf(event.entries, 'entry', 'entries')} of ${event.file}` : text
  }
}

function toChange(event: CacheEvent, sequence: number): Change {
  switch (event.type) {
    case 'set':
      return withDeadline({ type: 'set', sequence, key: event.key, value: restore(event.value) }, event.expiresAtMs)
    case 'rescheduled':
      return withDeadline({ type: 'rescheduled', sequence, key: event.key }, event.expiresAtMs)
    case 'cleared':
    case 'loaded':
      return { type: event.type, sequence }
    default:
      return { type: event.type, sequence, key: event.key }
  }
}

function withDeadline(change: Change, expiresAtMs: number): Change {
  return expiresAtMs === Number.POSITIVE_INFINITY ? change : { ...change, expiresAtMs }
}

function restore(value: StoredValue): unknown {
  return restoreValue(value, 'copy')
}
