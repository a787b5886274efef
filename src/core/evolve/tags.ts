import { NO_TAGS, TAGS_MAX } from '../model/extension.js'
import type { Slot } from '../model/state.js'

/** A tag, with its marks in no particular order and without gaps. */
interface Tag {
  readonly name: string
  marks: Mark[]
}

/** One tag of one entry. An object for each, because then an entry needs no lists of its own. */
interface Mark {
  readonly slot: Slot
  readonly tag: Tag
  /** Where it is among the marks of its tag. */
  place: number
  /** The entry's next tag. */
  readonly next: Mark | undefined
}

/**
 * Which entries have which tags. An entry without tags costs nothing here; an entry with tags is found from its slot, and from
 * each of its tags. Where a mark is removed from its tag, the last one takes its place.
 */
export class Tags {
  /** By slot, the entry's first mark. In portions of so many slots, because a single Map cannot hold all of them. */
  readonly #marks: (Map<Slot, Mark> | undefined)[] = []
  readonly #tags = new Map<string, Tag>()
  /** How many entries have tags. */
  count = 0

  /** How many different tags there are. */
  get size(): number {
    return this.#tags.size
  }

  of(slot: Slot): readonly string[] {
    let mark = this.count === 0 ? undefined : this.#first(slot)
    if (mark === undefined) return NO_TAGS
    const tags: string[] = []
    for (; mark !== undefined; mark = mark.next) tags.push(mark.tag.name)
    return tags
  }

  /** The entries with a tag, in no particular order. */
  slotsOf(tag: string): Slot[] {
    return this.#tags.get(tag)?.marks.map(({ slot }) => slot) ?? []
  }

  /** Replaces the tags of an entry. Each must be there once. */
  set(slot: Slot, tags: readonly string[]): void {
    if (this.count > 0) this.#remove(slot)
    if (tags.length > 0) this.#add(slot, tags)
  }

  #first(slot: Slot): Mark | undefined {
    return this.#marks[Math.floor(slot / TAGS_MAX)]?.get(slot)
  }

  #add(slot: Slot, tags: readonly string[]): void {
    let mark: Mark | undefined
    for (let index = tags.length - 1; index >= 0; index--) mark = this.#mark(slot, tags[index] as string, mark)
    const portion = Math.floor(slot / TAGS_MAX)
    let marks = this.#marks[portion]
    if (marks === undefined) {
      marks = new Map()
      this.#marks[portion] = marks
    }
    marks.set(slot, mark as Mark) // there is at least one tag
    this.count++
  }

  #mark(slot: Slot, name: string, next: Mark | undefined): Mark {
    const tag = this.#tags.get(name) ?? { name, marks: [] }
    const mark: Mark = { slot, tag, place: tag.marks.length, next }
    if (mark.place > 0) tag.marks.push(mark)
    else {
      tag.marks = [mark] // takes a fifth of the memory of an empty array to which one is added
      this.#tags.set(name, tag)
    }
    return mark
  }

  #remove(slot: Slot): void {
    let mark = this.#first(slot)
    if (mark === undefined) return
    for (; mark !== undefined; mark = mark.next) this.#unmark(mark)
    this.#marks[Math.floor(slot / TAGS_MAX)]?.delete(slot)
    this.count--
  }

  #unmark({ tag, place }: Mark): void {
    const { marks } = tag
    const last = marks.pop() as Mark // there is at least this one
    if (place < marks.length) {
      marks[place] = last
      last.place = place
    } else if (place === 0) this.#tags.delete(tag.name)
  }
}
