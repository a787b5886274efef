/**
 * What a pickle may ask for, so that no file, however made, can end or stall the process. Each limit is far above what
 * data needs; exceeding one is a refusal that names it.
 */
import { constants } from 'node:buffer'
import { getHeapStatistics } from 'node:v8'
import { refusal } from './refusal.js'

/** Levels of containers in a value, on writing and on reading: deeper ones would overflow whoever walks them recursively. */
export const NESTING_MAX = 1_000

/** Open marks. A container, with the call that may make it, has at most a few. */
export const MARKS_MAX = 10 * NESTING_MAX

/** Bytes of an int in binary (about 40 million decimal digits): conversion is linear, so this only bounds memory. */
export const INTEGER_BYTES_MAX = 2 ** 24

/** Digits of an int in decimal: conversion is quadratic. Python itself stops at 4,300. */
export const INTEGER_DIGITS_MAX = 10_000

/** Bytes of a line that holds a number, a module or a name. */
export const LINE_BYTES_MAX = 1_000

/** Bytes of one str: V8's longest string. */
export const TEXT_BYTES_MAX = constants.MAX_STRING_LENGTH

/** Characters of text in one entry's value, each as often as something leads to it. No frame of the journal holds as many. */
export const VALUE_TEXT_MAX = 2 ** 29

/** Items of one list, slots of the stack: a growing array ends the process near 2^27. */
export const ITEMS_MAX = 2 ** 26

/** Keys of one Map or Set, which throw above. */
export const KEYS_MAX = 2 ** 24

/** Keys of one dict that becomes an object: V8 numbers an object's keys anew with each one above 2^23. */
export const PROPERTIES_MAX = 2 ** 22

/** Ints alike in their lowest 64 bits, among the keys of one dict or set: V8 hashes no more, and searches them one by one. */
export const ALIKE_KEYS_MAX = 1_000

/** Parts of one dict key or set item on writing (a tuple of tuples …): Python's hash visits each of them every time. */
export const KEY_PARTS_MAX = 10_000

/** Looks at how full the heap really is, on the way to the limit of the estimate. */
const LOOKS = 64

/**
 * What V8 counts into the heap's limit for new objects, which is no room to stay: three semi-spaces, of 16 MiB each on Node 20
 * and of 64 MiB on Node 24, or this part of a small heap.
 */
const HAS_LARGE_YOUNG = Number.parseInt(process.versions.v8, 10) >= 12
const YOUNG_BYTES = (HAS_LARGE_YOUNG ? 192 : 48) * 2 ** 20
const YOUNG_PART = HAS_LARGE_YOUNG ? 0.75 : 0.45

/** Estimated bytes that every pickle may have. */
const LEAST_BYTES = 2 ** 22

/** Above this part of the heap's limit, V8 spends its time collecting garbage and is close to ending the process. */
const FULL = 0.85
/** And this much is left free in any case: what is made between two looks, and what the collector needs to move things. */
const FREE_BYTES = 24 * 2 ** 20

/**
 * Memory that a pickle may take. One byte of it can ask for 200 (an empty set), so lengths alone bound nothing: an estimate
 * in bytes of V8's heap is charged before anything is made. The limit is 4 GiB or three times the file, whichever is
 * more, and never more than 70 % of the heap that this process has left. The estimate is low for some shapes (objects that
 * have no key in common), so the heap itself is looked at too, now and then.
 */
export class Allowance {
  readonly #heapBytesMax: number
  readonly #outsideBytesMax: number
  #heapBytes = 0
  /** Of these, what stays when the rest is released. */
  #keptBytes = 0
  /** All bytes that were ever taken, and how many there are when the heap is looked at next. */
  #takenBytes = 0
  #lookAtBytes: number
  #outsideBytes = 0

  constructor(fileBytes: number, heapBytesMax = heapBytesFor(fileBytes)) {
    this.#heapBytesMax = heapBytesMax
    this.#lookAtBytes = Math.min(LEAST_BYTES, heapBytesMax)
    this.#outsideBytesMax = 2 * fileBytes + 2 ** 20
  }

  /** Charges `bytes` of objects; `at` is the byte offset that asked for them. */
  take(bytes: number, at: number): void {
    this.#heapBytes += bytes
    this.#takenBytes += bytes
    if (this.#takenBytes > this.#lookAtBytes || this.#heapBytes > this.#heapBytesMax) this.#look(at)
  }

  /** What was taken so far stays in use. */
  keep(): void {
    this.#keptBytes = this.#heapBytes
  }

  /** What was taken, and not kept, is in use no more. */
  release(): void {
    this.#heapBytes = this.#keptBytes
  }

  /** Charges `bytes` of bytes objects, which live outside the heap: only copies of copies can exceed the file. */
  takeOutside(bytes: number, at: number): void {
    this.#outsideBytes += bytes
    if (this.#outsideBytes > this.#outsideBytesMax)
      throw refusal('its bytes objects are larger than the file allows', at)
  }

  #look(at: number): void {
    const { limit, used } = heap()
    if (this.#heapBytes > this.#heapBytesMax || used > Math.min(FULL * limit, limit - FREE_BYTES)) {
      throw refusal(
        `it needs more than the ${mebibytes(this.#heapBytesMax)} MiB of heap that a file of this size may have here, ` +
          `where ${mebibytes(used)} of ${mebibytes(limit)} MiB are in use`,
        at,
        'Start Node with a larger --max-old-space-size, or split the file',
      )
    }
    this.#lookAtBytes = this.#takenBytes + this.#heapBytesMax / LOOKS
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

/** Estimated heap bytes of what a pickle makes, measured on 64-bit V8 and rounded up. */
export const cost = {
  text: 32,
  float: 16,
  integer: 32,
  bytes: 240,
  date: 112,
  /** An array made with its items, which have room for themselves. */
  tuple: 48,
  slot: 8,
  /** An array that grows begins with room for 17, and has up to half as much again as it needs later. */
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
