/** Refusals of the walk (`walk.ts`). */
import { describe, ValueError } from '../errors.js'

/** Something that structured cloning refuses. */
export class Uncloneable extends Error {
  readonly path: string
  constructor(path: string, reason: string) {
    super(reason)
    this.path = path
  }
}

export function nameOf(key: string | undefined): string {
  return key === undefined ? 'this value' : `the value of ${describe(key)}`
}

export function refused(path: string, reason: string, key: string | undefined): ValueError {
  return new ValueError(`Cannot store ${nameOf(key)}: ${path === '' ? 'it' : `its part ${path}`} is ${reason}`)
}
