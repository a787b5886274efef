import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { Answers } from '../../../src/core/evolve/answers.js'
import { type Answer, bytesOf, DONE, type Note } from '../../../src/core/model/note.js'
import { holds } from '../../helpers/property.js'

/** What is kept, as a Map for each client. */
type Model = Map<string, { received: number; answers: Map<number, Answer> }>

function apply(model: Model, note: Note): void {
  if (note.type === 'forgotten') {
    model.delete(note.client)
    return
  }
  const held = model.get(note.client) ?? { received: 0, answers: new Map() }
  model.set(note.client, held)
  held.received = Math.max(held.received, note.received)
  for (const number of [...held.answers.keys()]) if (number <= note.received) held.answers.delete(number)
  held.answers.set(note.number, note.answer)
}

function copyOf(model: Model): Model {
  return new Map([...model].map(([client, { received, answers }]) => [client, { received, answers: new Map(answers) }]))
}

function check(answers: Answers, model: Model): void {
  assert.deepEqual([...answers.clients].sort(), [...model.keys()].sort())
  for (const client of CLIENTS) {
    const held = model.get(client)
    assert.equal(answers.receivedBy(client), held?.received ?? 0)
    let bytes = 0
    const last = Math.max(held?.received ?? 0, ...(held?.answers.keys() ?? []))
    for (let number = 0; number <= last + 1; number++) {
      const isKept = held?.answers.has(number) === true
      const answer = held?.answers.get(number)
      if (isKept) bytes += bytesOf(answer)
      assert.deepEqual(answers.find(client, number), isKept ? { answer } : undefined)
    }
    assert.equal(answers.bytesFor(client), bytes)
  }
  const again = new Answers()
  for (const note of answers.notes()) again.evolve(note)
  assert.deepEqual(again.notes(), answers.notes())
}

const CLIENTS = ['a', 'b']
const ANSWER = fc.constantFrom<Answer>(undefined, true, 1, 'text', new Uint8Array(3), DONE)
/** A command after the first that its client has no answer to, as all are: so far after it, and with answers to so many more. */
const ANSWERED = fc.record({ client: fc.constantFrom(...CLIENTS), after: fc.nat(9), more: fc.nat(9), answer: ANSWER })
const NOTES = fc.array(
  fc.oneof({ weight: 12, arbitrary: ANSWERED }, { weight: 1, arbitrary: fc.constantFrom(...CLIENTS) }),
)

function noteOf(made: string | { client: string; after: number; more: number; answer: Answer }, model: Model): Note {
  if (typeof made === 'string') return { type: 'forgotten', client: made }
  const { client, after, more, answer } = made
  const before = model.get(client)?.received ?? 0
  const number = before + 1 + after
  return { type: 'answered', client, number, received: Math.min(before + more, number - 1), answer }
}

test('each answer is kept until its client has it, and undoing notes restores what was kept before', (t) =>
  holds(
    t,
    fc.property(NOTES, NOTES, (kept, undone) => {
      const answers = new Answers()
      const model: Model = new Map()
      for (const made of kept) {
        const note = noteOf(made, model)
        answers.evolve(note)
        apply(model, note)
        check(answers, model)
      }
      const further = copyOf(model)
      const steps = undone.map((made) => {
        const note = noteOf(made, further)
        const before = answers.before(note)
        answers.evolve(note)
        apply(further, note)
        check(answers, further)
        return before
      })
      for (const before of steps.reverse()) answers.restore(before)
      check(answers, model)
    }),
    500,
  ))
