/** Pickles that would take far more memory or time than their length suggests. */

type Part = string | Buffer

const pickle = (...parts: readonly Part[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))

/** About four megabytes of one part. */
const repeated = (part: string, before = ']'): Buffer =>
  pickle(before, Buffer.alloc(4_000_000 - (4_000_000 % part.length), part, 'latin1'), '.')

/** The part repeatedly, where `#` is a number of four bytes that counts up in steps. */
function numbers(part: string, { count = 400_000, first = 0, step = 1 } = {}): Buffer {
  const one = Buffer.from(part.replaceAll('#', '\0\0\0\0'), 'latin1')
  const all = Buffer.alloc(count * one.length, one)
  const places = [...part.matchAll(/#/g)].map(({ index }, earlier) => index + 3 * earlier)
  for (let index = 0; index < count; index++) {
    for (const place of places) all.writeUInt32LE(first + index * step, index * one.length + place)
  }
  return all
}

const text = (value: string): Buffer => {
  const head = Buffer.from('X\0\0\0\0')
  head.writeUInt32LE(value.length, 1)
  return pickle(head, value)
}

const MEGABYTE = 'a'.repeat(2 ** 20)
const document = (...entries: readonly Part[]): Buffer => pickle('}(', text('entries'), '}(', ...entries, 'uu.')
const oneEntry = (...value: readonly Part[]): Buffer => document(text('a'), ...value, 'N\x86')
/** A key of four characters, different each time. */
const KEY = 'X\x04\0\0\0#'
const keys = { first: 0x20202020 }

export const BOMBS: Readonly<Record<string, () => Buffer>> = {
  'many sets': () => repeated('\x8fa'),
  'many dicts': () => repeated('}a'),
  'many lists of one': () => repeated(']Naa'),
  'many empty bytes objects': () => repeated('C\0a'),
  'many tuples': () => repeated('N\x85a'),
  'many dicts of one': () => repeated('}NNsa'),
  'many floats': () => repeated('G\x3f\xf8\0\0\0\0\0\0a'),
  'many long ints': () => repeated('\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x01a'),
  'texts of lone surrogates': () => repeated('X\x06\0\0\0\xed\xa0\x80\xed\xa0\x81a'),
  dates: () => repeated('cdatetime\ndatetime\nC\x0a\x07\xe8\x01\x01\0\0\0\0\0\0\x85Ra'),
  'tuples on the stack': () => repeated(')'),
  'values on the stack': () => repeated('N'),
  nesting: () => repeated(']'),
  'nested tuples': () => repeated('\x85', ')'),
  marks: () => repeated('('),
  'everything remembered, nothing fetched': () => repeated('\x94'),
  'everything remembered and fetched': () => pickle(']', numbers(']r#0j#a'), '.'),
  'remembered far apart': () => pickle(']', numbers(']r#0j#a', { step: 10 }), '.'),
  'dicts without a common key': () => pickle(']', numbers(`}${KEY}Nsa`, keys), '.'),
  'a dict with colliding keys': () => pickle('}(', numbers('\x8a\x0d\0\0\0\0\0\0\0\0#\x01N'), 'u.'),
  'a set with colliding items': () => pickle('\x8f(', numbers('\x8a\x0d\0\0\0\0\0\0\0\0#\x01'), '\x90.'),
  'a dict of many ints': () => pickle('}(', numbers('J#N', { count: 1_500_000 }), 'u.'),
  'a dict of many texts': () => pickle('}(', numbers(`${KEY}N`, { ...keys, count: 1_000_000 }), 'u.'),
  'a list of many items': () => pickle('](', Buffer.alloc(20_000_000, 'N'), 'e.'),
  'an int of 2 GB': () => pickle('\x8b\xff\xff\xff\x7f', MEGABYTE),
  'a text of 4 GB': () => pickle('X\xff\xff\xff\xff', MEGABYTE),
  'bytes of 2^63': () => pickle('\x8e\0\0\0\0\0\0\0\x80', MEGABYTE),
  'bytes that are copied': () =>
    pickle(`c_codecs\nencode\np0\nV${MEGABYTE}\np1\nVlatin1\np2\n000](`, 'g0\ng1\ng2\n\x86R'.repeat(100_000), 'e.'),
  'sets that are copied': () =>
    pickle(
      'cbuiltins\nset\np0\n0](',
      numbers('J#', { count: 100_000 }),
      'ep1\n0](',
      'g0\ng1\n\x85R'.repeat(10_000),
      'e.',
    ),
  'a text that comes a million times': () => oneEntry('](', text(MEGABYTE), 'q\0', 'h\0'.repeat(1_000_000), 'e'),
  'a text that is the key of many dicts': () => oneEntry('](', text(MEGABYTE), 'q\0', '}h\0Ns'.repeat(50_000), 'e'),
  'an int that comes many times': () =>
    oneEntry('](\x8b\0\0\x10\0', Buffer.alloc(2 ** 20, 1), 'q\0', 'h\0'.repeat(100_000), 'e'),
  'a list that is in every entry': () =>
    document(text('a'), ']', text(MEGABYTE), 'aq\0N\x86', numbers(`${KEY}h\0N\x86`, keys)),
  'a text that is every entry': () => document(text('a'), text(MEGABYTE), 'q\0N\x86', numbers(`${KEY}h\0N\x86`, keys)),
  'entries that fill the heap': () =>
    document(numbers(`${KEY}X\x20\0\0\0${'a'.repeat(32)}N\x86`, { ...keys, count: 1_000_000 })),
  'more entries at once than the heap holds': () => document(numbers(`${KEY}]N\x86`, { ...keys, count: 1_000_000 })),
}
