/** How many runs a property gets: `DAYBOOK_RUNS` in the environment, otherwise a number that keeps the suite fast. */
export function runs(modest: number): number {
  const wanted = Number(process.env['DAYBOOK_RUNS'])
  return Number.isSafeInteger(wanted) && wanted > 0 ? wanted : modest
}
