/**
 * The objects that programs store: rows of a table in four kinds, each in 1, 4 and 200 shapes (lists of keys), and 50 in an
 * array. Only the first kind survives JSON.
 */
import { text } from './text.mjs'

export const JSON_LIKE = '300-byte object'

const ROWS = {
  [JSON_LIKE]: (index, random) => ({
    id: index,
    name: text(24, random),
    email: `${text(12, random)}@example.org`,
    roles: ['reader', 'writer', text(8, random)],
    address: { street: text(24, random), city: text(12, random), zip: 10_000 + (index % 80_000) },
    active: index % 3 !== 0,
    score: random() * 1000,
    createdAtMs: 1.7e12 + index,
    note: text(60, random),
  }),
  'object with undefined': (index, random) => ({
    id: index,
    name: text(24, random),
    email: `${text(12, random)}@example.org`,
    phone: undefined,
    roles: ['reader', 'writer', text(8, random)],
    address: { street: text(24, random), city: text(12, random), zip: 10_000 + (index % 80_000), state: undefined },
    active: index % 3 !== 0,
    score: random() * 1000,
    deletedAtMs: undefined,
    note: text(60, random),
  }),
  'object with Date': (index, random) => ({
    id: index,
    name: text(24, random),
    email: `${text(12, random)}@example.org`,
    roles: ['reader', 'writer', text(8, random)],
    address: { street: text(24, random), city: text(12, random), since: new Date(1.6e12 + index) },
    active: index % 3 !== 0,
    score: random() * 1000,
    createdAt: new Date(1.7e12 + index),
    note: text(60, random),
  }),
  'object with bigint, NaN': (index, random) => ({
    id: BigInt(index) + 2n ** 60n,
    name: text(24, random),
    email: `${text(12, random)}@example.org`,
    roles: ['reader', 'writer', text(8, random)],
    address: { street: text(24, random), city: text(12, random), zip: 10_000 + (index % 80_000) },
    active: index % 3 !== 0,
    score: Number.NaN,
    balance: BigInt(Math.floor(random() * 1e9)),
    note: text(60, random),
  }),
}

export const ROW_KINDS = Object.keys(ROWS)
export const SHAPES = [1, 4, 200]
export const inShapes = (kind, shapes) => (shapes === 1 ? kind : `${kind}, ${shapes} shapes`)
export const ROWS_PER_ARRAY = 50
export const inArrays = (kind) => `${ROWS_PER_ARRAY} × ${kind}`

/** By kind: creates the `index`-th object. */
export const OBJECT_MAKERS = Object.fromEntries(
  Object.entries(ROWS).flatMap(([kind, make]) => [
    [kind, make],
    ...SHAPES.slice(1).map((shapes) => [
      inShapes(kind, shapes),
      (index, random) => ({ ...make(index, random), [`field${index % shapes}`]: index }),
    ]),
    [
      inArrays(kind),
      (index, random) =>
        Array.from({ length: ROWS_PER_ARRAY }, (_, place) => make(index * ROWS_PER_ARRAY + place, random)),
    ],
  ]),
)
