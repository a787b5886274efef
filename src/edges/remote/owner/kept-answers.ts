/**
 * The numbered commands of one client: each takes effect once, however often it is asked. The answer to a command that has taken
 * effect comes from the state. Before: session. After: cache/turns/numbered.
 */
import { deserialize, serialize } from 'node:v8'
import type { NumberedCommands } from '../../../cache/turns/numbered.js'
import { ANSWER_BYTES_MAX, ANSWERS_BYTES_MAX, type Answer, bytesOf, DONE } from '../../../core/model/note.js'
import { CacheError } from '../../../errors.js'
import { BATCH_REQUESTS_MAX, BATCHES_MAX, FORGET_MS } from '../wire/protocol.js'
import type { Wire } from '../wire/wire-value.js'
import { refusal } from './refusal.js'

/** Numbers from the first that is unanswered to the last that is asked. */
const WINDOW = BATCHES_MAX * BATCH_REQUESTS_MAX

export class KeptAnswers {
  readonly #commands: NumberedCommands
  readonly #client: string
  /** The client has all answers up to this number. */
  #received = 0
  readonly #now: () => number
  /** When the batch that is being answered was first sent, if it says so. */
  #sentMs = Number.POSITIVE_INFINITY
  /** Of the last commands, which changed nothing: the answers that the client may not have. */
  #unchanged: { number: number; answer: Answer }[] = []

  /** `now`: the time by which clients are forgotten, if batches say when they were sent. */
  constructor(commands: NumberedCommands, client: string, now = () => 0) {
    this.#commands = commands
    this.#client = client
    this.#now = now
    this.#received = commands.receivedBy(client)
  }

  /** Begins a batch. Returns `false` for a number that no client says. */
  receive(number: unknown, sentMs: unknown): boolean {
    this.#sentMs = typeof sentMs === 'number' ? sentMs : Number.POSITIVE_INFINITY
    if (!Number.isSafeInteger(number) || (number as number) < 0) return false
    this.#received = Math.max(this.#received, number as number)
    return true
  }

  /**
   * @throws CacheError `OUTCOME_UNKNOWN` if the command has taken effect, but its answer was too large to be kept; or if it was sent so long
   * ago that its answer may have been forgotten.
   * @param isOne Whether {@link NumberedCommands.runOne} may run it.
   */
  answer(number: number, run: () => Wire, isOne = false): Wire {
    const kept = this.#commands.find(this.#client, number)
    if (kept !== undefined) return wireOf(kept.answer)
    const received = this.#received
    if (number <= received || number - received > WINDOW)
      throw new CacheError('INTERNAL', `Command ${number} is not among those that this client may ask`, {
        consequence: 'It may have taken effect before.',
      })
    if (this.#now() - this.#sentMs >= FORGET_MS) throw forgotten()
    this.#noteUnchanged()
    const unchanged = (answer: Answer) => this.#unchanged.push({ number, answer })
    try {
      const command = { client: this.#client, number, received }
      if (isOne) return this.#commands.runOne(command, run, this.#keep)
      return this.#commands.run(command, run, this.#keep, unchanged)
    } catch (error) {
      unchanged(this.#keep(refusal(error)))
      throw error
    }
  }

  /**
   * Before the next command, which may change something: asked again after that, an earlier one must not be decided anew. Whoever waits for
   * each answer has them all by then.
   */
  #noteUnchanged(): void {
    if (this.#unchanged.length === 0 || !this.#commands.areNotable) return
    const received = this.#received
    for (const { number, answer } of this.#unchanged)
      if (number > received) this.#commands.note({ type: 'answered', client: this.#client, number, received, answer })
    this.#unchanged = []
  }

  readonly #keep = (wire: Wire): Answer => {
    if (typeof wire === 'string' ? wire.length > ANSWER_BYTES_MAX / 3 : typeof wire === 'object' && wire !== null)
      return this.#fit(new Uint8Array(serialize(wire)))
    return this.#fit(wire as Answer)
  }

  #fit(answer: Answer): Answer {
    const bytes = bytesOf(answer)
    const isKept = bytes <= ANSWER_BYTES_MAX && this.#commands.bytesFor(this.#client) + bytes <= ANSWERS_BYTES_MAX
    return isKept ? answer : DONE
  }
}

function wireOf(answer: Answer): Wire {
  if (answer instanceof Uint8Array) return deserialize(answer) as Wire
  if (answer !== DONE) return answer
  throw new CacheError(
    'OUTCOME_UNKNOWN',
    'The process that made the change ended before its answer arrived, and the answer was too large to be kept',
    { consequence: 'The change was made, exactly once.', advice: 'Read what you need.' },
  )
}

function forgotten(): CacheError {
  return new CacheError('OUTCOME_UNKNOWN', 'The command was sent so long ago that its answer may have been forgotten', {
    consequence: 'The change was made once, or not at all.',
    advice: 'Read what you need.',
  })
}
