/** The part that is used; the package ships no types. */
declare module 'fs-native-extensions' {
  /** An exclusive lock of the open file description; false when another one has it. */
  export function tryLock(descriptor: number, options?: { shared?: boolean }): boolean
}
