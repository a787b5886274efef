/**
 * When a node tries to become the leader, and how the leader shows that there is one. Time decides nothing but who tries: a candidate wins
 * only if its record is the next one of the log (journal/replicated-journal.ts).
 *
 *   leading      an empty frame, unless one has been sent in the last 0.3 s
 *   following    1.5 s without a record, and up to 0.3 s more by chance: it tries
 *                0.5 s without a record: it asks at the leader's address; if nobody answers, it tries
 *                the leader has resigned, or there was none yet: it tries within 0.15 s
 *                the term is its own, and it does not lead: it tries at once
 *                another record was in the place of its own: it tries again when it has read that, or as above after 1.5 s
 *                the engine did not answer: it tries at once
 *                its attempt failed otherwise: the next one comes after 0.25 s, and up to 0.25 s more by chance
 *
 * Time is counted in ticks of a timer, so that neither a clock that is set nor a process that was stopped makes a node impatient.
 */
import type { Clock } from '../../../core/model/clock.js'
import type { ReplicatedJournal } from '../journal/replicated-journal.js'

const TICK_MS = 50
const BEAT_MS = 300
const ASK_MS = 500
const SILENCE_MS = 1_500
const JITTER_MS = 300
const VACANT_JITTER_MS = 150
/** After an attempt of which nobody knows whether it failed: the log has no majority, or elects a leader of its own. */
const AGAIN_MS = 250

export interface ElectionParts {
  readonly journal: ReplicatedJournal
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  random(): number
  /** Whether anybody answers at the leader's address. */
  isThere(leader: string): Promise<boolean>
  /** Called at every tick. */
  onTick(): void
}

export class Election {
  readonly #parts: ElectionParts
  #timer: unknown
  /** What had been heard at the last tick, how long that has been so, and how long since this node tried. */
  #heard = -1
  silentMs = 0
  #patientMs = 0
  #sinceBeatMs = 0
  /** How long it does not try, unless it hears something. */
  #restMs = 0
  /** From 0 to 1, drawn anew for every silence. */
  #chance = 0
  #isAsking = false
  #isStopped = false

  constructor(parts: ElectionParts) {
    this.#parts = parts
    this.#chance = parts.random()
    this.#next()
  }

  #next(): void {
    this.#timer = this.#parts.clock.setTimeout(() => this.#tick(), TICK_MS)
  }

  stop(): void {
    this.#isStopped = true
    this.#parts.clock.clearTimeout(this.#timer)
  }

  #tick(): void {
    if (this.#isStopped) return
    this.#next()
    const { journal } = this.#parts
    this.silentMs += TICK_MS
    this.#patientMs += TICK_MS
    if (journal.heard !== this.#heard) this.#hear(journal.heard)
    if (journal.state === 'leading') this.#beat()
    else if (journal.state === 'following') this.#follow()
    this.#parts.onTick()
  }

  #hear(heard: number): void {
    this.#heard = heard
    this.silentMs = this.#patientMs = this.#restMs = 0
  }

  #beat(): void {
    this.#sinceBeatMs += TICK_MS
    if (this.silentMs === 0) this.#sinceBeatMs = 0
    if (this.#sinceBeatMs < BEAT_MS) return
    this.#sinceBeatMs = 0
    this.#parts.journal.beat()
  }

  #follow(): void {
    const { journal } = this.#parts
    const { leader } = journal
    this.#restMs -= TICK_MS
    if (this.#restMs > 0) return
    if (journal.hasLostOwnTerm) this.#stand()
    else if (leader === undefined) {
      if (this.#patientMs >= this.#chance * VACANT_JITTER_MS) this.#stand()
    } else if (this.#patientMs >= SILENCE_MS + this.#chance * JITTER_MS) this.#stand()
    else if (this.#patientMs >= ASK_MS && !this.#isAsking) this.#ask(leader)
  }

  #ask(leader: string): void {
    const { journal, isThere } = this.#parts
    const { heard } = journal
    this.#isAsking = true
    isThere(leader).then((answers) => {
      this.#isAsking = false
      const isStillSilent = journal.heard === heard && journal.leader === leader
      if (!answers && isStillSilent && !this.#isStopped) this.#stand()
    })
  }

  #stand(): void {
    const { journal, random } = this.#parts
    this.#patientMs = 0
    this.#chance = random()
    journal.stand().then(
      (outcome) => {
        if (outcome === 'overtaken') this.#restMs = SILENCE_MS
        else if (outcome === 'unknown') this.#restMs = AGAIN_MS * (1 + this.#chance)
        else if (outcome === 'unasked') this.#patientMs = SILENCE_MS + JITTER_MS // at the next tick, unless it hears something
      },
      () => undefined, // it says itself when it fails
    )
  }
}
