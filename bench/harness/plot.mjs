/**
 * The plot of docs/benchmarks.svg: each system by its calls per second (right is faster) and the bytes lost at a SIGKILL
 * (lower is less). Both axes are logarithmic; "nothing lost" has a separate line at the bottom.
 */
import { STYLE } from './plot-style.mjs'

const SIZE = { width: 860, height: 470 }
const FIELD = { left: 92, right: 836, top: 98, bottom: 372, nothing: 404 }
const RATE = { topic: 'set', case: 'set, overwriting', keys: 10_000, kind: '40-byte text' }

export function plot(rows) {
  const points = pointsOf(rows)
  if (points.length === 0) return undefined
  const rates = span(points.map(({ rate }) => rate))
  const losses = span(points.map(({ lost }) => lost).filter((lost) => lost > 0))
  const x = (rate) => place(rate, rates, FIELD.left, FIELD.right)
  const y = (lost) => (lost === 0 ? FIELD.nothing : place(lost, losses, FIELD.bottom, FIELD.top))
  const marks = points.map(({ system, rate, lost }) => ({
    system,
    x: x(rate),
    y: y(lost),
    isOurs: system === 'daybook',
  }))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-labelledby="title">
<title id="title">Calls per second and bytes lost at a SIGKILL, per system</title>
${STYLE}
<rect class="paper" width="${SIZE.width}" height="${SIZE.height}" rx="6"/>
<text class="title" x="${FIELD.left}" y="26">Set: calls per second, and bytes lost at a SIGKILL</text>
<text class="faint" x="${FIELD.left}" y="44">40-byte text; lost: set, but missing when reopened (killed after about half a second)</text>
${powers(rates)
  .map((power) => tickX(power, x(10 ** power)))
  .join('\n')}
${powers(losses)
  .map((power) => tickY(bytes(10 ** power), y(10 ** power)))
  .join('\n')}
${tickY('nothing', FIELD.nothing)}
<text class="faint" text-anchor="end" x="${FIELD.right}" y="${FIELD.nothing + 48}">calls per second →</text>
${labelled(marks).map(mark).join('\n')}
</svg>
`
}

/** Systems of which both were measured in this run. */
function pointsOf(rows) {
  const matches = (row, wanted) =>
    row.absent === undefined && Object.entries(wanted).every(([name, value]) => row[name] === value)
  return rows
    .filter((row) => matches(row, { topic: 'kill' }))
    .flatMap(({ system, value: lost }) => {
      // In the order of the run: in-memory peers have their own case.
      const rate = rows.find((row) => matches(row, { ...RATE, system }))
      return rate === undefined ? [] : [{ system, rate: 1e9 / rate.value, lost }]
    })
}

function span(values) {
  const logs = values.map(Math.log10)
  return { low: Math.floor(Math.min(...logs)), high: Math.ceil(Math.max(...logs) + 0.05) }
}

const place = (value, { low, high }, from, to) => from + ((Math.log10(value) - low) / (high - low)) * (to - from)
const powers = ({ low, high }) => Array.from({ length: high - low + 1 }, (_, index) => low + index)
const bytes = (count) =>
  count >= 1e9
    ? `${count / 1e9} GB`
    : count >= 1e6
      ? `${count / 1e6} MB`
      : count >= 1e3
        ? `${count / 1e3} kB`
        : `${count} B`
const rateText = (power) =>
  power >= 6 ? `${10 ** (power - 6)} M` : power >= 3 ? `${10 ** (power - 3)} k` : String(10 ** power)

function tickX(power, x) {
  return `<line class="line" x1="${n(x)}" x2="${n(x)}" y1="${FIELD.top}" y2="${FIELD.nothing + 8}"/><text class="faint" text-anchor="middle" x="${n(x)}" y="${FIELD.nothing + 28}">${rateText(power)}</text>`
}

function tickY(text, y) {
  return `<line class="line" x1="${FIELD.left}" x2="${FIELD.right}" y1="${n(y)}" y2="${n(y)}"/><text class="faint" text-anchor="end" x="${FIELD.left - 10}" y="${n(y + 4)}">${text}</text>`
}

/** A label goes above its point, and further up as long as another one is in its way. */
function labelled(marks) {
  const taken = []
  return [...marks]
    .sort((a, b) => Number(b.isOurs) - Number(a.isOurs) || a.x - b.x)
    .map((mark) => {
      const width = mark.system.length * 7.2
      const left = Math.min(Math.max(mark.x - width / 2, FIELD.left + 4), FIELD.right - width - 4)
      let top = mark.y - 12
      const isInTheWay = (other) =>
        left < other.left + other.width + 6 && other.left < left + width + 6 && Math.abs(top - other.top) < 16
      const hidesPoint = (other) =>
        other.x > left - 6 && other.x < left + width + 6 && other.y > top - 14 && other.y < top + 8
      while (taken.some(isInTheWay) || marks.some(hidesPoint)) top -= 4
      taken.push({ left, top, width })
      return { ...mark, left, top }
    })
}

function mark({ system, x, y, isOurs, left, top }) {
  const ours = isOurs ? ' class="ours"' : ''
  const leader =
    y - top > 20 ? `<line class="leader" x1="${n(x)}" x2="${n(x)}" y1="${n(y - 5)}" y2="${n(top + 3)}"/>` : ''
  return `${leader}<circle${ours} cx="${n(x)}" cy="${n(y)}" r="${isOurs ? 7 : 5}"/><text${ours} x="${n(left)}" y="${n(top)}">${system}</text>`
}

const n = (number) => Number(number.toFixed(1))
