/** What kind of object something is, to structured cloning and in words. */
import { types } from 'node:util'

/** An object literal: its prototype is null or a root, such as the Object.prototype of any realm. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

/** What structured cloning refuses by its kind. The others of these kinds have no properties, so nothing would be kept of them. */
const UNCLONEABLE: readonly ((value: object) => boolean)[] = [
  types.isProxy,
  types.isArgumentsObject,
  types.isPromise,
  types.isWeakMap,
  types.isWeakSet,
  types.isGeneratorObject,
  types.isMapIterator,
  types.isSetIterator,
  types.isModuleNamespaceObject,
  types.isExternal,
  types.isSymbolObject,
  types.isSharedArrayBuffer,
]

export function isUncloneable(value: object): boolean {
  return UNCLONEABLE.some((is) => is(value))
}

/** In words. Calls no code of the object. */
export function kindOf(value: object): string {
  if (types.isProxy(value)) return 'a Proxy'
  if (types.isArgumentsObject(value)) return 'the arguments of a call'
  const name = classNameOf(value)
  return name === undefined ? 'an instance of a class without a name' : `an instance of ${name}`
}

function classNameOf(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  const maker = dataOf(prototype, 'constructor')
  const name = typeof maker === 'function' ? dataOf(maker, 'name') : undefined
  return typeof name === 'string' && name !== '' ? name.slice(0, 60) : undefined
}

/** An own property that is not a getter. */
export function dataOf(object: unknown, name: string): unknown {
  return object === null ? undefined : Object.getOwnPropertyDescriptor(object, name)?.value
}

/** V8 copies these, and runs no code for it. */
export function isCopiedByV8(value: object): boolean {
  if (types.isRegExp(value) || ArrayBuffer.isView(value) || types.isArrayBuffer(value)) return true
  return types.isBoxedPrimitive(value) && !types.isSymbolObject(value)
}

const NOTHING: readonly never[] = []

/** Whether objects and arrays inherit properties that for...in lists. */
export function inheritsProperties(): boolean {
  for (const _ in NOTHING) return true
  return false
}
