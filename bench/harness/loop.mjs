/**
 * Loops, one compiled for each contender. A loop function that all contenders shared would call them through one call
 * site: after the fourth the site is megamorphic, and what is measured is the site. Here the call stands in the source of
 * each loop as it would in a program, with inline caches of its own.
 */
const AsyncFunction = (async () => {}).constructor

/**
 * @param call What one call is, as source: `cache.get(key)`. `key`, `value` and what `scope` names are in reach.
 * @param scope Names → what they stand for.
 * @param way `'sync'`; `'awaited'`: one after the other; a number: so many at once, then all of them awaited.
 * @returns {(keys: string[], values: unknown[], first: number, calls: number, shift?: number) => unknown} Calls with `keys`
 *   from `first` on and `values` from `shift` on; answers the last call's answer.
 */
export function compileLoop(call, scope, way = 'sync') {
  const make = way === 'sync' ? Function : AsyncFunction
  const loop = new make(...Object.keys(scope), 'keys', 'values', 'first', 'calls', 'shift', loopSource(call, way))
  const given = Object.values(scope)
  return (keys, values, first, calls, shift = 0) => loop(...given, keys, values, first, calls, shift)
}

let made = 0

/** No two are the same text: V8 would take the second for the first, inline caches included. */
export function loopSource(call, way) {
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
      const key = keys[index], value = values[index - first + shift]
      ${each}
    }
    ${after}
    return last`
}
