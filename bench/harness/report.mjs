/** The one table, for a terminal and for docs/benchmarks.md. */

const UNITS = { 'ns/call': 1, 'µs/call': 1 }
const compact = (number) =>
  number === undefined ? '' : number >= 1e6 ? `${number / 1e6} M` : number >= 1e3 ? `${number / 1e3} k` : String(number)

export function shown(value) {
  if (value === undefined || Number.isNaN(value)) return ''
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en').replaceAll(',', ' ')
  return size >= 10 ? value.toFixed(1) : value.toFixed(2)
}

const withRate = (row) => row.unit in UNITS

/** Each row as texts: the case, the system, the figure, its spread, and how many times better daybook is. */
export function tableOf(rows) {
  const cells = rows.map((row) => [
    row.case + (row.keys ? `, ${compact(row.keys)} keys` : '') + (row.kind ? `, ${row.kind}` : ''),
    row.system,
    ...(row.absent !== undefined
      ? [`left out: ${row.absent}`, '', '', '']
      : [
          `${shown(row.value)} ${row.unit}`,
          row.low === undefined ? '' : `${shown(row.low)} – ${shown(row.high)}`,
          withRate(row) ? shown((row.unit === 'ns/call' ? 1e9 : 1e6) / row.value) : '',
          row.ratio === undefined ? '' : `${shown(row.ratio)} ×`,
        ]),
  ])
  return { head: ['what', 'system', 'median', 'middle half', 'calls/s', 'daybook is'], cells }
}

export function budgetTable(judged) {
  return {
    head: ['budget', 'wanted', 'measured', ''],
    cells: judged.map(({ what, budget, measured, isMet }) => [
      what,
      budget,
      measured === undefined ? 'not measured' : shown(measured),
      isMet === undefined ? '' : isMet ? 'met' : 'NOT MET',
    ]),
  }
}

/**
 * What did not run although it should have: whatever of daybook, and in a quick run every system, because none of them has to be
 * installed for it. Elsewhere a peer may be missing.
 */
export function failuresOf(rows, { isQuick }) {
  return rows
    .filter(({ absent, system }) => absent !== undefined && (isQuick || system.startsWith('daybook')))
    .map(({ topic, case: what, system, absent }) => `${topic}, ${what}, ${system}: ${absent}`)
}

/** Pads the columns for a terminal; a case that is the same as in the row above is left out. */
export function asText({ head, cells }) {
  const all = [head, ...cells]
  const widths = head.map((_, column) => Math.max(...all.map((row) => [...row[column]].length)))
  const line = (row) =>
    row
      .map((cell, column) => cell + ' '.repeat(widths[column] - [...cell].length))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...withoutRepeats(cells).map(line)].join(
    '\n',
  )
}

export function asMarkdown({ head, cells }) {
  const line = (row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...withoutRepeats(cells).map(line)].join('\n')
}

const withoutRepeats = (cells) =>
  cells.map((row, index) => (index > 0 && cells[index - 1][0] === row[0] ? ['', ...row.slice(1)] : row))
