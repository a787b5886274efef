/** The figures of a run, in a file: one row a line, so that two runs can be compared with `diff`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Those of the last whole run; README.md and docs/ show no others. */
export const RESULTS = fileURLToPath(new URL('../results.json', import.meta.url))

/** @param {{ machine: object, rounds: number, seconds: number, rows: object[] }} run */
export function writeResults(path, { rows, ...about }) {
  const lines = rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === 'number' ? short(value) : value)))
  writeFileSync(path, `${JSON.stringify({ ...about, rows: [] }).slice(0, -2)}\n${lines.join(',\n')}\n]}\n`)
}

export const readResults = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** Five digits: more than a benchmark has. */
const short = (number) => (Number.isInteger(number) ? number : Number(number.toPrecision(5)))
