import assert from 'node:assert/strict'

/** Asserts that `actual` has all that `expected` has, at every level; it may have more. */
export function assertLike(actual: unknown, expected: unknown): void {
  assert.deepEqual(pick(actual, expected), expected)
}

function pick(actual: unknown, expected: unknown): unknown {
  if (!isObject(actual) || !isObject(expected)) return actual
  return Object.fromEntries(Object.keys(expected).map((key) => [key, pick(actual[key], expected[key])]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
