/**
 * Loops, one compiled for each contender. A loop function that all contenders shared would call them through one call
 * site: after the fourth the site is megamorphic, and what is measured is the site. Here the call stands in the source of
 * each loop as it would in a program, with inline caches of its own.
 */
let made = 0
const AsyncFunction = (async () => {}).constructor

/**
 * @param call What one call is, as source: `cache.get(key)`. `key`, `value` and what `scope` names are in reach.
 * @param scope Names → what they stand for.
 * @param way `'sync'`; `'awaited'`: one after the other; a number: so many at once, then all of them awaited.
 * @returns {(keys: string[], values: unknown[], first: number, calls: number, shift?: number) => unknown} Calls with `keys`
 *   from `first` on and `values` from `shift` on; answers the last call's answer.
 */
export function compileLoop(call, scope, way = 'sync') {
  // The number keeps V8 from taking two loops of one text for the same, inline caches included.
  const loop = (before, each, after = '') => `// ${++made}
    ${before}
    let last
    for (let index = first, end = first + calls; index < end; index++) {
      const key = keys[index], value = values[index - first + shift]
      ${each}
    }
    ${after}
    return last`
  const body =
    way === 'sync'
      ? loop('', `last = ${call}`)
      : way === 'awaited'
        ? loop('', `last = await ${call}`)
        : loop(
            'const waiting = []',
            `waiting.push(${call}); if (waiting.length === ${way}) { await Promise.all(waiting); waiting.length = 0 }`,
            'await Promise.all(waiting)',
          )
  const make = way === 'sync' ? Function : AsyncFunction
  const loopFunction = new make(...Object.keys(scope), 'keys', 'values', 'first', 'calls', 'shift', body)
  const given = Object.values(scope)
  return (keys, values, first, calls, shift = 0) => loopFunction(...given, keys, values, first, calls, shift)
}
