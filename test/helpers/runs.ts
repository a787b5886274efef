/** How many runs a property gets: `DAYBOOK_RUNS` in the environment, else a number that keeps the suite short. */
export function runs(modest: number): number {
  const given = Number(process.env['DAYBOOK_RUNS'])
  return Number.isSafeInteger(given) && given > 0 ? given : modest
}
