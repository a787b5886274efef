/** The first byte of each part of plain data. Those of primitives are also those of values in a file (`durable/format/format.ts`). */
export const TAG = {
  null: 0,
  false: 1,
  true: 2,
  /** An integer of 32 bits, zigzag varint. */
  integer: 3,
  /** f64. */
  double: 4,
  /** Text: 5 + TEXT, then a varint of bytes, then the bytes. */
  text: 5,
  /** Sign and hexadecimal digits, as ASCII with a varint of bytes. */
  bigint: 8,
  undefined: 16,
  /** f64 of epoch milliseconds; NaN for an invalid Date. */
  date: 17,
  /** A varint of items, then the items. */
  array: 18,
  /** A shape that is new in this value: a varint of bytes, then its keys; then the values, in their order. */
  newShape: 19,
  /** The number of a shape, a varint, in the order in which they were defined in this value; then the values. */
  shape: 20,
  /** A varint of keys; then each key, followed by its value. */
  dictionary: 21,
} as const
