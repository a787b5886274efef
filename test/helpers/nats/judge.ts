/**
 * Judges what processes did to a cluster by what they wrote down, and by the entries that each had at the end. It knows nothing of the
 * cache.
 *
 * The value of a key only grows: it is incremented by one, by anybody, or set by one process to one value after the other. A log has
 * a line for each call, before it (`ask ID AT increment KEY`, `ask ID AT set KEY VALUE`, `ask ID AT get KEY`) and after it (`ok ID AT
 * RESULT`, or `fail ID AT CODE MESSAGE`: it may have taken effect, once), and `wrong MESSAGE` for what a process saw itself. AT is a
 * time that all processes of a host share. Another file has what changes$ told: `SEQUENCE TYPE KEY VALUE`.
 */
export interface Witness {
  readonly name: string
  readonly calls: string
  readonly changes: string
  /** Whether the process was killed: its last calls then have no outcome. */
  readonly wasKilled: boolean
  /** What it had at the end; undefined if it was killed. */
  readonly entries: ReadonlyMap<string, number> | undefined
}

export interface Failure {
  readonly at: number
  readonly code: string
  readonly message: string
}

interface Call {
  readonly what: string
  readonly key: string
  readonly askedAt: number
  /** Infinity if it has no answer: it may have taken effect, or may still. */
  returnedAt: number
  /** What it set, added up to or found; undefined if that is not known. */
  value: number | undefined
}

export function violations(witnesses: readonly Witness[]): string[] {
  const found: string[] = []
  const calls: Call[] = []
  for (const witness of witnesses) {
    const { list, open } = callsOf(witness)
    calls.push(...list)
    for (const line of linesOf(witness.calls))
      if (line.startsWith('wrong ')) found.push(`${witness.name}: ${line.slice('wrong '.length)}`)
    if (open > 0 && !witness.wasKilled)
      found.push(`${open} calls of ${witness.name} have no outcome, although it ended in order`)
  }
  const survivors = witnesses.filter(({ entries }) => entries !== undefined)
  const final = survivors[0]?.entries ?? new Map<string, number>()
  for (const { name, entries } of survivors) found.push(...different(final, entries as Map<string, number>, name))
  for (const key of new Set(calls.map(({ key }) => key))) {
    const list = calls.filter((call) => call.key === key)
    found.push(...lostOrDoubled(key, list, final.get(key) ?? 0), ...outOfOrder(key, list))
  }
  return [...found, ...brokenStreams(witnesses)]
}

/** The calls that failed, in order. */
export function failuresOf(calls: string): Failure[] {
  return linesOf(calls)
    .filter((line) => line.startsWith('fail '))
    .map((line) => {
      const [, , at, code = '', ...message] = line.split(' ')
      return { at: Number(at), code, message: message.join(' ') }
    })
}

/** How many calls were answered. */
export function answeredIn(calls: string): number {
  return linesOf(calls).filter((line) => line.startsWith('ok ')).length
}

/** The longest time in which no change was answered, of any process, in milliseconds. */
export function longestGapMs(witnesses: readonly Witness[]): number {
  const times = witnesses
    .flatMap((witness) => callsOf(witness).list)
    .filter(({ what, returnedAt }) => what !== 'get' && returnedAt < Number.POSITIVE_INFINITY)
    .map(({ returnedAt }) => returnedAt)
    .sort((one, other) => one - other)
  return times.reduce((most, at, index) => Math.max(most, at - (times[index - 1] ?? at)), 0) / 1_000
}

function callsOf({ calls }: Witness): { list: Call[]; open: number } {
  const byId = new Map<string, Call>()
  let open = 0
  for (const line of linesOf(calls)) {
    const [sign, id = '', at, what = '', key = '', value] = line.split(' ')
    if (sign === 'ask') {
      const returnedAt = Number.POSITIVE_INFINITY
      byId.set(id, { what, key, askedAt: Number(at), returnedAt, value: what === 'set' ? Number(value) : undefined })
      open++
    } else if (sign === 'fail') open--
    else if (sign === 'ok') {
      const call = byId.get(id) as Call
      call.returnedAt = Number(at)
      if (call.what !== 'set') call.value = Number(what)
      open--
    }
  }
  return { list: [...byId.values()], open }
}

