import test from 'ava'
import { looksLikeDuration, parseDuration, parseSequence, parseTtlOption } from '../../../src/cli/journal/options.js'

test('a duration is a number of seconds, or the text as it is', (t) => {
  const parsed = { '10': 10, '0.5': 0.5, '.5': 0.5, '-1': -1, '1e3': 1000, '10s': '10s', '5m': '5m', soon: 'soon' }
  for (const [text, expected] of Object.entries(parsed)) t.is(parseDuration(text) as unknown, expected, text)
  t.is(parseDuration('Infinity'), Number.POSITIVE_INFINITY)
  t.is(parseDuration('') as unknown, '')
})

test('what looks like a duration is meant as one, also if it is not valid', (t) => {
  for (const text of ['10', '+10', '-1s', '1.5h', '250ms', '7d', 'Infinity']) t.true(looksLikeDuration(text), text)
  for (const text of ['', 's', '10 s', '10w', '1e3', 'ten', '10s!']) t.false(looksLikeDuration(text), text)
})

test('--ttl refuses what the cache would refuse, in its words', (t) => {
  t.is(parseTtlOption('10s'), '10s')
  for (const text of ['-1', 'soon', 'NaN']) {
    const error = t.throws(() => parseTtlOption(text), undefined, text)
    t.regex(error?.message ?? '', /^It must /, text)
    t.notRegex(error?.message ?? '', /Nothing was changed/, text)
  }
})

test('a sequence is a whole number from 0 to 2^53 − 1', (t) => {
  t.is(parseSequence('0'), 0 as never)
  t.is(parseSequence(String(Number.MAX_SAFE_INTEGER)), Number.MAX_SAFE_INTEGER as never)
  for (const text of ['-1', '1.5', '1e3', '0x10', '', ' 1', String(Number.MAX_SAFE_INTEGER + 1)])
    t.throws(() => parseSequence(text), { message: /integer of at least 0/ }, text)
})
