/** The names of values that have no Python form, and what to store instead. */
import { types } from 'node:util'

/** The name of an object's class. Never throws, and calls no code of the object. */
export function nameOf(value: object): string {
  if (types.isNativeError(value)) return 'Error'
  const prototype: unknown = Object.getPrototypeOf(value)
  const maker = prototype && Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  const name = typeof maker === 'function' && Object.getOwnPropertyDescriptor(maker, 'name')?.value
  return typeof name === 'string' && name !== '' ? name : 'a class without a name'
}

export function adviceFor(value: unknown): string {
  if (value === undefined) return 'Store null'
  if (types.isRegExp(value)) return 'Store its source and flags'
  if (types.isNativeError(value)) return 'Store its name and message'
  if (ArrayBuffer.isView(value)) return 'Store an array of its numbers, or a Uint8Array of its bytes'
  if (types.isBoxedPrimitive(value)) return 'Store its primitive value'
  return 'Store plain data'
}
