/** The pattern language, implemented as plainly (and slowly) as possible: the oracle for the real matcher. */
export function naiveGlob(pattern: string, key: string): boolean {
  return pattern !== '' && match(Array.from(pattern), Array.from(key))
}

function match(pattern: readonly string[], key: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return key.length === 0
  if (first === '*') return match(rest, key) || (key.length > 0 && match(pattern, key.slice(1)))
  const [character, ...others] = key
  if (character === undefined) return false
  if (first === '?') return match(rest, others)
  if (first === '\\' && rest.length > 0) return character === rest[0] && match(rest.slice(1), others)
  const found = first === '[' ? classAt(pattern) : undefined
  if (found !== undefined) return found.has(character) && match(pattern.slice(found.length), others)
  return character === first && match(rest, others)
}

const ESCAPED = String.raw`\\[^]`
const TAIL = String.raw`(?:-(?:${ESCAPED}|[^\\\]]))?`
/** The first member may be a bracket. A leading bang or caret is always a negation. */
const CLASS = new RegExp(
  String.raw`^\[([!^]|(?![!^]))((?:${ESCAPED}|[^\\])${TAIL}(?:(?:${ESCAPED}|[^\\\]])${TAIL})*)\]`,
  'u',
)
const MEMBER = new RegExp(`(${ESCAPED}|[^])(?:-(${ESCAPED}|[^]))?`, 'gu')

function classAt(pattern: readonly string[]): { has(character: string): boolean; length: number } | undefined {
  const found = CLASS.exec(pattern.join(''))
  if (found === null) return undefined
  const [text, sign, members] = found as unknown as [string, string, string]
  const ranges = [...members.matchAll(MEMBER)].map(([, from, to]) => [
    codeOf(from as string),
    codeOf((to ?? from) as string),
  ])
  return {
    length: Array.from(text).length,
    has: (character) => {
      const code = codeOf(character)
      return ranges.some(([from, to]) => (from as number) <= code && code <= (to as number)) !== (sign !== '')
    },
  }
}

function codeOf(member: string): number {
  return (member.length > 1 && member.startsWith('\\') ? member.slice(1) : member).codePointAt(0) as number
}
