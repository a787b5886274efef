/**
 * The objects of plain data: ordinary ones, except that they inherit nothing. So no setter of a changed Object.prototype gets in the way of
 * a copy, `__proto__` is a name like any other, and for...in lists only what is theirs.
 */
export interface Bare {
  [key: string]: unknown
}

/** By the number of properties. */
const classes: (new () => Bare)[] = []
/** V8 leaves room for as many properties as the constructor seems to set, and 8 more, until it sees how many there are. */
const INSIDE_MAX = 32

/** @param count How many properties it will have: all of them then lie in it. Others are outside, which is one more CPU cache miss. */
export function bareFor(count: number): Bare {
  const size = count < INSIDE_MAX ? count : INSIDE_MAX
  classes[size] ??= classFor(size)
  return new (classes[size] as new () => Bare)()
}

function classFor(size: number): new () => Bare {
  class Sized implements Bare {
    [key: string]: unknown

    constructor(isHint?: true) {
      if (isHint === undefined) return // never needed: V8 counts what follows
      this['a'] = this['b'] = this['c'] = this['d'] = this['e'] = this['f'] = this['g'] = this['h'] = undefined
      this['i'] = this['j'] = this['k'] = this['l'] = this['m'] = this['n'] = this['o'] = this['p'] = undefined
      this['q'] = this['r'] = this['s'] = this['t'] = this['u'] = this['v'] = this['w'] = this['x'] = undefined
    }
  }
  Reflect.deleteProperty(Sized.prototype, 'constructor')
  Object.setPrototypeOf(Sized.prototype, null)
  Object.freeze(Sized.prototype)
  // V8 decides by the first few.
  for (let n = 0; n < 8; n++) {
    const sample = new Sized()
    for (let property = 0; property < size; property++) sample[`property ${property}`] = undefined
  }
  return Sized
}
