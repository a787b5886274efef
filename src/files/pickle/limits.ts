/**
 * Limits that prevent any file from ending or stalling the process. Each is far above what real data needs; a file that
 * exceeds one is refused with an error that names it.
 */
import { constants } from 'node:buffer'
import { getHeapStatistics } from 'node:v8'
import { refusal } from './refusal.js'

/** Levels of containers in a value, on writing and on reading: deeper values would overflow code that walks them recursively. */
export const NESTING_MAX = 1_000

/** Open marks. A container, with the call that may create it, has only a few. */
export const MARKS_MAX = 10 * NESTING_MAX

/** Bytes of an int in binary (about 40 million decimal digits): conversion is linear, so this only limits memory. */
export const INTEGER_BYTES_MAX = 2 ** 24

/** Digits of an int in decimal: conversion is quadratic. Python itself stops at 4,300. */
export const INTEGER_DIGITS_MAX = 10_000

/** Bytes of a line that holds a number, a module or a name. */
export const LINE_BYTES_MAX = 1_000

/** Bytes of one str: V8's longest string. */
export const TEXT_BYTES_MAX = constants.MAX_STRING_LENGTH

/** Characters of text in one entry's value, counted once for each reference. A frame of the journal cannot hold as many. */
export const VALUE_TEXT_MAX = 2 ** 29

/** Items of one list, or values on the stack: an array that grows to nearly 2^27 ends the process. */
export const ITEMS_MAX = 2 ** 26

/** Keys of one Map or Set, which throw above. */
export const KEYS_MAX = 2 ** 24

/** Keys of one dict that becomes an object: above 2^23, V8 renumbers an object's keys for each new one. */
export const PROPERTIES_MAX = 2 ** 22

/** Keys of one dict or set that are ints with the same lowest 64 bits: V8 hashes only those, so it compares such keys one by one. */
export const ALIKE_KEYS_MAX = 1_000

/** Parts of one dict key or set item on writing (a tuple of tuples …): Python hashes all of them every time. */
export const KEY_PARTS_MAX = 10_000

/**
 * Parts, characters and bytes that occur again in the keys of one value: keys are written whole each time, so a thousand keys
 * that share a megabyte would be a gigabyte.
 */
export const KEYS_REPEATED_MAX = 2 ** 24

/** How often the real size of the heap is checked before the estimate reaches its limit. */
const CHECKS = 64

/**
 * V8's heap limit includes space for new objects, which is not available for others: three semi-spaces, of 16 MiB each on
 * Node 20 and of 64 MiB on Node 24, or this fraction of a small heap.
 */
const HAS_LARGE_YOUNG = Number.parseInt(process.versions.v8, 10) >= 12
const YOUNG_BYTES = (HAS_LARGE_YOUNG ? 192 : 48) * 2 ** 20
const YOUNG_PART = HAS_LARGE_YOUNG ? 0.75 : 0.45

/** Estimated bytes that any pickle may take. */
const LEAST_BYTES = 2 ** 22

/** Above this fraction of the heap limit, V8 spends its time collecting garbage and is close to ending the process. */
const FULL = 0.85
/** Always left free: for what is created between two checks, and for the collector to move objects. */
const FREE_BYTES = 24 * 2 ** 20

/**
 * The memory that a pickle may take. One byte of it can ask for 200 (an empty set), so limits on lengths are not enough: an
 * estimate in bytes of V8's heap is charged before anything is created. The limit is 4 GiB or three times the file, whichever
 * is more, but at most 70 % of the heap that this process has left. For some shapes the estimate is too low (objects that have
 * no key in common), so the real size of the heap is also checked from time to time.
 */
export class Allowance {
  readonly #heapBytesMax: number
  readonly #outsideBytesMax: number
  #heapBytes = 0
  /** The part of these that {@link release} does not give back. */
  #keptBytes = 0
  /** All bytes ever taken, and the number of them at which the heap is checked next. */
  #takenBytes = 0
  #checkAtBytes: number
  #outsideBytes = 0

  constructor(fileBytes: number, heapBytesMax = heapBytesFor(fileBytes)) {
    this.#heapBytesMax = heapBytesMax
    this.#checkAtBytes = Math.min(LEAST_BYTES, heapBytesMax)
    this.#outsideBytesMax = 2 * fileBytes + 2 ** 20
  }

  /** Charges `bytes` of objects; `at` is the byte offset that asked for them. */
  take(bytes: number, at: number): void {
    this.#heapBytes += bytes
    this.#takenBytes += bytes
    if (this.#takenBytes > this.#checkAtBytes || this.#heapBytes > this.#heapBytesMax) this.#check(at)
  }

  /** Everything taken so far stays in use. */
  keep(): void {
    this.#keptBytes = this.#heapBytes
  }

  /** Gives back everything that was taken and not kept. */
  release(): void {
    this.#heapBytes = this.#keptBytes
  }

  /** Charges `bytes` of bytes objects, which are outside the heap: only copies of copies can exceed the file's size. */
  takeOutside(bytes: number, at: number): void {
    this.#outsideBytes += bytes
    if (this.#outsideBytes > this.#outsideBytesMax)
      throw refusal('its bytes objects are too large for a file of this size', at)
  }

  #check(at: number): void {
    const { limit, used } = heap()
    if (this.#heapBytes > this.#heapBytesMax || used > Math.min(FULL * limit, limit - FREE_BYTES)) {
      throw refusal(
        `it needs more than the ${mebibytes(this.#heapBytesMax)} MiB of heap that a file of this size may take here, ` +
          `where ${mebibytes(used)} of ${mebibytes(limit)} MiB are in use`,
        at,
        'Start Node with a larger --max-old-space-size, or split the file.',
      )
    }
    this.#checkAtBytes = this.#takenBytes + this.#heapBytesMax / CHECKS
  }
}

function heapBytesFor(fileBytes: number): number {
  const { limit, used } = heap()
  return Math.max(LEAST_BYTES, Math.min(0.7 * (limit - FREE_BYTES - used), Math.max(2 ** 32, 3 * fileBytes)))
}

function heap(): { limit: number; used: number } {
  const { heap_size_limit, used_heap_size } = getHeapStatistics()
  return { limit: heap_size_limit - Math.min(YOUNG_BYTES, YOUNG_PART * heap_size_limit), used: used_heap_size }
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}

/** Estimated heap bytes of what a pickle creates, measured on 64-bit V8 and rounded up. */
export const cost = {
  text: 32,
  float: 16,
  integer: 32,
  bytes: 240,
  date: 112,
  /** An array created with its items; its items are charged themselves. */
  tuple: 48,
  slot: 8,
  /** A growing array starts with room for 17 items, and later has up to half as much again as it needs. */
  list: 48,
  firstItems: 160,
  item: 12,
  object: 64,
  smallProperty: 32,
  property: 64,
  map: 320,
  pair: 64,
  set: 240,
  member: 40,
  reference: 12,
} as const
