/** A case of a conformance suite. It knows no test runner: it fails by rejecting, as `node:assert` does. */
export interface Case<Context> {
  /** What is promised. */
  readonly name: string
  /** Resolves if the promise holds in this context, which is new for each case. */
  run(context: Context): Promise<void>
}
