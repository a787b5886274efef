/**
 * One turn of the event loop: what was appended before is with the operating system (or the memory journal) afterwards.
 * Not a wait in time.
 */
export function loopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Long enough for another thread or process to get its turn on a busy machine; only a test that fails waits for it. */
const PATIENCE_MS = 30_000

/** Turns the loop until something holds; fails when it never does. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  for (let turn = 0; turn < 10_000 || performance.now() < endMs; turn++) {
    if (await holds()) return
    await loopTurn()
  }
  throw new Error(`It never came: ${what}`)
}