function lostOrDoubled(key: string, calls: readonly Call[], final: number): string[] {
  const found: string[] = []
  const answered = calls.filter(({ returnedAt }) => returnedAt < Number.POSITIVE_INFINITY)
  const increments = calls.filter(({ what }) => what === 'increment')
  const results = answered.filter(({ what }) => what === 'increment').map(({ value }) => value as number)
  const unanswered = increments.length - results.length
  const most = answered.reduce((max, { value }) => Math.max(max, value as number), 0)
  if (final < most) found.push(`${key} is ${final}, although ${most} was acknowledged or read: lost`)
  if (increments.length > 0) {
    const twice = results.length - new Set(results).size
    if (twice > 0) found.push(`${key}: ${twice} results were given twice`)
    if (final < results.length) found.push(`${key} is ${final} after ${results.length} acknowledged increments: lost`)
    if (final > increments.length)
      found.push(
        `${key} is ${final} after ${results.length} acknowledged and ${unanswered} unanswered increments: doubled`,
      )
  }
  const sets = calls.filter(({ what }) => what === 'set')
  if (sets.length > 0) {
    const last = sets.findLastIndex(({ returnedAt }) => returnedAt < Number.POSITIVE_INFINITY)
    const possible = sets.slice(Math.max(last, 0)).map(({ value }) => value as number)
    if (last === -1) possible.push(0)
    if (!possible.includes(final)) found.push(`${key} is ${final}, and can only be ${possible.join(' or ')}`)
  }
  return found
}

/** In the order of their values, which is that in which they took effect, none may be asked after a later one was answered. */
function outOfOrder(key: string, calls: readonly Call[]): string[] {
  const known = calls.filter(({ value }) => value !== undefined).sort((one, other) => placeOf(one) - placeOf(other))
  let place = -1
  let before: Call | undefined // the one asked latest of those in lower places
  let latest: Call | undefined
  for (const call of known) {
    if (placeOf(call) !== place) {
      place = placeOf(call)
      before = latest
    }
    if (before !== undefined && call.returnedAt < before.askedAt) {
      const early = before.askedAt - call.returnedAt
      return [
        `${key}: ${call.what} ${call.value} was answered ${early} µs before ${before.what} ${before.value} was asked`,
      ]
    }
    if (latest === undefined || call.askedAt > latest.askedAt) latest = call
  }
  return []
}

/** Reads of one value come after the change, and have no order among themselves. */
function placeOf({ what, value }: Call): number {
  return (value as number) * 2 + (what === 'get' ? 1 : 0)
}

function brokenStreams(witnesses: readonly Witness[]): string[] {
  const found: string[] = []
  const told = new Map<number, string>()
  for (const { name, changes } of witnesses) {
    let last: number | undefined
    for (const line of linesOf(changes)) {
      const [sequence, type] = [Number(line.slice(0, line.indexOf(' '))), line.split(' ')[1]]
      if (type !== 'resynced') {
        if (last !== undefined && sequence !== last + 1) found.push(`${name}: changes$ told ${sequence} after ${last}`)
        const before = told.get(sequence)
        if (before === undefined) told.set(sequence, line)
        else if (before !== line) found.push(`${name}: changes$ told "${line}", and another node "${before}"`)
      }
      last = sequence
    }
  }
  const values = new Map<string, number>()
  for (const sequence of [...told.keys()].sort((one, other) => one - other)) {
    const [, , key = '', value] = (told.get(sequence) as string).split(' ')
    const before = values.get(key) ?? 0
    if (Number(value) <= before) found.push(`changes$ told ${key} ${value} after ${before} (${sequence})`)
    values.set(key, Number(value))
  }
  return found
}

function different(final: ReadonlyMap<string, number>, entries: ReadonlyMap<string, number>, name: string): string[] {
  const found: string[] = []
  for (const key of new Set([...final.keys(), ...entries.keys()]))
    if (final.get(key) !== entries.get(key))
      found.push(`${name} has ${key} ${entries.get(key)}, and another node ${final.get(key)}`)
  return found
}

/** Whole lines: a killed process may leave half of one. */
function linesOf(text: string): string[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1)
}
