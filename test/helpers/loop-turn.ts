/**
 * One turn of the event loop, after which everything appended before has been passed to the operating system (or the memory
 * journal). It does not wait for a time.
 */
export function loopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Long enough for another thread or process to run on a busy machine; only a failing test waits so long. */
const PATIENCE_MS = 30_000

/** Turns the loop until a condition holds; throws if it never does. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  for (let turn = 0; turn < 10_000 || performance.now() < endMs; turn++) {
    if (await holds()) return
    await loopTurn()
  }
  throw new Error(`This never happened: ${what}`)
}
