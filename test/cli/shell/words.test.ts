import test from 'ava'
import { splitWords } from '../../../src/cli/shell/words.js'
import { showKey } from '../../../src/cli/terminal/show-value.js'

const texts = (line: string) => splitWords(line).map(({ text }) => text)

test('words are separated by white space of any length', (t) => {
  t.deepEqual(texts('  get \t key:1  '), ['get', 'key:1'])
  t.deepEqual(texts(''), [])
})

test('quotes hold a word together, and adjacent parts are one word', (t) => {
  t.deepEqual(texts(`"a b" 'c d' e"f g"'h i'`), ['a b', 'c d', 'ef gh i'])
  t.deepEqual(texts(`"" ''`), ['', ''])
})

test('double quotes have the escapes of JSON, single quotes none', (t) => {
  t.deepEqual(texts(String.raw`"\n\u00e9\ud83d\ude00\"\\\/" '\n"\'`), ['\né😀"\\/', '\\n"\\'])
  t.deepEqual(texts(String.raw`"\q"`), ['\\q'])
})

test('a backslash makes a space, a quote or a backslash literal, and stays before anything else', (t) => {
  t.deepEqual(texts(String.raw`a\ b \"c \\d e\*f g\ `), ['a b', '"c', '\\d', 'e\\*f', 'g '])
  t.deepEqual(texts('end\\'), ['end\\'])
})

test('a quote that is not closed ends with the line, and is marked as open', (t) => {
  t.like(splitWords('get "a b').at(-1), { text: 'a b', isOpen: true, start: 4, end: 8 })
  t.like(splitWords("get 'a").at(-1), { text: 'a', isOpen: true, quote: "'" })
})

test('a key that is printed can be typed', (t) => {
  for (const key of ['plain', 'a:b/c*?', 'two words', '"', "'", '\\', '', '\n', '\u0000', 'é😀', '\ud800', '#x']) {
    t.deepEqual(texts(`get ${showKey(key)}`), ['get', key])
  }
})
