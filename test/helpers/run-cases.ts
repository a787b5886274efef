import test, { type ExecutionContext } from 'ava'
import type { Case } from '../../src/testing/conformance/case.js'

/** Declares a test for each case of a conformance suite. `make` prepares what it is run on. */
export function runCases<Context, SomeCase extends Case<Context>>(
  subject: string,
  cases: readonly SomeCase[],
  make: (t: ExecutionContext, one: SomeCase) => Context | Promise<Context>,
): void {
  for (const one of cases) {
    test(`${subject}: ${one.name}`, async (t) => {
      const context = await make(t, one)
      await t.notThrowsAsync(() => one.run(context))
    })
  }
}
