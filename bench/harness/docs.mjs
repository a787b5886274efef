/** Writes docs/benchmarks.md. */
import { writeFileSync } from 'node:fs'
import { asMarkdown, budgetTable, tableOf } from './report.mjs'

const DOCS = new URL('../../docs/', import.meta.url)

export function writeDocs(run) {
  writeFileSync(new URL('benchmarks.md', DOCS), markdown(run))
}

function markdown({ machine, rounds, seconds, rows, judged }) {
  return `x`
}
