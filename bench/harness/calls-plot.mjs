/** The plot of docs/benchmarks-calls.svg: what a call costs by kind of value, beside lru-cache; further left is faster. */
import { CALLS, CLONING, pairOf } from './calls.mjs'
import { STYLE } from './plot-style.mjs'
import { shown } from './report.mjs'
import { figuresOf } from './rows.mjs'

const KEYS = 10_000
const LINE = 24
const FIELD = { left: 330, right: 790, top: 84 }

/** @returns The SVG, or `undefined` if none of its calls was measured. */
export function callsPlot(rows) {
  const figures = figuresOf(rows)
  const lines = CALLS.flatMap((call) => {
    const pair = pairOf(figures, call, KEYS)
    return pair === undefined ? [] : [{ ...call, own: pair.own.value, theirs: pair.theirs.value }]
  })
  if (lines.length === 0) return undefined
  const logs = lines.flatMap(({ own, theirs }) => [own, theirs]).map(Math.log10)
  const low = Math.floor(Math.min(...logs))
  const high = Math.max(low + 1, Math.ceil(Math.max(...logs)))
  const x = (ns) => Math.round(FIELD.left + ((Math.log10(ns) - low) / (high - low)) * (FIELD.right - FIELD.left))
  const bottom = FIELD.top + lines.length * LINE
  const powers = Array.from({ length: high - low + 1 }, (_, index) => low + index)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 ${bottom + 44}" role="img" aria-labelledby="title">
<title id="title">Nanoseconds per call, by kind of value, daybook and lru-cache</title>
${STYLE}
<rect class="paper" width="860" height="${bottom + 44}" rx="6"/>
<text class="title" x="20" y="26">What a call costs, by kind of value</text>
<text class="faint" x="20" y="46">${KEYS / 1e3} k keys. Blue: daybook, with its journal. Grey: lru-cache, in memory; for 'copy' with structuredClone().</text>
${powers.map((power) => tick(x(10 ** power), 10 ** power, bottom)).join('\n')}
${lines.map((line, index) => drawn(line, x, FIELD.top + index * LINE + LINE / 2)).join('\n')}
<text class="faint" text-anchor="end" x="${FIELD.right}" y="${bottom + 36}">← nanoseconds per call</text>
</svg>
`
}

const tick = (x, ns, bottom) =>
  `<line class="line" x1="${x}" x2="${x}" y1="${FIELD.top - 6}" y2="${bottom}"/><text class="faint" text-anchor="middle" x="${x}" y="${bottom + 18}">${ns.toLocaleString('en').replaceAll(',', ' ')}</text>`

function drawn({ what, peer, own, theirs }, x, y) {
  const title = `${what.replaceAll('`', '')}: daybook ${shown(own)} ns, ${peer === CLONING ? peer : 'lru-cache'} ${shown(theirs)} ns`
  return `<g><title>${title}</title><text text-anchor="end" x="${FIELD.left - 16}" y="${y + 4}">${what.replaceAll('`', '')}</text><line class="leader" x1="${x(own)}" x2="${x(theirs)}" y1="${y}" y2="${y}"/><circle cx="${x(theirs)}" cy="${y}" r="5"/><circle class="ours" cx="${x(own)}" cy="${y}" r="6"/></g>`
}
