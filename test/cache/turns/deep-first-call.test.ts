/**
 * The first call of a method, made where the stack is about to end, in a process in which none of the functions that it needs
 * has been compiled. Either it throws and nothing has changed, or it returns and everything has.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { CALLS, type Outcome } from '../../helpers/deep-first-call.js'

const PROGRAM = fileURLToPath(new URL('../../helpers/deep-first-call.js', import.meta.url))

async function firstCall(method: string, isObserved: boolean, framesLeft: number): Promise<Outcome> {
  const given = [PROGRAM, method, String(isObserved), String(framesLeft)]
  const { stdout } = await promisify(execFile)(process.execPath, given)
  return JSON.parse(stdout) as Outcome
}

/** Frames tried on both sides of the one from which on there is room. */
const AROUND = 2

const NOTHING = [1, 'old', 1, 'old']
/** The values of `a` and of the key that was being loaded, before and after reopening. */
const EFFECTS: Record<string, unknown[]> = {
  set: [2, 'old', 2, 'old'],
  'set with a ttl': [null, 'old', null, 'old'],
  increment: [2, 'old', 2, 'old'],
  delete: [null, 'old', null, 'old'],
  clear: [null, null, null, null],
  setMany: [2, 'old', 2, 'old'],
  take: [null, 'old', null, 'old'],
  resize: NOTHING,
}

for (const method of Object.keys(CALLS)) {
  test.serial(
    `a first ${method} near the end of the stack either throws and changes nothing, or returns`,
    async (t) => {
      /** Returns whether the call had enough stack. */
      const hasRoom = async (framesLeft: number): Promise<boolean> => {
        const { threw, sequences, changes, values } = await firstCall(method, true, framesLeft)
        const where = `${framesLeft} frames before the end of the stack`
        const loaded = method === 'clear' && threw === undefined ? 0 : 1
        const expired = method === 'set with a ttl' && threw === undefined ? 1 : 0
        t.deepEqual(sequences, [2, threw === undefined ? 3 : 2], where)
        t.is(changes, loaded + expired + (threw === undefined ? 1 : 0), where)
        t.deepEqual(values, threw === undefined ? (EFFECTS[method] as unknown[]) : NOTHING, where)
        return threw === undefined
      }
      let tooFew = 256
      let enough = 1_280
      t.true(await hasRoom(enough))
      t.false(await hasRoom(tooFew))
      while (enough - tooFew > 1) {
        const middle = (tooFew + enough) >> 1
        if (await hasRoom(middle)) enough = middle
        else tooFew = middle
      }
      for (let framesLeft = enough - AROUND; framesLeft < enough + AROUND; framesLeft++) await hasRoom(framesLeft)
    },
  )
}
