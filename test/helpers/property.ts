import type { ExecutionContext } from 'ava'
import fc from 'fast-check'
import { runs } from './runs.js'

/**
 * Asserts that a property holds, in `modest` runs or as many as `DAYBOOK_RUNS` says. A property does not return false but throws
 * (`node:assert`), so that the report has the counterexample, what differs, and the seed with which to run it again.
 */
export async function holds<Values>(
  t: ExecutionContext,
  property: fc.IAsyncProperty<Values> | fc.IProperty<Values>,
  modest: number,
): Promise<void> {
  await t.notThrowsAsync(async () => fc.assert(property, { numRuns: runs(modest), includeErrorInReport: true }))
}
