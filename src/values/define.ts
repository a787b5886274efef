/** Gives an object a property of its own, whatever it inherits: an assignment to `__proto__` would change its prototype. */
export function define(object: object, name: string, value: unknown, isEnumerable: boolean): void {
  Object.defineProperty(object, name, { value, enumerable: isEnumerable, writable: true, configurable: true })
}
