/** `--smoke`: every row with a thousandth of its entries, to see that it runs. Its figures mean nothing. */
const VARIABLE = 'DAYBOOK_BENCH_SMOKE'

/** For this process and those that it starts. */
export function beSmoke() {
  process.env[VARIABLE] = '1'
}

export const isSmoke = () => process.env[VARIABLE] === '1'
export const scaled = (count, least = 100) => (isSmoke() ? Math.min(count, Math.max(least, count / 1000)) : count)
