/** The window of a client: however full it is, every request is sent, answered, and settled with its own answer. */
import test from 'ava'
import { Requests } from '../../../../src/edges/remote/client/requests.js'
import { AGAIN, OP, SAME } from '../../../../src/edges/remote/wire/codes.js'
import { ANSWERS, BATCH_REQUESTS_MAX, BATCHES_MAX, LATER } from '../../../../src/edges/remote/wire/protocol.js'
import { LATER_TAG } from '../../../../src/edges/remote/wire/wire-value.js'
import { CacheClosedError } from '../../../../src/index.js'
import { MemoryLine } from '../../../helpers/edges/memory-lines.js'
import { loopTurn } from '../../../helpers/loop-turn.js'
import { runs } from '../../../helpers/runs.js'

const ENDINGS = { closed: () => new CacheClosedError('closed'), lost: () => new CacheClosedError('lost') }

/** Answers each `peek` with its key, at the time and in the order that the test chooses. */
function fakeOwner(answersLater: (key: string) => boolean) {
  const [ownerLine, line] = MemoryLine.pair({ isTakeable: true })
  const held: unknown[][] = []
  const later: [number, string][] = []
  let heldMost = 0
  ownerLine.onMessage((batch) => {
    held.push(batch as unknown[])
    heldMost = Math.max(heldMost, held.length)
  })
  const post = (...parts: unknown[][]) => ownerLine.post(parts)
  return {
    line,
    held,
    later,
    get heldMost() {
      return heldMost
    },
    answer(place: number) {
      const [batch] = held.splice(place, 1)
      if (batch === undefined) return
      const part: unknown[] = [ANSWERS, batch[0]]
      let key = ''
      // Every two elements are a code and a key, because all requests are peeks; or AGAIN and a number.
      for (let at = 1; at < batch.length; at += 2) {
        const isAgain = batch[at] === AGAIN
        if (!isAgain && batch[at + 1] !== SAME) key = batch[at + 1] as string
        for (let times = isAgain ? (batch[at + 1] as number) : 1; times > 0; times--) {
          const isLater = answersLater(key)
          if (isLater) later.push([(batch[0] as number) + part.length - 2, key])
          part.push(isLater ? [LATER_TAG] : key)
        }
      }
      post(part)
    },
    answerLater(place: number) {
      const [[id, key] = []] = later.splice(place, 1)
      if (id !== undefined) post([LATER, id, key])
    },
  }
}

function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

for (let run = 1; run <= runs(6); run++) {
  test(`every request is settled, whatever the state of the window (${run})`, async (t) => {
    const dice = random(run)
    const owner = fakeOwner((key) => key.length % 7 === 3)
    const requests = new Requests(owner.line, ENDINGS)
    let asked = 0
    let wrong = 0
    let settled = 0
    const ask = () => {
      // Often the same key again, sometimes a long one, so that batches are also closed by their bytes.
      const key = dice(3) === 0 ? `k${dice(50)}`.repeat(1 + dice(4)) : dice(4_000) === 0 ? 'x'.repeat(700_000) : 'same'
      asked++
      const isShort = dice(2) === 0
      const answer = isShort ? requests.askByKey(OP.peek, key) : requests.ask(OP.peek, [key])
      answer.then((got) => {
        settled++
        if (got !== key) wrong++
        if (dice(500) === 0) burst(dice(30)) // an answer leads to more requests
      })
    }
    const burst = (count: number) => {
      for (let each = 0; each < count; each++) ask()
    }
    for (let step = 0; step < 25; step++) {
      const size = [1, 2, 50, BATCH_REQUESTS_MAX - 1, BATCH_REQUESTS_MAX, 2_500, BATCHES_MAX * BATCH_REQUESTS_MAX][
        dice(7)
      ]
      const begin = () => burst(size as number)
      const when = dice(4)
      if (when === 0) process.nextTick(begin)
      else if (when === 1) queueMicrotask(begin)
      else begin()
      for (let turn = dice(3); turn > 0; turn--) await loopTurn()
      for (let answers = dice(4); answers > 0; answers--) owner.answer(dice(owner.held.length))
      if (dice(3) === 0) owner.answerLater(dice(owner.later.length))
    }
    // From now on the owner answers everything. When it has had nothing to do for some turns, all must be settled.
    for (let idle = 0; idle < 10; idle++) {
      await loopTurn()
      if (owner.held.length + owner.later.length > 0) idle = 0
      while (owner.held.length > 0) owner.answer(0)
      while (owner.later.length > 0) owner.answerLater(0)
    }
    t.is(settled, asked)
    t.is(wrong, 0)
    t.true(owner.heldMost <= BATCHES_MAX)
    t.true(owner.line.sent >= asked / BATCH_REQUESTS_MAX)
    t.false(owner.line.isHeld) // no request is pending
    requests.end()
  })
}

test('a separate answer that overtakes its batch is not lost', async (t) => {
  const owner = fakeOwner(() => true)
  const requests = new Requests(owner.line, ENDINGS)
  const answers = [requests.ask(OP.peek, ['a']), requests.ask(OP.peek, ['b'])]
  while (owner.held.length === 0) await loopTurn()
  const firstId = owner.held[0]?.[0] as number
  owner.later.push([firstId, 'early'])
  owner.answerLater(0)
  owner.answer(0)
  owner.answerLater(1)
  t.deepEqual(await Promise.all(answers), ['early', 'b'])
  requests.end()
})
