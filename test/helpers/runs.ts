/** A count from the environment, or else one that keeps the suite fast. CI asks for more: `.ci/run`. */
export function countFrom(variable: string, modest: number): number {
  return positive(variable) ?? modest
}

/**
 * How many runs a property gets: `DAYBOOK_RUNS` in the environment, otherwise a number that keeps the suite fast, or
 * `DAYBOOK_RUNS_MAX` if that is smaller.
 */
export function runs(modest: number): number {
  return positive('DAYBOOK_RUNS') ?? Math.min(modest, positive('DAYBOOK_RUNS_MAX') ?? modest)
}

function positive(name: string): number | undefined {
  const number = Number(process.env[name])
  return Number.isSafeInteger(number) && number > 0 ? number : undefined
}
