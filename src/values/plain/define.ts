/** Gives an object a property of its own, whatever it inherits: an assignment to `__proto__` would change its prototype. */
export function define(object: object, name: string, value: unknown, isEnumerable: boolean): void {
  // A descriptor that inherits nothing either: V8 would also read a `get` or `set` of a changed Object.prototype.
  const descriptor = { __proto__: null, value, enumerable: isEnumerable, writable: true, configurable: true }
  Object.defineProperty(object, name, descriptor)
}
