/**
 * A change must not end half made because its caller's stack ran out. So before the journal is given an event, this makes sure
 * that there is room for all that follows.
 *
 * V8 looks at the stack limit when a function is entered, and looks for all that the function could need as bytecode, optimized
 * or not. The call below is never made, but its arguments take a register each: 2 KiB of stack are asked for, and an optimized
 * caller pays nothing for it.
 */

/** @throws RangeError ("Maximum call stack size exceeded") when less than 2 KiB of stack are left. Nothing was changed. */
export function reserveStack(): void {
  if (never.isTrue) {
    // biome-ignore format: one register for each argument
    take(0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,
      0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,
      0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,
      0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,
      0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0)
  }
}

/** Not a constant: the compiler would leave the call out. */
const never = { isTrue: false }

function take(..._arguments: number[]): void {}
