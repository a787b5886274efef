import test from 'ava'
import { suggest } from '../../../src/cache/arguments/suggestion.js'

test('a typo gets a suggestion, an unrelated word does not', (t) => {
  const names = ['set', 'get', 'delete', 'delete-pattern', 'compact']
  t.deepEqual(
    ['sett', 'gte', 'delte', 'comp', 'delete-patern'].map((typed) => suggest(typed, names)),
    ['set', 'get', 'delete', 'compact', 'delete-pattern'],
  )
  t.is(suggest('xyzzy', names), undefined)
})

test('the case of letters does not matter', (t) => {
  t.is(suggest('TTL', ['ttl', 'maxSize']), 'ttl')
  t.is(suggest('maxsize', ['ttl', 'maxSize']), 'maxSize')
})
