/** Defines a client's methods from the table. */
import { METHODS, type Method } from '../../../cache/arguments/methods.js'
import { REMOTE_METHODS, type RemoteMethod } from '../wire/codes.js'

/** Adds a method, or a property, for each row of the table that `prototype` does not define itself. */
export function addMethods<C extends object>(
  prototype: C,
  make: (name: RemoteMethod) => (this: C, ...parameters: unknown[]) => unknown,
): void {
  for (const name of REMOTE_METHODS) {
    if (Object.hasOwn(prototype, name)) continue
    const { isGetter }: Method = METHODS[name]
    const method = Object.defineProperty(make(name), 'name', { value: name })
    const property = isGetter === true ? { get: method } : { value: method, writable: true }
    Object.defineProperty(prototype, name, { ...property, configurable: true })
  }
}

/** Whether its only argument is a key, but for options. */
export function takesOneKey(name: RemoteMethod): boolean {
  const { takes }: Method = METHODS[name]
  return takes.length === 1 && takes[0] === 'key'
}
