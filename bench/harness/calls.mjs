/** The calls that README.md shows, in its table and its plot, by kind of value. */
import { JSON_LIKE } from './objects.mjs'
import { SHARED_TEXT } from './workload.mjs'

export const SIZES = [10_000, 100_000, 1_000_000]
export const INT = 'small int'
export const TEXT = '40-byte text'
export const DATES = 'object with Date'
export const BIGINTS = 'object with bigint, NaN'
export const LRU = 'lru-cache'
export const CLONING = 'lru-cache + structuredClone'

const get = (kind, name = 'get, hit') => ({ topic: 'get', case: name, kind })
const set = (kind, name = 'set, overwriting') => ({ topic: 'set', case: name, kind })
const object = (name, kind = JSON_LIKE) => ({ topic: 'objects', case: name, kind })

/** `what` it says, the `rows` that it is about, and whom it compares. */
export const CALLS = [
  ['`get`, whole number', get(INT)],
  ['`get`, whole number, a new key string per call', get(INT, 'get, hit, new key strings')],
  ['`get`, 40-byte text', get(TEXT)],
  ['`get`, a key that is not there', get(INT, 'get, miss')],
  ["`get`, 300-byte object, `'copy'`", object('get, as copies'), 'daybook copy', CLONING],
  ["`get`, … with Dates, `'copy'`", object('get, as copies', DATES), 'daybook copy', CLONING],
  ["`get`, … with bigint and NaN, `'copy'`", object('get, as copies', BIGINTS), 'daybook copy', CLONING],
  ["`get`, 300-byte object, `'freeze'`", object('get, frozen'), 'daybook freeze'],
  ["`get`, 300-byte object, `'share'`", object('get, by reference'), 'daybook share'],
  ['`set`, whole number', set(INT)],
  ['`set`, whole number, a new key string per call', set(INT, 'set, overwriting, new key strings')],
  ['`set`, 40-byte text, all different', set(TEXT)],
  ['`set`, 40-byte text, always the same string', set(SHARED_TEXT)],
  ['`set` with a ttl, whole number', set(INT, 'set with ttl, overwriting')],
  ['`set` that evicts, whole number', set(INT, 'set, evicting')],
  ["`set`, 300-byte object, `'copy'`", object('set, as copies'), 'daybook copy', CLONING],
  ["`set`, … with Dates, `'copy'`", object('set, as copies', DATES), 'daybook copy', CLONING],
  ["`set`, … with bigint and NaN, `'copy'`", object('set, as copies', BIGINTS), 'daybook copy', CLONING],
  ["`set`, 300-byte object, `'freeze'`", object('set, frozen'), 'daybook freeze'],
  ["`set`, 300-byte object, `'share'`", object('set, by reference'), 'daybook share'],
].map(([what, rows, ours = 'daybook', peer = LRU]) => ({ what, rows, ours, peer }))

/** Both rows of a call with so many keys, or `undefined` if one of them was not measured. */
export function pairOf({ find }, { rows, ours, peer }, keys) {
  const own = find({ ...rows, system: ours, keys })
  const theirs = find({ ...rows, system: peer, keys })
  return own === undefined || theirs === undefined ? undefined : { own, theirs }
}
