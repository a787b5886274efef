/**
 * Compiles a loop for each contender. A shared loop would call all of them at one call site, which becomes megamorphic with the
 * fifth, and that would be measured. Here the call is in the source of each loop, as in a program, with its own inline caches.
 */
const AsyncFunction = (async () => {}).constructor

/**
 * @param call The source of one call: `cache.get(key)`. `key`, `value` and the names in `scope` are in scope.
 * @param scope Names → values.
 * @param way `'sync'`; `'awaited'`: one after the other; a number: this many at once, then all of them awaited.
 * @param key The source of the key: `keys[index]`, or one that makes a new string per call.
 * @returns {(keys: string[], values: unknown[], first: number, calls: number, shift?: number) => unknown} Calls with `keys`
 *   from `first` on and `values` from `shift` on. Returns the result of the last call.
 */
export function compileLoop(call, scope, way = 'sync', key = 'keys[index]') {
  const make = way === 'sync' ? Function : AsyncFunction
  const loop = new make(...Object.keys(scope), 'keys', 'values', 'first', 'calls', 'shift', loopSource(call, way, key))
  const scopeValues = Object.values(scope)
  return (keys, values, first, calls, shift = 0) => loop(...scopeValues, keys, values, first, calls, shift)
}

let made = 0

/** No two loops have the same source, or V8 would reuse the first one with its inline caches. */
export function loopSource(call, way, key = 'keys[index]') {
  const [before, each, after] =
    way === 'sync'
      ? ['', `last = ${call}`, '']
      : way === 'awaited'
        ? ['', `last = await ${call}`, '']
        : [
            'const waiting = []',
            `last = ${call}; waiting.push(last); if (waiting.length === ${way}) { await Promise.all(waiting); waiting.length = 0 }`,
            'await Promise.all(waiting)',
          ]
  return `// loop ${++made}
    ${before}
    let last
    for (let index = first, end = first + calls; index < end; index++) {
      const key = ${key}, value = values[index - first + shift]
      ${each}
    }
    ${after}
    return last`
}
