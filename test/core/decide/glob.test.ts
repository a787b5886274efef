import test from 'ava'
import { compileGlob } from '../../../src/core/decide/glob.js'

function matches(pattern: string, key: string): boolean {
  return compileGlob(pattern)(key)
}

const YES: [string, string, string][] = [
  ['a star matches any run', 'user:*', 'user:1'],
  ['a star matches the empty run', 'user:*', 'user:'],
  ['a star matches slashes and colons', 'a*z', 'a/b:c\n\0z'],
  ['a lone star matches the empty key', '*', ''],
  ['stars match the empty key', '***', ''],
  ['a question mark matches one character', 'key?', 'key1'],
  ['a question mark matches one emoji', 'a?b', 'a😀b'],
  ['a question mark matches a lone surrogate', 'a?b', 'a\ud83db'],
  ['two question marks match two emoji', '??', '😀😀'],
  ['a class matches one of its members', '[abc]x', 'bx'],
  ['a range matches what is in it', '[a-c]', 'b'],
  ['a range includes both of its ends', '[a-c][a-c]', 'ac'],
  ['a range goes by code points', '[😀-😎]', '😃'],
  ['a negated class matches other characters', '[!a]', 'b'],
  ['a negated class matches one emoji', '[!a]', '😀'],
  ['a closing bracket in the first place is a member', '[]]', ']'],
  ['a closing bracket in the first place of a negated class is a member', '[!]]', 'x'],
  ['a hyphen at the end of a class is a member', '[a-]', '-'],
  ['a hyphen at the beginning of a class is a member', '[-a]', '-'],
  ['an escaped hyphen is a member', '[a\\-c]', '-'],
  ['an escaped bracket is a member', '[\\]]', ']'],
  ['a star in a class is a star', '[*]', '*'],
  ['a bang that is not first is a member', '[a!]', '!'],
  ['an opening bracket in a class is a member', '[[]', '['],
  ['an escaped star is a star', 'a\\*b', 'a*b'],
  ['an escaped question mark is a question mark', '\\?', '?'],
  ['an escaped backslash is a backslash', '\\\\', '\\'],
  ['an escaped letter is the letter', '\\a', 'a'],
  ['an escaped emoji is the emoji', '\\😀', '😀'],
  ['a backslash at the end is a backslash', 'a\\', 'a\\'],
  ['an unclosed bracket is a bracket', '[', '['],
  ['an unclosed bracket is a bracket, and the rest is a pattern', '[ab*', '[abcd'],
  ['an unclosed empty class is text', '[]', '[]'],
  ['an unclosed empty negated class is text', '[!]', '[!]'],
  ['only the unclosed bracket is text', '[a][b', 'a[b'],
  ['what looks like a regular expression is text', '(a|b)+$^.', '(a|b)+$^.'],
  ['what looks like a brace is text', '{a,b}', '{a,b}'],
  ['a caret negates a class, as a bang does', '[^a]', 'b'],
  ['a caret and a range: the others', 'v[^1-3]:*', 'v4:x'],
  ['a closing bracket in the first place after a caret is a member', '[^]]', 'x'],
  ['a caret that is not first is a member', '[a^]', '^'],
  ['an escaped caret is a member', '[\\^a]', '^'],
  ['names of properties of Object are ordinary keys', '__proto__', '__proto__'],
  ['the last star can match less', '*ab', 'aaab'],
  ['several stars match the right parts', '*a*b*c', 'xaxbxbxc'],
]
for (const [title, pattern, key] of YES) {
  test(title, (t) => {
    t.true(matches(pattern, key), `${pattern} should match ${JSON.stringify(key)}`)
  })
}

const NO: [string, string, string][] = [
  ['a caret keeps out the members', 'v[^1]:*', 'v1:x'],
  ['a caret keeps out a range', '[^a-c]', 'b'],
  ['the empty pattern matches nothing', '', 'a'],
  ['the empty pattern does not even match the empty key', '', ''],
  ['a pattern matches the whole key, not its beginning', 'key?', 'key10'],
  ['a pattern matches the whole key, not its end', 'b', 'ab'],
  ['a question mark does not match nothing', 'key?', 'key'],
  ['a question mark does not match half an emoji', '😀?', '😀'],
  ['one question mark does not match two characters that look like one', '?', 'e\u0301'],
  ['half an emoji does not match an emoji', '\ud83d*', '😀'],
  ['half an emoji after a star does not match an emoji', '*\ude00', '😀'],
  ['case matters', 'A*', 'abc'],
  ['a class does not match what is not in it', '[abc]', 'd'],
  ['a negated class does not match its members', '[!abc]', 'b'],
  ['a negated class does not match nothing', '[!a]', ''],
  ['a range that goes backwards matches nothing', '[c-a]', 'b'],
  ['an escaped star matches only a star', 'a\\*b', 'axb'],
  ['a class of an emoji does not match half of it', '[😀]', '\ud83d'],
  ['an unclosed bracket is not a class', '[ab', 'a'],
]
for (const [title, pattern, key] of NO) {
  test(title, (t) => {
    t.false(matches(pattern, key), `${pattern} should not match ${JSON.stringify(key)}`)
  })
}

// With an exponential matcher none of these would end before AVA gives up.

test('many stars on a long key that does not match', (t) => {
  t.false(matches(`${'a*'.repeat(50)}b`, 'a'.repeat(20_000)))
})

test('500 stars with characters between them', (t) => {
  t.false(matches(`${'*a?'.repeat(500)}b`, 'a'.repeat(20_000)))
  t.true(matches(`${'*a'.repeat(500)}*`, 'a'.repeat(500)))
})

test('500 stars in a row are one star', (t) => {
  t.true(matches(`${'*'.repeat(500)}a`, `${'b'.repeat(100_000)}a`))
  t.false(matches(`${'*'.repeat(500)}a`, 'b'.repeat(100_000)))
})

test('classes between stars', (t) => {
  t.false(matches(`${'*[a-z][!b]'.repeat(100)}[0-9]`, 'a'.repeat(20_000)))
})

test('a key of a million characters is matched', (t) => {
  const key = `${'a'.repeat(1_000_000)}b`
  t.true(matches('a*b', key))
  t.true(matches('*ab', key))
  t.false(matches('*ba', key))
})

test('100,000 unclosed brackets are compiled in linear time', (t) => {
  const brackets = '['.repeat(100_000)
  t.true(matches(brackets, brackets))
  t.false(matches(brackets, 'x'))
})

test('100,000 stars between unclosed brackets are compiled in linear time', (t) => {
  t.true(matches('[*'.repeat(50_000), '['.repeat(50_000)))
})
