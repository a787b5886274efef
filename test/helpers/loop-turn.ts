/**
 * One turn of the event loop: what was appended before is with the operating system (or the memory journal) afterwards.
 * Not a wait in time.
 */
export function loopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Turns the loop until something holds; fails when it never does. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (await holds()) return
    await loopTurn()
  }
  throw new Error(`It never came: ${what}`)
}
