/** The part that is used. The package has no types. */
declare module 'fs-native-extensions' {
  /** Acquires an exclusive lock of the open file description. Returns false if another one has it. */
  export function tryLock(descriptor: number, options?: { shared?: boolean }): boolean
}
