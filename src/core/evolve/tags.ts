import { NO_TAGS, TAGS_MAX } from '../model/extension.js'
import type { Slot } from '../model/state.js'

/** An entry that has tags. */
interface Tagged {
  readonly tags: readonly string[]
  /** For each tag: the place of the entry's slot in its list. */
  readonly places: number[]
}

/**
 * Which entries have which tags. An entry without tags costs nothing here; an entry with tags is found from its slot, and from
 * each of its tags. A tag's slots are a list without gaps: where one is removed, the last one takes its place.
 */
export class Tags {
  /** In portions of this many slots, because a single Map cannot hold all of them. */
  readonly #tagged: (Map<Slot, Tagged> | undefined)[] = []
  readonly #slots = new Map<string, Slot[]>()
  /** How many entries have tags. */
  count = 0

  /** How many different tags there are. */
  get size(): number {
    return this.#slots.size
  }

  has(tag: string): boolean {
    return this.#slots.has(tag)
  }

  of(slot: Slot): readonly string[] {
    return this.count === 0 ? NO_TAGS : (this.#find(slot)?.tags ?? NO_TAGS)
  }

  /** The entries with a tag, in no particular order. Valid until one of them changes. */
  slotsOf(tag: string): readonly Slot[] {
    return this.#slots.get(tag) ?? NO_SLOTS
  }

  #find(slot: Slot): Tagged | undefined {
    return this.#tagged[Math.floor(slot / TAGS_MAX)]?.get(slot)
  }

  /** Replaces the tags of an entry. Each must be there once. */
  set(slot: Slot, tags: readonly string[]): void {
    if (this.count > 0) this.#remove(slot)
    if (tags.length > 0) this.#add(slot, tags)
  }

  #add(slot: Slot, tags: readonly string[]): void {
    const places: number[] = []
    for (const tag of tags) {
      const slots = this.#slots.get(tag)
      if (slots === undefined) this.#slots.set(tag, [slot])
      places.push(slots === undefined ? 0 : slots.push(slot) - 1)
    }
    const shard = Math.floor(slot / TAGS_MAX)
    let tagged = this.#tagged[shard]
    if (tagged === undefined) {
      tagged = new Map()
      this.#tagged[shard] = tagged
    }
    tagged.set(slot, { tags, places })
    this.count++
  }

  #remove(slot: Slot): void {
    const found = this.#find(slot)
    if (found === undefined) return
    for (let index = 0; index < found.tags.length; index++)
      this.#removeFrom(found.tags[index] as string, found.places[index] as number)
    this.#tagged[Math.floor(slot / TAGS_MAX)]?.delete(slot)
    this.count--
  }

  #removeFrom(tag: string, place: number): void {
    const slots = this.#slots.get(tag) as Slot[] // it holds the slot
    const last = slots.pop() as Slot
    if (place < slots.length) {
      slots[place] = last
      const moved = this.#find(last) as Tagged
      moved.places[moved.tags.indexOf(tag)] = place
    } else if (place === 0) this.#slots.delete(tag)
  }
}

const NO_SLOTS: readonly Slot[] = []
